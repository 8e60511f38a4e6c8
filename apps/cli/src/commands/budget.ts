import { InvalidArgumentError, type Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { meantRun, stoppedHint, withSession } from '../session.ts';

/** `budget raise RUN USD`: lets a run spend more, and go on where it was paused for that. */
export function addBudget(program: Command, context: CommandContext): void {
  program
    .command('budget')
    .helpCommand(false)
    .description('money that a run may spend on models')
    .command('raise <run>')
    .description('raise it to so many dollars in all; a run that was paused for it goes on')
    .argument('<usd>', 'dollars in all, not in addition', dollars)
    .option('--per-task', 'the budget of each task (limits.taskBudgetUsd), not the run’s')
    .action((name: string, usd: number, { perTask = false }: { perTask?: boolean }, command: Command) =>
      raise({ name, usd, perTask }, command, context),
    );
}

interface Raise {
  readonly name: string;
  readonly usd: number;
  readonly perTask: boolean;
}

async function raise(
  { name, usd, perTask }: Raise,
  command: Command,
  context: CommandContext,
): Promise<void> {
  const open = { context, options: commonOptions(command), mode: { kind: 'look' } as const };
  const said = await withSession(open, async (session) => {
    const { client } = session;
    const run = await meantRun(client, name);
    await client.raiseBudget(run, usd, perTask);
    return `the budget of ${perTask ? `each task of ${run}` : run} is $${usd} now${stoppedHint(session, run)}`;
  });
  context.terminal.out(`${said}\n`);
}

function dollars(text: string): number {
  const usd = /^\$?(\d+(?:\.\d+)?)$/.exec(text)?.[1];
  if (usd === undefined)
    throw new InvalidArgumentError('It must be an amount of dollars, such as 5 or 2.50.');
  return Number(usd);
}
