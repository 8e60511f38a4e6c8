import { AppError } from '@switchyard/protocol';
import type { Command } from 'commander';
import { hostedNames, type HostedName } from '../daemon-process.ts';

const words: Readonly<Record<HostedName, string>> = {
  orchestrator: 'start the orchestrator of this repository, in this process',
  worker: 'start a worker, here or for an orchestrator elsewhere (--hub)',
  reviewer: 'start a reviewer, here or for an orchestrator elsewhere (--hub)',
  mcp: 'serve agents the Model Context Protocol over standard input and output, or over HTTP (--http)',
};

/** The daemons. `main` hands over to them before the command line is parsed: here they only have their place in the list. */
export function addDaemons(program: Command): void {
  for (const name of hostedNames) {
    program
      .command(`${name} [flags...]`)
      .description(words[name])
      .allowUnknownOption()
      .action(() => {
        throw new AppError(
          'E_USAGE',
          `${name} is the first word: switchyard ${name} …, with its flags behind it`,
        );
      });
  }
}
