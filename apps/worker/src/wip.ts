import type { CommitId, TaskAssignment } from '@switchyard/protocol';
import type { AttemptClone, Snapshot } from '@switchyard/repo';
import { uploadRef } from './attempt-names.ts';
import type { AttemptPorts } from './ports.ts';
import { withRetries } from './with-retries.ts';
import type { Logger } from '@switchyard/runtime';

/** How long an attempt waits for an orchestrator that is away, at each step that needs it. */
export const orchestratorAwayMs = 10 * 60_000;

export interface WipContext {
  readonly assignment: TaskAssignment;
  readonly ports: Pick<AttemptPorts, 'clock' | 'random'>;
  readonly logger: Logger;
  /** The worker is about to end: what is tried is tried once. */
  readonly leaving: AbortSignal;
}

/** The work of an attempt as it stands; nothing where its workspace is as the base, or the task changes none. */
export async function snapshotOf(
  clone: AttemptClone,
  exclude: readonly string[],
  { assignment, ports, logger }: WipContext,
): Promise<Snapshot | undefined> {
  if (assignment.kind !== 'implement') return undefined;
  const { base, workspace, reads, run, taskId, attempt } = assignment;
  const task = taskId.replaceAll('\n', ' ');
  const taken = await clone.snapshot({
    base,
    workspace,
    exclude,
    workspaceOnly: reads !== 'all',
    message: `Work in progress: ${task}\n\nSwitchyard-Task: ${task}\nSwitchyard-Run: ${run}\nSwitchyard-Attempt: ${attempt}\n`,
    at: ports.clock.now(),
  });
  if (taken !== undefined && taken.outside.length > 0)
    logger.info({ paths: taken.outside.slice(0, 20), count: taken.outside.length }, 'not work in progress');
  return taken;
}

/** Hands work in progress to the orchestrator, which may be restarting. Rejects as `AttemptClone.push` does. */
export async function handOver(
  push: (ref: string, commit: CommitId) => Promise<void>,
  commit: CommitId,
  { assignment, ports, logger, leaving }: WipContext,
): Promise<void> {
  const ref = uploadRef(assignment, commit);
  if (leaving.aborted) return push(ref, commit);
  const { clock, random } = ports;
  const options = { clock, random, logger, signal: leaving, limitMs: orchestratorAwayMs };
  await withRetries('handing work in progress over', options, () => push(ref, commit));
}
