import type { PeerId, ReviewAssignment, ReviewId } from '@switchyard/protocol';
import type { ReviewMember, ReviewState } from './state.ts';

/** Effects that are owed: reviewers to be told what to review, until they say that they complete. */
export interface OwedReview {
  readonly kind: 'assign';
  readonly reviewId: ReviewId;
  readonly reviewer: PeerId;
  readonly assignment: ReviewAssignment;
}

/** What has to be done for the review to go on; the same list however often it is asked for. */
export function owed(state: ReviewState): readonly OwedReview[] {
  if (state.outcome !== undefined) return [];
  return [...state.members.values()].flatMap((member) => assignmentOf(state, member) ?? []);
}

function assignmentOf({ request }: ReviewState, member: ReviewMember): OwedReview | undefined {
  const { phase, specialization } = member;
  if (phase.kind !== 'assigned') return undefined;
  const { reviewId, reviewer } = phase;
  const assignment: ReviewAssignment = {
    run: request.run,
    taskId: request.taskId,
    attempt: request.attempt,
    fence: request.fence,
    reviewId,
    ...(request.worker === undefined ? {} : { workerId: request.worker }),
    filesChanged: [...request.files],
    description: request.description,
    acceptanceCriteria: [...request.acceptanceCriteria],
    specialization,
    previousReviewFeedback: [...request.previousFindings],
    commit: request.commit,
    base: request.base,
    ...(request.reads === undefined ? {} : { reads: [...request.reads] }),
    round: request.round,
    timeoutMs: request.timeoutMs,
  };
  return { kind: 'assign', reviewId, reviewer, assignment };
}
