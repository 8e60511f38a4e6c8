/**
 * One command to its end, made of a process: its output is always read, so that it never blocks on it, and never held
 * beyond its limit; the answer comes even when a survivor holds a pipe.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '@switchyard/runtime';
import { HeadBuffer, OutputBuffer } from './output-buffer.ts';
import {
  defaultLimits,
  type ProcessEnd,
  type SandboxRequest,
  type SandboxResult,
} from './sandbox-request.ts';

/** How long pipes may stay open after the command has ended. */
const pipeGraceMs = 500;

/** Collects what a child writes, from its spawn on; `ended` is the end of its tree. */
export async function collectRun(
  child: ChildProcess,
  request: SandboxRequest,
  { ended, clock }: { readonly ended: Promise<ProcessEnd>; readonly clock: Clock },
): Promise<SandboxResult> {
  const output = collectOutput(child, request);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  feed(child, request.stdin);
  try {
    const end = await ended;
    await withinGrace(clock, closed);
    return { ...end, ...output.result() };
  } finally {
    for (const stream of [child.stdout, child.stderr, child.stdin]) stream?.destroy();
  }
}

/**
 * Waits for the end of a pipe, but not longer than a survivor may hold it; then a turn of the loop in which pipes are
 * read: this process may have been busy all the time.
 */
export function withinGrace(clock: Clock, closed: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(pipeGraceMs, () => setImmediate(() => setImmediate(resolve)));
    void closed.then(() => {
      cancel();
      resolve();
    });
  });
}

function feed(child: ChildProcess, stdin: Uint8Array | undefined): void {
  if (child.stdin === null) return;
  // A command may end, or close its input, without having read it all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
}
type OutputPart = Pick<SandboxResult, 'output' | 'outputBytes' | 'stdout' | 'stderr' | 'truncated'>;

function collectOutput(child: ChildProcess, request: SandboxRequest): { result(): OutputPart } {
  const limit = request.limits?.outputBytes ?? defaultLimits.outputBytes;
  const both = new OutputBuffer(limit);
  const separate = request.separateStreams === true;
  const stdout = new HeadBuffer(separate ? limit : 0);
  const stderr = new OutputBuffer(separate ? limit : 0);
  listen(child.stdout, request, [both, stdout]);
  listen(child.stderr, request, [both, stderr]);
  return {
    result: () => ({
      output: both.text(),
      outputBytes: both.totalBytes,
      truncated: separate ? stdout.truncated || stderr.truncated : both.truncated,
      ...(separate ? { stdout: stdout.bytes(), stderr: stderr.text() } : {}),
    }),
  };
}

function listen(
  stream: Readable | null,
  request: SandboxRequest,
  buffers: readonly { add(chunk: Buffer): void }[],
): void {
  const decoder = new StringDecoder('utf8');
  stream?.on('data', (chunk: Buffer) => {
    for (const buffer of buffers) buffer.add(chunk);
    const text = request.onOutput === undefined ? '' : decoder.write(chunk);
    if (text !== '') request.onOutput?.(text);
  });
}
