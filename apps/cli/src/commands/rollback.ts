import { runId, taskId, type PayloadOf } from '@switchyard/protocol';
import { sleep, systemClock } from '@switchyard/runtime';
import type { SwitchyardClient } from '@switchyard/client';
import type { Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { meantRun, stoppedHint, withSession } from '../session.ts';
import { oneLine } from '../show-text.ts';

interface RollbackFlags {
  readonly task?: string;
  readonly withDependants?: boolean;
  readonly reason: string;
}

/** How long the report of a run that has ended may take to be written anew. */
const reportTries = 50;
const reportPollMs = 100;

/** `rollback RUN [--task ID]`: takes merges back from the run branch; the checkout stays. */
export function addRollback(program: Command, context: CommandContext): void {
  program
    .command('rollback <run>')
    .description('take a task, or all of a run that has ended, off the run branch again')
    .option('--task <id>', 'only what this task brought')
    .option('--with-dependants', 'also what rests on it; tasks that have not ended are skipped')
    .option('--reason <text>', 'a word on it, kept in the report', '')
    .action(async (name: string, flags: RollbackFlags, command: Command) => {
      const open = { context, options: commonOptions(command), mode: { kind: 'look' } } as const;
      const text = await withSession(open, async (session) => {
        const run = runId.parse(await meantRun(session.client, name));
        const { task, withDependants = false, reason } = flags;
        const asked = {
          run,
          withDependants,
          reason,
          ...(task === undefined ? {} : { taskId: taskId.parse(task) }),
        };
        const done = await session.client.rollback(asked);
        const isOver = await reported(session.client, run);
        return `${rolledBackLines(done).join('\n')}${isOver ? '' : stoppedHint(session, run)}\n`;
      });
      context.terminal.out(text);
    });
}

/** Waits for the new report of a run that has ended; the answer is whether it has. */
async function reported(client: SwitchyardClient, run: string): Promise<boolean> {
  if ((await client.run(run)).finishedAt === undefined) return false;
  for (let tries = 0; tries < reportTries; tries += 1) {
    if ((await client.report(run)).files !== undefined) break;
    await sleep(systemClock, reportPollMs);
  }
  return true;
}

function rolledBackLines({ commit, tasks }: PayloadOf<'run-rolled-back'>): string[] {
  const count = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}`;
  return [
    ...tasks.map((task) => `  ${oneLine(task)}`),
    `rolled back: ${count}; the run branch is at ${commit.slice(0, 10)}`,
  ];
}
