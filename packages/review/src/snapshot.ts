import type { ReviewMember, ReviewState } from './state.ts';

/** The version of what a snapshot of a review holds; raised as that of a run's is. */
export const reviewSnapshotShape = 1;

/** What is kept of a review: plain data, that goes through JSON. */
export interface ReviewSnapshot extends Omit<ReviewState, 'members'> {
  readonly members: readonly ReviewMember[];
}

/** The snapshot of a review; shares what it holds with the state. */
export function snapshotReview(state: ReviewState): ReviewSnapshot {
  return { ...state, members: [...state.members.values()] };
}

/** The state that a snapshot was made of, which it takes over. */
export function restoreReview({ members, ...rest }: ReviewSnapshot): ReviewState {
  return { ...rest, members: new Map(members.map((member) => [member.specialization, member])) };
}
