import type { Failure, PlanTask } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import { escalate, failTask } from './fail-task.ts';
import type { RunInput } from './input.ts';
import { rejectByReview } from './reject-task.ts';
import type { Accepted } from './state.ts';

type Reviewed = RunInput & { readonly kind: 'reviewed' };

/** The outcome of a review counts for the attempt that is in review, once. */
export function decideReviewed(decision: Decision, input: Reviewed): void {
  const { taskId, fence, outcome, findings, text } = input;
  if (!decision.state.tasks.has(taskId)) return;
  const { phase } = decision.task(taskId);
  if (phase.kind !== 'reviewing' || phase.submitted.fence !== fence) return;
  decision.emit({ kind: 'review-settled', taskId, fence, outcome, findings, text });
  switch (outcome) {
    case 'approved':
      accept(decision, input, phase.submitted);
      return;
    case 'rejected':
      reject(decision, input, phase.submitted);
      return;
    case 'timed-out':
    case 'failed': {
      const message = `the review ${outcome === 'failed' ? 'failed' : 'timed out'}: ${text}`.slice(0, 4000);
      const failure: Failure = { class: 'logic', code: 'E_REVIEW_TIMEOUT', message };
      escalate(decision, taskId, { text: message, failure, submitted: phase.submitted });
      return;
    }
  }
}

function accept(decision: Decision, { taskId }: Reviewed, submitted: Accepted): void {
  const { task } = decision.task(taskId);
  if (task.kind === 'review') decision.emit({ kind: 'task-completed', taskId });
  else decision.emit({ kind: 'task-accepted-for-merge', taskId, accepted: submitted });
}

function reject(decision: Decision, input: Reviewed, submitted: Accepted): void {
  const { taskId, findings, text } = input;
  const { task } = decision.task(taskId);
  if (task.kind !== 'review') {
    rejectByReview(decision, taskId, { submitted, findings, text });
    return;
  }
  const message = `${lookedAt(task.reads)} rejected: ${text}`.slice(0, 4000);
  failTask(decision, taskId, { class: 'logic', code: 'E_REVIEW_REJECTED', message });
}

function lookedAt(reads: PlanTask['reads']): string {
  if (typeof reads === 'string') return 'the run as it stands was';
  if (reads.includes('.')) return 'the repository as it stands was';
  return `${reads.join(', ')} ${reads.length === 1 ? 'was' : 'were'}`;
}
