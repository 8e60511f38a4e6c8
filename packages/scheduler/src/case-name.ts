import { slugOf, type TaskId } from '@switchyard/protocol';
import type { RunState } from './state.ts';

/**
 * Where the case file of a task is, within the state folder. The place in the plan makes it unique; the name is for
 * people.
 */
export function caseFileOf({ run, index, tasks }: RunState, taskId: TaskId): string {
  const place = (index.order.get(taskId) ?? tasks.size) + 1;
  return `runs/${run}/case-${place}-${slugOf(taskId)}.md`;
}
