import { errorTable, exitCodes, messageOf } from '@switchyard/protocol';
import { operatingError, type Shutdown } from '@switchyard/runtime';

/** A daemon that has been composed and started. */
export interface RunningDaemon {
  readonly shutdown: Shutdown;
  /** Resolves when it ends by itself: with the error that ended it, or undefined when it was asked to stop. */
  readonly ended: Promise<unknown>;
}

/** The life of a daemon's process: starts it, stays until a signal, a request or a failure, shuts down, exits. */
export function runDaemon(start: () => Promise<RunningDaemon>): void {
  live(start).then(
    (code) => process.exit(code),
    (error: unknown) => process.exit(report(error)),
  );
}

async function live(start: () => Promise<RunningDaemon>): Promise<number> {
  const running = await start();
  running.shutdown.onSignals();
  // Timers and sockets of the daemon may not keep the process alive while the orchestrator is away.
  const alive = setInterval(() => undefined, 60_000);
  const error = await running.ended;
  clearInterval(alive);
  await running.shutdown.run(error === undefined ? 'asked to stop' : 'failed');
  return error === undefined ? exitCodes.ok.code : report(error);
}

function report(thrown: unknown): number {
  const error = operatingError(thrown);
  const code = error?.code ?? 'E_INTERNAL';
  process.stderr.write(`error ${code}: ${messageOf(error ?? thrown)}\n`);
  if (error === undefined && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`);
  return exitCodes[errorTable[code].exit].code;
}
