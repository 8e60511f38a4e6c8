import type { RunReport, RunView } from '@switchyard/protocol';
import type { CommandContext, CommonOptions } from './context.ts';
import { readRun, readRunTasks, unpublishedRuns, unservedRepository } from './offline.ts';
import { meantRun, withSession } from './session.ts';

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
  const unserved = await unservedRepository(context, options);
  if (unserved !== undefined) {
    const view = await readRun(unserved, name);
    const isUnpublished = (await unpublishedRuns(unserved, [view])).has(view.run);
    return { view, isServed: false, isUnpublished };
  }
  const view = await withSession({ context, options, mode: { kind: 'never' } }, async ({ client }) =>
    client.run(await meantRun(client, name)),
  );
  return { view, isServed: true, isUnpublished: false };
}

/** The same, with what was tried with each task. */
export async function lookAtTasks(
  name: string,
  context: CommandContext,
  options: CommonOptions,
): Promise<Pick<RunReport, 'view' | 'tasks'>> {
  const unserved = await unservedRepository(context, options);
  if (unserved !== undefined) return readRunTasks(unserved, name);
  return withSession({ context, options, mode: { kind: 'never' } }, async ({ client }) => {
    const { report } = await client.report(await meantRun(client, name));
    return report;
  });
}
