/**
 * One command from spawn to answer, the same for every tier. It ends by itself, by the wall clock, by its signal
 * or by its limit of processes; then its tree is killed, and the answer comes even when a survivor holds a pipe.
 * Output is always read, so that a command never blocks on it, and never held beyond its limit.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { AppError } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import { HeadBuffer, OutputBuffer } from './output-buffer.ts';
import {
  defaultLimits,
  type SandboxEnd,
  type SandboxRequest,
  type SandboxResult,
} from './sandbox-request.ts';

/** How long pipes may stay open after the command has ended, and a killed command may take to end. */
const pipeGraceMs = 500;
const killGraceMs = 2000;

export interface Supervised {
  readonly child: ChildProcess;
  readonly request: SandboxRequest;
  readonly clock: Clock;
  /** Kills the whole tree; called at every end, also a peaceful one. */
  readonly killTree: () => void;
  /** Starts whatever may end the command early; the answer stops it. */
  readonly watch?: (kill: (reason: string) => void) => () => void;
}

/** Resolves when the command has ended; rejects with E_SPAWN when it could not start. */
export function supervise(supervised: Supervised): Promise<SandboxResult> {
  const { child, request, clock } = supervised;
  const startedAt = clock.monotonic();
  const output = collectOutput(child, request);
  feed(child, request.stdin);
  return new Promise((resolve, reject) => {
    let end: { ended: SandboxEnd; reason?: string } = { ended: 'exited' };
    const cancels: (() => void)[] = [];
    let isSettled = false;
    const settle = (): void => {
      if (isSettled) return;
      isSettled = true;
      for (const cancel of cancels.splice(0)) cancel();
      if (!hasEnded(child)) supervised.killTree();
      for (const stream of [child.stdout, child.stderr, child.stdin]) stream?.destroy();
      const durationMs = Math.round(clock.monotonic() - startedAt);
      resolve({ exitCode: exitCodeOf(child, end.ended), ...end, ...output.result(), durationMs });
    };
    const kill = (ended: SandboxEnd, reason: string): void => {
      if (end.ended !== 'exited' || hasEnded(child)) return;
      end = { ended, reason };
      supervised.killTree();
      cancels.push(clock.after(killGraceMs, settle));
    };
    const onAbort = (): void => kill('killed', 'it was cancelled');
    cancels.push(
      clock.after(request.timeoutMs, () => kill('timed-out', `it ran longer than ${request.timeoutMs} ms`)),
    );
    if (supervised.watch !== undefined) cancels.push(supervised.watch((reason) => kill('killed', reason)));
    request.signal?.addEventListener('abort', onAbort, { once: true });
    cancels.push(() => request.signal?.removeEventListener('abort', onAbort));
    child.once('error', (error) => {
      for (const cancel of cancels.splice(0)) cancel();
      reject(
        new AppError('E_SPAWN', `${request.argv[0]} could not be started: ${error.message}`, {
          cause: error,
        }),
      );
    });
    child.once('exit', () => {
      supervised.killTree();
      cancels.push(clock.after(pipeGraceMs, () => afterReading(settle)));
    });
    child.once('close', settle);
    if (request.signal?.aborted === true) onAbort();
  });
}

/** After a turn of the loop in which pipes are read: this process may have been busy all the time. */
function afterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function exitCodeOf(child: ChildProcess, ended: SandboxEnd): number {
  switch (ended) {
    case 'timed-out':
      return 124;
    case 'killed':
      return 137;
    case 'exited':
      return child.exitCode ?? 128 + (signalNumbers[child.signalCode ?? 'SIGKILL'] ?? 9);
  }
}

const signalNumbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGSYS: 31,
};

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
