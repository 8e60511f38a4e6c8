import { exitCodes } from '@switchyard/protocol';
import { isHostedName, runHostedHere } from './daemon-process.ts';
import { readEnvironment } from '@switchyard/access';
import { endingOf } from './problem-text.ts';
import { buildProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

/** One command, from the command line to its exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const environment = readEnvironment();
  const terminal = processTerminal(environment);
  let exitCode: number = exitCodes.ok.code;
  try {
    const program = buildProgram({
      terminal,
      environment,
      cwd: process.cwd(),
      end: (code) => (exitCode = code),
    });
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    const ending = endingOf(thrown);
    terminal.err(ending.text);
    return ending.exitCode;
  }
}

const [name = '', ...rest] = process.argv.slice(2);
if (isHostedName(name)) await runHostedHere(name, rest);
else {
  const code = await main(process.argv.slice(2));
  // Sockets that are still closing do not keep a finished command waiting, but what was written must get out.
  process.exitCode = code;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}
