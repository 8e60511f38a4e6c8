import type { ReviewerState, SessionState } from './session-document.ts';

/** Percent that the phases before the reviewers are worth, and that reviewers are worth. */
const basePercent = 55;
const reviewersPercent = 35;

/** Percent of a session while its reviewers work: the greater of milestone and formula. */
export function executionPercent(reviewers: readonly ReviewerState[]): number {
  return Math.max(milestonePercent(reviewers), formulaPercent(reviewers));
}

/** (55 + average progress of the reviewers × 35 %) of 100, in whole percent. */
export function formulaPercent(reviewers: readonly ReviewerState[]): number {
  if (reviewers.length === 0) return basePercent;
  const sum = reviewers.reduce((total, reviewer) => total + reviewer.progress_percentage, 0);
  return Math.floor(basePercent + (sum / reviewers.length / 100) * reviewersPercent);
}

/** All started: 60; a quarter, half, three quarters, all of them completed: 70, 80, 85, 90. */
export function milestonePercent(reviewers: readonly ReviewerState[]): number {
  if (reviewers.length === 0) return basePercent;
  const share = reviewers.filter(({ status }) => status === 'completed').length / reviewers.length;
  if (share === 1) return 90;
  if (share >= 0.75) return 85;
  if (share >= 0.5) return 80;
  if (share >= 0.25) return 70;
  return reviewers.every(({ status }) => status !== 'registered' && status !== 'starting') ? 60 : basePercent;
}

/** Counts that follow from the reviewers. */
export function reviewerCounts(
  reviewers: readonly ReviewerState[],
): Pick<
  SessionState['coordination_state'],
  'active_reviewers' | 'completed_reviewers' | 'failed_reviewers' | 'total_reviewers'
> {
  const count = (is: (status: ReviewerState['status']) => boolean): number =>
    reviewers.filter(({ status }) => is(status)).length;
  return {
    active_reviewers: count(isActive),
    completed_reviewers: count((status) => status === 'completed'),
    failed_reviewers: count((status) => status === 'failed'),
    total_reviewers: reviewers.length,
  };
}

/** A reviewer that works at the moment. */
export function isActive(status: ReviewerState['status']): boolean {
  return status === 'starting' || status === 'in_progress' || status === 'completing';
}

/** When a session would end if it went on as fast as so far; null while nothing can be said. */
export function estimatedCompletion(state: SessionState, now: number): string | null {
  const { completion_percentage: done } = state.coordination_state;
  const elapsed = now - Date.parse(state.review_session.created_at);
  if (done < basePercent || done >= 100 || elapsed <= 0) return null;
  return new Date(now + Math.round((elapsed * (100 - done)) / done)).toISOString();
}
