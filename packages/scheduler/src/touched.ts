import type { TaskId } from '@switchyard/protocol';
import type { RunFact } from './fact.ts';
import type { RunState } from './state.ts';

/**
 * The tasks whose state a fact may have changed, for those who keep copies; `state`: after the fact. May name too many,
 * never too few.
 */
export function touchedBy(state: RunState, fact: RunFact): Iterable<TaskId> {
  switch (fact.kind) {
    case 'run-created':
    case 'run-resumed':
      return state.tasks.keys();
    case 'tasks-added':
      return fact.tasks.map(({ id }) => id);
    case 'tasks-merged':
    case 'branch-moved':
      return fact.merged.map(({ taskId }) => taskId);
    case 'batch-bisected':
      return fact.suspects;
    case 'integration-abandoned':
      return fact.requeue;
    case 'run-started':
    case 'run-paused':
    case 'budget-raised':
    case 'run-stopping':
    case 'run-ended':
    case 'integration-decided':
    case 'verification-decided':
    case 'batch-verified':
    case 'integration-retried':
    case 'rollback-asked':
    case 'rollback-decided':
    case 'merges-reverted':
    case 'rollback-refused':
      return [];
    case 'follow-ups-settled':
      return fact.gate === undefined ? [fact.taskId] : [fact.taskId, fact.gate];
    default:
      return [fact.taskId];
  }
}
