/**
 * One scan process as its parent sees it: jobs go in and answers come out as lines of JSON. What it reads was written
 * by strangers, so nothing that it says is trusted: an answer is checked, and one without end ends the process.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Readable, Writable } from 'node:stream';
import { AppError, messageOf } from '@switchyard/protocol';
import { ownProcess } from '@switchyard/runtime';
import { analyzerLimits } from './analyzer-limits.ts';
import { scanAnswer, type ScanAnswer, type ScanJob } from './scan-protocol.ts';

/** What came of one job: the process's own answer, or that the file took too long or broke the process. */
export type ScanOutcome = ScanAnswer | Broken;

type Broken = { readonly kind: 'timed-out' } | { readonly kind: 'crashed'; readonly exit: string };

/** A scan process that runs. */
export interface ScanStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  kill(reason: string): void;
  readonly ended: Promise<{ readonly exitCode: number; readonly reason?: string }>;
}

/** What has to be started, and what it reads of this machine: our own program and nothing of the tree. */
export interface ScanProgram {
  readonly argv: readonly string[];
  readonly readPaths: readonly string[];
}

/** Starts the scan process, held by whatever the caller has. Throws AppError when it cannot be held. */
export type StartScan = (program: ScanProgram) => Promise<ScanStreams>;

const wordsMax = 500;

type Heard = { readonly kind: 'line'; readonly line: string } | Broken;

export class ScanChild {
  private readonly streams: ScanStreams;
  /** Whole lines that nobody has heard, the pieces of the one that has not ended, and the length of both. */
  private readonly lines: string[] = [];
  private pieces: string[] = [];
  private held = 0;
  /** What it says beside its answers, to explain a start that failed. */
  private words = '';
  private end: Broken | undefined;
  private listener: ((heard: Heard) => void) | undefined;

  private constructor(streams: ScanStreams) {
    this.streams = streams;
    streams.stdout.setEncoding('utf8').on('data', (chunk: string) => this.take(chunk));
    // Whoever scans hears of it by the answers that do not come.
    streams.stdout.on('error', () => undefined);
    streams.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (this.words.length < wordsMax) this.words += chunk;
    });
    streams.stderr.on('error', () => undefined);
    streams.ended.then(
      ({ exitCode, reason }) => this.finish(reason ?? `code ${exitCode}`),
      (error: unknown) => this.finish(messageOf(error)),
    );
  }

  /** Starts one and waits until it takes jobs. Throws AppError E_SANDBOX when it does not come that far. */
  static async start(start: StartScan, signal: AbortSignal): Promise<ScanChild> {
    const child = new ScanChild(await start(scanProgram()));
    const first = await child.hear({ signal, timeMs: analyzerLimits.scanStartMs });
    if (first.kind === 'line' && first.line === 'ready') return child;
    child.kill('it did not start');
    signal.throwIfAborted();
    const how = first.kind === 'crashed' ? first.exit : 'it says nothing';
    const words = child.words.trim().slice(0, wordsMax);
    throw new AppError(
      'E_SANDBOX',
      `The process that looks at files does not start: ${how}${words === '' ? '' : `: ${words}`}`,
    );
  }

  get isAlive(): boolean {
    return this.end === undefined;
  }

  /** Sends one job and waits for its answer, its time, the process's end or the signal, whichever comes first. */
  async ask(
    job: ScanJob,
    limits: { readonly signal: AbortSignal; readonly timeMs: number },
  ): Promise<ScanOutcome> {
    this.streams.stdin.write(`${JSON.stringify(job)}\n`);
    const heard = await this.hear(limits);
    if (heard.kind !== 'line') return heard;
    const answer = readAnswer(heard.line);
    return answer?.id === job.id ? answer : { kind: 'crashed', exit: 'its answer cannot be read' };
  }

  kill(reason: string): void {
    this.streams.kill(reason);
    this.finish(reason);
  }

  /** Looks at each piece once: a long line would else be searched again with every piece of it. */
  private take(chunk: string): void {
    this.held += chunk.length;
    if (this.held > analyzerLimits.scanAnswerChars) {
      this.kill('it answered without end');
      return;
    }
    const [first = '', ...others] = chunk.split('\n');
    this.pieces.push(first);
    for (const piece of others) {
      this.lines.push(this.pieces.join(''));
      this.pieces = [piece];
    }
    this.deliver();
  }

  private deliver(): void {
    if (this.listener === undefined) return;
    const line = this.lines.shift();
    if (line === undefined) return;
    this.held -= line.length + 1;
    this.listener({ kind: 'line', line });
  }

  private finish(exit: string): void {
    this.end ??= { kind: 'crashed', exit };
    this.listener?.(this.end);
  }

  private hear(limits: { readonly signal: AbortSignal; readonly timeMs: number }): Promise<Heard> {
    const { signal, timeMs } = limits;
    return new Promise((resolve) => {
      const settle = (heard: Heard): void => {
        clearTimeout(timer);
        this.listener = undefined;
        signal.removeEventListener('abort', onAbort);
        resolve(heard);
      };
      const onAbort = (): void => settle({ kind: 'timed-out' });
      const timer = setTimeout(onAbort, timeMs);
      this.listener = settle;
      signal.addEventListener('abort', onAbort, { once: true });
      if (this.end !== undefined) settle(this.end);
      else this.deliver();
    });
  }
}

function readAnswer(line: string): ScanAnswer | undefined {
  try {
    return scanAnswer.parse(JSON.parse(line));
  } catch {
    return undefined; // not one of ours: the caller says so
  }
}

/** Our own module as a program: its Node, its flags, and the folders that hold it and what it imports. */
function scanProgram(): ScanProgram {
  const source = new URL('./scan-process.ts', import.meta.url);
  const { execArgv, entry } = ownProcess(source);
  const home = homeOf(fileURLToPath(source));
  const compiled = homeOf(entry);
  const modules = createRequire(source).resolve.paths('zod') ?? [];
  const places = [
    ...['packages', 'package.json', 'tsconfig.base.json'].map((name) => join(home, name)),
    ...(compiled === home ? [] : [compiled]),
    ...modules.filter((path) => path.endsWith('node_modules')),
  ];
  return {
    argv: [process.execPath, '--max-old-space-size=512', ...execArgv, entry],
    readPaths: [...new Set(places)].filter(existsSync),
  };
}

/** The folder above `packages/analyzers/src`, of the sources or of their compiled copy. */
function homeOf(file: string): string {
  return resolve(dirname(file), '../../..');
}
