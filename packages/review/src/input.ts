import type { PeerId, ReviewId, Specialization, Verdict } from '@switchyard/protocol';
import type { ReviewRequest } from './state.ts';

/** A reviewer that can take reviews now. */
export interface ReviewerOffer {
  readonly reviewer: PeerId;
  readonly specializations: readonly Specialization[];
  readonly freeSlots: number;
}

/** Everything that can happen to one review. `at`: milliseconds since the epoch, the orchestrator's clock. */
export type ReviewInput = { readonly at: number } & (
  | { readonly kind: 'request'; readonly request: ReviewRequest }
  | { readonly kind: 'offer'; readonly offers: readonly ReviewerOffer[] }
  | { readonly kind: 'completing'; readonly reviewId: ReviewId; readonly reviewer: PeerId }
  /**
   * A verdict is judged: wrong commit, wrong reviewer, a rejection without a blocking finding → the reviewer is
   * replaced. `nowhere`: which of its findings speaks of a place that is not in the commit, as "it …".
   */
  | {
      readonly kind: 'verdict';
      readonly reviewer: PeerId;
      readonly verdict: Verdict;
      readonly nowhere?: string | undefined;
    }
  | {
      readonly kind: 'review-failed';
      readonly reviewId: ReviewId;
      readonly reviewer: PeerId;
      readonly reason: string;
    }
  | { readonly kind: 'reviewer-lost'; readonly reviewer: PeerId }
  | { readonly kind: 'cancel'; readonly reason: string }
  /** `held`: how long requests of reviews to their models had to wait so far, in milliseconds. */
  | { readonly kind: 'tick'; readonly held?: ReadonlyMap<ReviewId, number> | undefined }
);
