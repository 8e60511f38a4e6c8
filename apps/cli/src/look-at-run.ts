import type { RunReport, RunView } from '@switchyard/protocol';
import { askOrRead } from './ask-or-read.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { readRun, readRunTasks, unpublishedHere, unpublishedRuns } from './offline.ts';
import { meantRun } from './session.ts';

interface LookedAt {
  readonly view: RunView;
  /** An orchestrator runs that carries it on. */
  readonly isServed: boolean;
  /** It has ended, and its result waits for the next orchestrator to come into the repository: why, if that is known. */
  readonly unpublished?: string | undefined;
}

/** A run as it stands, asked of the orchestrator that runs, or read from the journal. */
export async function lookAtRun(
  name: string,
  context: CommandContext,
  options: CommonOptions,
): Promise<LookedAt> {
  return askOrRead<LookedAt>(context, options, {
    ask: async ({ client }) => {
      const view = await client.run(await meantRun(client, name));
      return {
        view,
        isServed: true,
        unpublished: (await unpublishedHere(context, options, [view])).get(view.run),
      };
    },
    read: async (repository) => {
      const view = await readRun(repository, name);
      const unpublished = (await unpublishedRuns(repository, [view])).get(view.run);
      return { view, isServed: false, unpublished };
    },
  });
}

/** The same, with what was tried with each task. */
export async function lookAtTasks(
  name: string,
  context: CommandContext,
  options: CommonOptions,
): Promise<Pick<RunReport, 'view' | 'tasks'>> {
  return askOrRead<Pick<RunReport, 'view' | 'tasks'>>(context, options, {
    ask: async ({ client }) => (await client.report(await meantRun(client, name))).report,
    read: (repository) => readRunTasks(repository, name),
  });
}
