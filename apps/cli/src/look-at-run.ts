import type { RunReport, RunView } from '@switchyard/protocol';
import type { CommandContext, CommonOptions } from './context.ts';
import { readRun, readRunTasks, unservedRepository } from './offline.ts';
import { meantRun, withSession } from './session.ts';

/** A run as it stands, asked of the orchestrator that runs, or read from the journal. */
export async function lookAtRun(
  name: string,
  context: CommandContext,
  options: CommonOptions,
): Promise<{ readonly view: RunView; readonly isServed: boolean }> {
  const unserved = await unservedRepository(context, options);
  if (unserved !== undefined) return { view: await readRun(unserved, name), isServed: false };
  const view = await withSession({ context, options, mode: { kind: 'never' } }, async ({ client }) =>
    client.run(await meantRun(client, name)),
  );
  return { view, isServed: true };
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
