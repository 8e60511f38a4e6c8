export { decide, nextDeadline } from './decide.ts';
export { evolve } from './evolve.ts';
export { owed, type OwedReview } from './owed.ts';
export { reviewFactVersion, type ReviewFact, type ReviewFactKind } from './fact.ts';
export { chooseSpecializations, type SpecializationChoice } from './choose-specializations.ts';
export { mergeFindings } from './merge-findings.ts';
export { reviewSummaries } from './review-summaries.ts';
export type { ReviewerOffer, ReviewInput } from './input.ts';
export type { MemberPhase, ReviewMember, ReviewOutcome, ReviewRequest, ReviewState } from './state.ts';
