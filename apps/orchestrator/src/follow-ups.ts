import { parsePlan, type AddedOptions } from '@switchyard/plan';
import type { ExecutorSpec } from '@switchyard/protocol';
import type { Owed, RunInput, RunState } from '@switchyard/scheduler';

const problemsShown = 5;

/**
 * Reads the follow-ups that a task hands in as tasks of its run: in the form of a plan file, and with its checks. What
 * they leave out of executor, review and reads is that of the task.
 */
export function followUpsOf(
  { plan, tasks: states }: RunState,
  { taskId, fence, followUps }: Owed & { readonly kind: 'follow-ups' },
  {
    at,
    names = {},
  }: { readonly at: number; readonly names?: Pick<AddedOptions, 'agents' | 'mcpServers'> | undefined },
): RunInput {
  const from = states.get(taskId)?.task;
  const defaults = from && {
    executor: executorOf(from.executor),
    reads: from.reads,
    review: reviewOf(from.review),
    requires: from.requires,
    timeoutMinutes: from.timeoutMs / 60_000,
  };
  const tasks = followUps.flatMap((one) => jsonOf(one) ?? []);
  const text = JSON.stringify({ version: 1, defaults, tasks });
  const { plan: read, problems } = parsePlan(text, { ...names, file: 'follow-ups', addTo: plan });
  const asked = { at, kind: 'follow-ups', taskId, fence } as const;
  if (read !== undefined) {
    // They come after the task that found them.
    const added = read.tasks.map((task) => ({
      ...task,
      dependsOn: [...new Set([taskId, ...task.dependsOn])],
    }));
    return { ...asked, tasks: added };
  }
  const errors = problems.filter(({ severity }) => severity === 'error');
  const shown = errors.slice(0, problemsShown).map(({ message, fix }) => `${message}; ${fix}`);
  const more = errors.length > shown.length ? ` (and ${errors.length - shown.length} more)` : '';
  return { ...asked, tasks: [], problem: `${shown.join('. ')}${more}` };
}

/** A worker's word is not taken for what is JSON; what is none is no task. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // which the plan's schema refuses, with its own words
  }
}

function executorOf(executor: ExecutorSpec): ExecutorSpec | undefined {
  return executor.kind === 'command' && executor.run.length === 0 ? undefined : executor;
}

function reviewOf({
  mode,
  specializations,
  rounds,
  timeoutMs,
  onTimeout,
  quorum,
}: RunState['plan']['tasks'][number]['review']) {
  return {
    mode,
    specializations,
    rounds,
    timeoutMinutes: timeoutMs / 60_000,
    onTimeout,
    ...(quorum === undefined ? {} : { quorum }),
  };
}
