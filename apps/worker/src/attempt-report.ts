import type { AttemptKey, CommitId, Failure, PayloadInput, TaskAssignment } from '@switchyard/protocol';
import { attemptOf } from './attempt-names.ts';

/** How an attempt ended, as the orchestrator is told; all of them are durable. */
export type AttemptReport =
  | { readonly type: 'task-completed'; readonly payload: PayloadInput<'task-completed'> }
  | { readonly type: 'task-failed'; readonly payload: PayloadInput<'task-failed'> }
  | { readonly type: 'task-lost'; readonly payload: PayloadInput<'task-lost'> }
  | { readonly type: 'escalation'; readonly payload: PayloadInput<'escalation'> };

/** The report of an attempt that ended without a result and not by its own doing. */
export function lostReport(attempt: AttemptKey, reason: string, wip?: CommitId): AttemptReport {
  const payload = { ...attemptOf(attempt), reason: reason.slice(0, 1000) };
  return { type: 'task-lost', payload: wip === undefined ? payload : { ...payload, wip } };
}

/** The report of an attempt that failed. */
export function failedReport(
  assignment: TaskAssignment,
  failure: Failure,
  evidence?: PayloadInput<'task-failed'>['evidence'],
): AttemptReport {
  return {
    type: 'task-failed',
    payload: {
      ...attemptOf(assignment),
      error: failure.message,
      failure,
      ...(evidence !== undefined && { evidence }),
    },
  };
}
