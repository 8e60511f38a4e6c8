import { errorTable, exitCodes, isAppError, messageOf } from '@switchyard/protocol';
import { asksForHelp, flagsHelp, loadConfig, readFlags } from '@switchyard/runtime';
import { compose } from './compose.ts';
import { configSchema } from './config.ts';

/** Parses the configuration, composes the daemon, and stays until a signal, a request or a failure ends it. */
async function main(): Promise<number> {
  const config = loadConfig(configSchema, {
    flags: readFlags(process.argv.slice(2), configSchema),
    // SWITCHYARD_STATE names the root of all state folders, not the one of this repository.
    env: { ...process.env, SWITCHYARD_STATE: undefined },
    file: process.env['SWITCHYARD_CONFIG'],
  });
  const running = await compose(config, process.env);
  running.shutdown.onSignals();
  const error = await running.over;
  await running.shutdown.run(error === undefined ? 'asked to stop' : 'failed');
  return error === undefined ? exitCodes.ok.code : report(error);
}

function report(error: unknown): number {
  const code = isAppError(error) ? error.code : 'E_INTERNAL';
  process.stderr.write(`error ${code}: ${messageOf(error)}\n`);
  if (!isAppError(error) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return exitCodes[errorTable[code].exit].code;
}

if (asksForHelp(process.argv.slice(2)))
  process.stdout.write(flagsHelp('switchyard orchestrator [flags]', configSchema));
else
  main().then(
    (code) => process.exit(code),
    (error: unknown) => process.exit(report(error)),
  );
