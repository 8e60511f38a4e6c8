import type { Command } from 'commander';
import { commonOptions, type CommandContext } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { ProgressKeeper } from '../progress-keeper.ts';
import { meantRun, withSession, type Session } from '../session.ts';

/** `progress RUN FILE`: keeps what a run has come to in a document of yours. */
export function addProgress(program: Command, context: CommandContext): void {
  program
    .command('progress <run> <file>')
    .description('bring a progress document up to date; what you write or change in it stays')
    .option('--follow', 'keep it up to date until the run has ended')
    .action(
      async (name: string, file: string, { follow = false }: { follow?: boolean }, command: Command) => {
        const open = {
          context,
          options: commonOptions(command),
          mode: { kind: follow ? 'never' : 'look' },
        } as const;
        await withSession(open, async (session) => {
          const run = await meantRun(session.client, name);
          const keeper = new ProgressKeeper({ session, run, file, context, isTold: true });
          if (follow) await followRunBy(keeper, session, run);
          else await keeper.update();
        });
      },
    );
}

async function followRunBy(keeper: ProgressKeeper, session: Session, run: string): Promise<void> {
  const handle = session.client.watch(run);
  const interrupt = new Interrupt(() => undefined);
  try {
    await keeper.follow(handle, Promise.race([handle.finished, interrupt.happened, session.gone]));
  } finally {
    handle.close();
    interrupt.close();
  }
}
