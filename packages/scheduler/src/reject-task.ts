import type { CommitId, Failure, Finding, PeerId, TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import { escalate, failTask } from './fail-task.ts';
import type { Accepted } from './state.ts';

interface ReviewRejection {
  readonly submitted: Accepted;
  readonly findings: readonly Finding[];
  readonly text: string;
}

/** Reviewers said no: another round goes on from the commit; after the last one a person is asked. */
export function rejectByReview(decision: Decision, taskId: TaskId, rejection: ReviewRejection): void {
  const { submitted, findings, text } = rejection;
  const { task, affinity } = decision.task(taskId);
  const { round, again } = nextRound(decision, taskId);
  const { fence, commit } = submitted;
  decision.emit({
    kind: 'task-rejected',
    taskId,
    fence,
    by: 'review',
    findings,
    again,
    round,
    continueFrom: commit,
    affinity,
    text,
  });
  if (again) return;
  const failure: Failure = {
    class: 'logic',
    code: 'E_REVIEW_REJECTED',
    message: `rejected in ${task.review.rounds} of ${task.review.rounds} rounds: ${text}`.slice(0, 4000),
  };
  escalate(decision, taskId, { text: failure.message, failure, submitted, isCase: true });
}

interface VerificationRejection {
  readonly fence: number;
  readonly finding: Finding;
  readonly failure: Failure;
  /** Absent: the next attempt begins anew from the tip. */
  readonly continueFrom?: CommitId | undefined;
  readonly affinity?: PeerId | undefined;
}

/** The merged result does not pass because of this task. */
export function rejectByVerification(
  decision: Decision,
  taskId: TaskId,
  rejection: VerificationRejection,
): void {
  const { fence, finding, failure, continueFrom, affinity } = rejection;
  const { round, again } = nextRound(decision, taskId);
  decision.emit({
    kind: 'task-rejected',
    taskId,
    fence,
    by: 'verification',
    findings: [finding],
    again,
    round,
    continueFrom,
    affinity,
    text: failure.message.split('\n', 1)[0] ?? failure.message,
  });
  if (!again) failTask(decision, taskId, failure);
}

/** The change conflicts with what was integrated since its base: it begins anew from the tip, with both sides. */
export function rejectByConflict(
  decision: Decision,
  taskId: TaskId,
  conflict: { readonly fence: number; readonly findings: readonly Finding[] },
): void {
  const { fence, findings } = conflict;
  const { round, again } = nextRound(decision, taskId);
  decision.emit({ kind: 'task-conflicted', taskId, fence, findings, again, round });
  if (again) return;
  const files = [...new Set(findings.flatMap((found) => found.file ?? []))];
  const where = files.length === 0 ? '' : ` in ${files.slice(0, 10).join(', ')}`;
  failTask(decision, taskId, {
    class: 'logic',
    code: 'E_MERGE_CONFLICT',
    message: `conflicts with what others integrated${where}, and its rounds are used up`,
    paths: files.slice(0, 1000),
  });
}

function nextRound(decision: Decision, taskId: TaskId): { round: number; again: boolean } {
  const { round, roundsBefore = 0, task } = decision.task(taskId);
  const again = round - roundsBefore < task.review.rounds;
  return { round: again ? round + 1 : round, again };
}
