import { readEnvironment } from '@switchyard/access';
import { errorTable, exitCodes, isAppError, messageOf } from '@switchyard/protocol';
import { asksForHelp, flagsHelp } from '@switchyard/runtime';
import { configSchema, readConfig } from './config.ts';
import { live } from './life.ts';

/** Standard output belongs to the protocol: everything else goes here. */
const say = (text: string): void => void process.stderr.write(`switchyard mcp: ${text}\n`);

function report(error: unknown): number {
  const code = isAppError(error) ? error.code : 'E_INTERNAL';
  process.stderr.write(`error ${code}: ${messageOf(error)}\n`);
  if (!isAppError(error) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return exitCodes[errorTable[code].exit].code;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await live(readConfig(argv, readEnvironment(), process.cwd()), say);
    return exitCodes.ok.code;
  } catch (error) {
    return report(error);
  }
}

if (asksForHelp(process.argv.slice(2)))
  process.stdout.write(flagsHelp('switchyard mcp [flags]', configSchema));
else process.exit(await main(process.argv.slice(2)));
