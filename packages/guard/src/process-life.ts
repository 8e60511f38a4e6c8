/**
 * One process from spawn to end, the same for every tier. It ends by itself, by the wall clock, by its signal, by
 * somebody's `kill`, by its limit of processes or when it fills the disk; then its tree is killed. The end never waits
 * for a pipe that a survivor holds.
 */
import type { ChildProcess } from 'node:child_process';
import { AppError } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import { watchDisks } from './disk-watch.ts';
import type { ProcessEnd, ProcessRequest, SandboxEnd } from './sandbox-request.ts';

/** How long a killed process may take to end before nobody waits for it any more. */
const killGraceMs = 2000;

export interface Supervised {
  readonly child: ChildProcess;
  readonly request: ProcessRequest;
  readonly clock: Clock;
  /** Kills the whole tree; called at every end, also a peaceful one. */
  readonly killTree: () => void;
  /** Starts whatever may end the process early; its end stops it. */
  readonly watch?: (kill: (reason: string) => void) => () => void;
}

export interface ProcessLife {
  kill(reason: string): void;
  /** Rejects with E_SPAWN when it could not start. */
  readonly ended: Promise<ProcessEnd>;
  /** Throws E_DISK_FULL when that is why it was killed; to be asked when nothing of it lives any more. */
  throwIfDiskFull(): void;
}

/** Watches over a process that was just spawned. */
export function superviseProcess(supervised: Supervised): ProcessLife {
  const { child, request, clock } = supervised;
  const startedAt = clock.monotonic();
  const cancels: (() => void)[] = [];
  let end: { ended: SandboxEnd; reason?: string } = { ended: 'exited' };
  const cancelAll = (): void => {
    for (const cancel of cancels.splice(0)) cancel();
  };
  let settle = (): void => undefined;
  const kill = (ended: SandboxEnd, reason: string): void => {
    if (end.ended !== 'exited' || hasEnded(child)) return;
    end = { ended, reason };
    supervised.killTree();
    cancels.push(clock.after(killGraceMs, () => settle()));
  };
  const ended = new Promise<ProcessEnd>((resolve, reject) => {
    settle = () => {
      cancelAll();
      supervised.killTree();
      const durationMs = Math.round(clock.monotonic() - startedAt);
      resolve({ exitCode: exitCodeOf(child, end.ended), ...end, durationMs });
    };
    child.once('exit', () => settle());
    child.once('error', (cause) => {
      cancelAll();
      const text = `${request.argv[0]} could not be started: ${cause.message}`;
      reject(new AppError('E_SPAWN', text, { cause }));
    });
  });
  cancels.push(
    clock.after(request.timeoutMs, () => kill('timed-out', `it ran longer than ${request.timeoutMs} ms`)),
  );
  if (supervised.watch !== undefined) cancels.push(supervised.watch((reason) => kill('killed', reason)));
  let diskFull: AppError | undefined;
  const full = (error: AppError): void => {
    diskFull = error;
    kill('killed', error.message);
  };
  cancels.push(watchDisks({ mounts: request.mounts, clock, full }));
  const onAbort = (): void => kill('killed', 'it was cancelled');
  request.signal?.addEventListener('abort', onAbort, { once: true });
  cancels.push(() => request.signal?.removeEventListener('abort', onAbort));
  if (request.signal?.aborted === true) onAbort();
  const throwIfDiskFull = (): void => {
    if (diskFull !== undefined) throw diskFull;
  };
  return { kill: (reason) => kill('killed', reason), ended, throwIfDiskFull };
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
