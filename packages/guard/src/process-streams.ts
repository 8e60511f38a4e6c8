/** A process whose streams somebody else holds: read at their pace, counted, and over a limit ended. */
import type { ChildProcess } from 'node:child_process';
import { PassThrough, pipeline, Transform, type Readable } from 'node:stream';
import type { ProcessLife } from './process-life.ts';
import {
  defaultLimits,
  type ProcessEnd,
  type ProcessRequest,
  type SandboxProcess,
} from './sandbox-request.ts';

/** Of what it says on its standard error, so much is kept to explain a start that failed. */
const wordsMax = 500;

export interface Held {
  readonly child: ChildProcess;
  readonly life: ProcessLife;
  readonly request: ProcessRequest;
  /** The end of the whole tree. */
  readonly ended: Promise<ProcessEnd>;
}

/** `check` looks at the end, with the first words of standard error, and may throw what it means. */
export function heldProcess(
  { child, life, request, ended }: Held,
  check: (end: ProcessEnd, words: string) => void = () => undefined,
): SandboxProcess {
  let left = request.limits?.outputBytes ?? defaultLimits.streamBytes;
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) life.kill('it gave more output than its limit');
  };
  let words = '';
  const stdout = counted(child.stdout, count);
  const stderr = counted(child.stderr, (chunk) => {
    if (words.length < wordsMax) words += chunk.toString('utf8');
    count(chunk);
  });
  const stdin = child.stdin ?? new PassThrough();
  // Writing to a process that has ended says nothing that its end does not.
  stdin.on('error', () => undefined);
  const end = ended.then((result) => {
    check(result, words);
    return result;
  });
  // Whoever does not ask for the end is not told of it.
  end.catch(() => undefined);
  return { stdin, stdout, stderr, kill: (reason) => life.kill(reason), ended: end };
}

function counted(stream: Readable | null, count: (chunk: Buffer) => void): Readable {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk);
      done(null, chunk);
    },
  });
  // A pipe that breaks is a process that has ended: the reader sees the end of the stream.
  if (stream === null) counter.end();
  else pipeline(stream, counter, () => undefined);
  return counter;
}
