import type { Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { meantRun, withSession } from '../session.ts';

/** `apply RUN`: the only command that changes the user's checkout. */
export function addApply(program: Command, context: CommandContext): void {
  program
    .command('apply <run>')
    .description('merge what a run has integrated onto the branch you are on')
    .action(async (name: string, _options, command: Command) => {
      const options = commonOptions(command);
      const applied = await withSession({ context, options, mode: { kind: 'look' } }, async ({ client }) =>
        client.apply(await meantRun(client, name)),
      );
      const { files, commit, fastForward } = applied;
      const how = fastForward
        ? 'your branch had not moved'
        : 'your branch had moved, so the merge was verified again';
      context.terminal.out(
        `${files.map((file) => `  ${file}\n`).join('')}applied ${commit.slice(0, 12)}: ${files.length} ${files.length === 1 ? 'file' : 'files'}; ${how}\n`,
      );
    });
}
