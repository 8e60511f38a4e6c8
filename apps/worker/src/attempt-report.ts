import type { TaskAssignment, Failure, PayloadInput } from '@switchyard/protocol';
import { attemptOf } from './attempt-names.ts';

/** How an attempt ended, as the orchestrator is told; all three are durable. */
export type AttemptReport =
  | { readonly type: 'task-completed'; readonly payload: PayloadInput<'task-completed'> }
  | { readonly type: 'task-failed'; readonly payload: PayloadInput<'task-failed'> }
  | { readonly type: 'escalation'; readonly payload: PayloadInput<'escalation'> };

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
