import type { PeerId, Specialization, Spender } from '@switchyard/protocol';
import { reviewKey } from '@switchyard/history';
import type { RunKeeper } from './run-keeper.ts';

/** Names an attempt, or one sitting of a review, of the whole fleet. */
export function spenderName({ run, taskId, fence, review }: Omit<Spender, 'attempt'>): string {
  return `${run} ${taskId} ${fence}${review === undefined ? '' : ` ${review.sitting}`}`;
}

/** Whether a spender is its sender's now: the attempt by its lease, the review by who was asked for it. */
export function isHeldBy(from: PeerId, keeper: RunKeeper, spender: Spender): boolean {
  if (spender.review !== undefined) return reviewOf(from, keeper, spender)?.isOpen === true;
  const lease = keeper.held.get(spender.taskId);
  return lease?.worker === from && lease.fence === spender.fence;
}

/** What a reviewer was asked for, and whether it still is; nothing: it was not asked, or not last. */
export function reviewOf(
  from: PeerId,
  keeper: RunKeeper,
  { taskId, fence, review }: Spender,
): { readonly specialization: Specialization; readonly isOpen: boolean } | undefined {
  const state = keeper.reviews.get(reviewKey(taskId, fence));
  if (state === undefined || review === undefined) return undefined;
  for (const { specialization, phase, last } of state.members.values()) {
    if (last?.reviewId !== review.reviewId || last.reviewer !== from) continue;
    const isHeld = phase.kind === 'assigned' || phase.kind === 'completing';
    return { specialization, isOpen: isHeld && state.outcome === undefined };
  }
  return undefined;
}
