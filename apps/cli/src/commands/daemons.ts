import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { daemonNames, type DaemonName } from '../daemon-process.ts';

const words: Readonly<Record<DaemonName, string>> = {
  orchestrator: 'start the orchestrator of this repository, in this process',
  worker: 'start a worker, here or for an orchestrator elsewhere (--hub)',
  reviewer: 'start a reviewer, here or for an orchestrator elsewhere (--hub)',
};

/** The daemons. `main` hands over to them before the command line is parsed: here they only have their help. */
export function addDaemons(program: Command, context: CommandContext): void {
  for (const name of daemonNames) {
    program
      .command(`${name} [flags...]`)
      .description(words[name])
      .allowUnknownOption()
      .addHelpText(
        'after',
        `\nFlags are those of the daemon's configuration; \`switchyard ${name} --what\` lists them.`,
      )
      .action(() => context.terminal.err(`start it as the first word: switchyard ${name} …\n`));
  }
}
