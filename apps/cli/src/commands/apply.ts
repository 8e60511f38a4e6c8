import type { Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { meantRun, withSession } from '../session.ts';
import { oneLine } from '../show-text.ts';

/** `apply RUN`: the only command that changes the user's checkout. */
export function addApply(program: Command, context: CommandContext): void {
  program
    .command('apply <run>')
    .description('merge what a run has integrated onto the branch you are on')
    .action(async (name: string, _options, command: Command) => {
      const options = commonOptions(command);
      const open = { context, options, mode: { kind: 'look' } } as const;
      const applied = await withSession(open, async ({ client }) => {
        const run = await meantRun(client, name);
        const { report } = await client.report(run);
        return { ...(await client.apply(run)), isVerified: report.plan.verify.run.length > 0 };
      });
      context.terminal.out(`${appliedLines(applied).join('\n')}\n`);
    });
}

interface Applied {
  readonly commit: string;
  readonly files: readonly string[];
  readonly fastForward: boolean;
  readonly isVerified: boolean;
}

const filesShown = 20;

/** What has changed in the checkout, and how it got there. */
export function appliedLines({ commit, files, fastForward, isVerified }: Applied): string[] {
  if (files.length === 0)
    return [`nothing to do: the run changes nothing of your branch, which stays at ${commit.slice(0, 10)}`];
  const count = `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  const again = isVerified ? ' and verified again' : '';
  const how = fastForward ? 'fast-forward' : `merged with what your branch got meanwhile${again}`;
  const more = files.length > filesShown ? [`  … and ${files.length - filesShown} more`] : [];
  return [
    ...files.slice(0, filesShown).map((file) => `  ${oneLine(file)}`),
    ...more,
    `applied: ${count}, your branch is at ${commit.slice(0, 10)} (${how})`,
  ];
}
