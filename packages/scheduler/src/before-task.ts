import type { TaskId } from '@switchyard/protocol';
import type { RunState, TaskState } from './state.ts';

/** Of all that a task builds on, so that an assignment stays a message and a long chain costs each task no more. */
const tasksMax = 100;

/**
 * What a task builds on: what it depends on, and behind reviews, verifications and gates what those judge, as far back
 * as the nearest work. Of the nearest 100 of them those that `counts` takes, in the order of the plan.
 */
export function tasksBefore(
  { tasks, index }: Pick<RunState, 'tasks' | 'index'>,
  id: TaskId,
  counts: (task: TaskState) => boolean,
): TaskState[] {
  const found = new Set<TaskId>();
  const counting: TaskState[] = [];
  const look = [...(tasks.get(id)?.task.dependsOn ?? [])];
  for (const at of look) {
    const task = tasks.get(at);
    if (task === undefined || found.has(at)) continue;
    found.add(at);
    if (counts(task)) counting.push(task);
    if (found.size === tasksMax) break;
    if (task.task.kind !== 'implement') look.push(...task.task.dependsOn);
  }
  const place = (task: TaskState): number => index.order.get(task.task.id) ?? 0;
  return counting.sort((a, b) => place(a) - place(b));
}
