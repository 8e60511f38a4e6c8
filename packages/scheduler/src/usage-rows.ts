import { sumUsage, type ExecutorSpec, type ModelUsage, type UsageRow } from '@switchyard/protocol';
import type { AttemptRecord, RunState, TaskState } from './state.ts';

/** What a run's attempts and their reviewers have used of models, a row each and model, in plan order. */
export function usageRowsOf({ tasks }: Pick<RunState, 'tasks'>): UsageRow[] {
  const rows: UsageRow[] = [];
  for (const task of tasks.values())
    if (task.history.some(hasUsage)) for (const row of taskUsageRows(task)) rows.push(row);
  return rows;
}

function hasUsage({ usage, reviewUsage }: AttemptRecord): boolean {
  return usage !== undefined || reviewUsage !== undefined;
}

/** The same of one task. */
export function taskUsageRows({ task, history }: TaskState): UsageRow[] {
  return history.flatMap((record) => {
    const { attempt, fence, usage = [] } = record;
    const row = (agent: string, used: ModelUsage): UsageRow => {
      return { taskId: task.id, attempt, fence, agent, ...used };
    };
    const reviews = groupsOf(reviewUsages(record), (one) => one.specialization);
    return [
      ...usage.map((used) => row(agentName(task.executor), used)),
      ...reviews.flatMap(([specialization, all]) =>
        byModel(all.flatMap((one) => one.usage)).map((used) => row(`review ${specialization}`, used)),
      ),
    ];
  });
}

/** Everything that was paid for an attempt: by it, and for its review. */
export function spentRows(record: AttemptRecord): ModelUsage[] {
  return [...(record.usage ?? []), ...reviewUsages(record).flatMap(({ usage }) => usage)];
}

/** Who did the work, by the plan: an agent's name, or the kind of executor. */
function agentName(executor: ExecutorSpec): string {
  return 'agent' in executor ? executor.agent : executor.kind;
}

function reviewUsages({ reviewUsage = {} }: AttemptRecord) {
  return Object.values(reviewUsage);
}

/** Several sittings may have asked the same model. */
function byModel(rows: readonly ModelUsage[]): ModelUsage[] {
  return groupsOf(rows, ({ provider, model }) => `${provider} ${model}`).flatMap(([, same]) =>
    same.slice(0, 1).map(({ provider, model }) => ({ provider, model, ...sumUsage(same) })),
  );
}

function groupsOf<T>(all: readonly T[], keyOf: (one: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups];
}
