import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { withJournal } from '../offline.ts';
import { findRepository, matchRun } from '@switchyard/access';

/** `replay RUN`: the whole history of a run, from the journal, with or without an orchestrator. */
export function addReplay(program: Command, context: CommandContext): void {
  program
    .command('replay <run>')
    .description('print the whole history of a run, one fact a line, in UTC')
    .option('--json', 'print the facts themselves, one a line, as JSON')
    .action((name: string, options: { json?: boolean }, command: Command) =>
      replay(name, { ...commonOptions(command), ...options }, context),
    );
}

async function replay(
  name: string,
  options: CommonOptions & { json?: boolean },
  context: CommandContext,
): Promise<void> {
  const repository = await findRepository(context, options);
  const { timelineLines, timelineOf } = await import('@switchyard/history');
  await withJournal(repository, (journal) => {
    const run = matchRun(journal?.streams() ?? [], name);
    const facts = journal?.read({ stream: run }) ?? [];
    if (options.json === true) for (const fact of facts) context.terminal.out(`${JSON.stringify(fact)}\n`);
    else for (const line of timelineLines(timelineOf(run, facts))) context.terminal.out(`${line}\n`);
  });
}
