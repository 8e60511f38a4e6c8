import type { TaskId } from '@switchyard/protocol';
import { isTerminal, type Decision } from './decision.ts';
import { revoke } from './run-end.ts';

/**
 * With `verify.when: end` tasks are built on changes that may be taken back: whatever was begun on this one, or on
 * what was begun on it, begins anew. Elsewhere dependants have not begun, and nothing happens.
 */
export function reopenDependants(decision: Decision, because: TaskId): void {
  const { dependants } = decision.state.index;
  const found = new Set<TaskId>();
  const look: TaskId[] = [...(dependants.get(because) ?? [])];
  for (let id = look.pop(); id !== undefined; id = look.pop()) {
    if (found.has(id) || isTerminal(decision.task(id))) continue;
    found.add(id);
    look.push(...(dependants.get(id) ?? []));
  }
  const reason = `built on ${because}, which was taken back`;
  for (const taskId of found) {
    if (isTerminal(decision.task(taskId)) || decision.task(taskId).phase.kind === 'pending') continue;
    revoke(decision, taskId, reason);
    decision.emit({ kind: 'task-reopened', taskId, because, reason });
  }
}
