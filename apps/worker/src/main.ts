import { errorTable, exitCodes, isAppError, messageOf } from '@switchyard/protocol';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

/** Parses the configuration, composes the daemon, and stays until a signal, a request or a failure ends it. */
async function main(): Promise<number> {
  const running = await compose(readConfig());
  running.shutdown.onSignals();
  // Timers and sockets of the daemon may not keep the process alive while the orchestrator is away.
  const alive = setInterval(() => undefined, 60_000);
  const error = await running.ended;
  clearInterval(alive);
  await running.shutdown.run(error === undefined ? 'asked to stop' : 'failed');
  return error === undefined ? exitCodes.ok.code : report(error);
}

function report(error: unknown): number {
  const code = isAppError(error) ? error.code : 'E_INTERNAL';
  process.stderr.write(`error ${code}: ${messageOf(error)}\n`);
  if (!isAppError(error) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return exitCodes[errorTable[code].exit].code;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(report(error)),
);
