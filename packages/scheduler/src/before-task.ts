import type { TaskId } from '@switchyard/protocol';
import type { RunState, TaskState } from './state.ts';

/** Of all that a task builds on, so that an assignment stays a message. */
const tasksMax = 100;
/** Of those that judge one behind the other, so that a long chain costs each of its tasks no more than a short one. */
const chainMax = 20;

/**
 * What a task builds on: what it depends on, and behind reviews, verifications and gates what those judge, as far back
 * as the nearest work. Of the nearest 100 of them, 20 in a chain, those that `counts` takes, in the order of the plan.
 */
export function tasksBefore(
  { tasks, index }: Pick<RunState, 'tasks' | 'index'>,
  id: TaskId,
  counts: (task: TaskState) => boolean,
): TaskState[] {
  const counting: TaskState[] = [];
  let left = tasksMax;
  const look = (at: TaskId): readonly TaskId[] => {
    const task = tasks.get(at);
    if (task === undefined) return [];
    left -= 1;
    if (counts(task)) counting.push(task);
    return task.task.kind === 'implement' ? [] : task.task.dependsOn;
  };
  let behind: readonly TaskId[] = tasks.get(id)?.task.dependsOn ?? [];
  // A chain comes by no task twice: mostly there is no need to remember which were looked at.
  for (let [only] = behind; only !== undefined && behind.length === 1; [only] = behind)
    behind = tasksMax - left < chainMax ? look(only) : [];
  const found = new Set(behind);
  for (const at of found) {
    if (left === 0) break;
    for (const next of look(at)) found.add(next);
  }
  const place = (task: TaskState): number => index.order.get(task.task.id) ?? 0;
  return counting.sort((a, b) => place(a) - place(b));
}
