import type { PeerId, ReviewId, Specialization, Verdict } from '@switchyard/protocol';
import type { VerdictFlaw } from './judge-verdict.ts';
import type { ReviewOutcome, ReviewRequest } from './state.ts';

/** The version of the facts below, stored with each. */
export const reviewFactVersion = 1;

interface OfMember {
  readonly specialization: Specialization;
}

/** One thing that happened to a review, without its time. Plain data. */
export type UndatedReviewFact =
  | { readonly kind: 'review-requested'; readonly request: ReviewRequest }
  | ({
      readonly kind: 'review-assigned';
      readonly reviewId: ReviewId;
      readonly reviewer: PeerId;
      /** 1 for the first reviewer of a specialization; part of the review's id. */
      readonly tries: number;
    } & OfMember)
  /** The reviewer has its verdict and sends it next. */
  | ({ readonly kind: 'review-completing'; readonly reviewId: ReviewId } & OfMember)
  | ({ readonly kind: 'review-verdict-given'; readonly verdict: Verdict } & OfMember)
  /** The verdict contradicts itself or what was asked: another reviewer is asked. */
  | ({
      readonly kind: 'review-verdict-refused';
      readonly reviewId: ReviewId;
      readonly reviewer: PeerId;
      /** Absent in journals of before there was one. */
      readonly flaw?: VerdictFlaw | undefined;
      readonly reason: string;
    } & OfMember)
  /** The reviewer is gone or could not review: asked again. `failure`: it counts against the tries. */
  | ({
      readonly kind: 'review-taken-back';
      readonly reviewId: ReviewId;
      readonly reviewer: PeerId;
      readonly reason: string;
      readonly failure: boolean;
    } & OfMember)
  /** Its model was waited for, which is not its reviewer's doing: it has so much more time, in all. */
  | ({ readonly kind: 'review-held'; readonly reviewId: ReviewId; readonly heldMs: number } & OfMember)
  | ({ readonly kind: 'member-failed'; readonly reason: string } & OfMember)
  | ({ readonly kind: 'member-timed-out' } & OfMember)
  | { readonly kind: 'review-settled'; readonly outcome: ReviewOutcome };

/** One thing that happened to a review. `at`: milliseconds since the epoch, the orchestrator's clock. */
export type ReviewFact = { readonly at: number } & UndatedReviewFact;
export type ReviewFactKind = ReviewFact['kind'];
