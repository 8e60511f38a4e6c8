import type { RunReport, RunView } from '@switchyard/protocol';
import { askOrRead } from './ask-or-read.ts';
import type { CommandContext, CommonOptions } from './context.ts';
import { readRun, readRunTasks, unpublishedRuns } from './offline.ts';
import { meantRun } from './session.ts';

interface LookedAt {
  readonly view: RunView;
  /** An orchestrator runs that carries it on. */
  readonly isServed: boolean;
  /** It has ended, and its result waits for the next orchestrator to come into the repository. */
  readonly isUnpublished: boolean;
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
      return { view, isServed: true, isUnpublished: false };
    },
    read: async (repository) => {
      const view = await readRun(repository, name);
      const isUnpublished = (await unpublishedRuns(repository, [view])).has(view.run);
      return { view, isServed: false, isUnpublished };
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
