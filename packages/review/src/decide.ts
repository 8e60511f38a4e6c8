import type { ReviewId } from '@switchyard/protocol';
import { copyReview } from './copy-review.ts';
import { evolve, triesOf } from './evolve.ts';
import type { ReviewFact, UndatedReviewFact } from './fact.ts';
import type { ReviewerOffer, ReviewInput } from './input.ts';
import { whatIsWrong } from './judge-verdict.ts';
import { outcomeOf } from './outcome.ts';
import { reviewIdOf } from './review-name.ts';
import type { MemberPhase, ReviewMember, ReviewState } from './state.ts';

/** Failed reviews and refused verdicts of one specialization, before it counts as failed. */
const failuresMax = 3;
/** Reviewers asked for one specialization in all, the lost ones included. */
const triesMax = 10;
/** A review that no reviewer takes up waits longer than one may take: reviewers may just be busy. */
const queueFactor = 3;
/** The least that a review which was held is given on top: its last moment is not looked at all the time. */
const holdStepMs = 10_000;

type InputOf<K extends ReviewInput['kind']> = ReviewInput & { readonly kind: K };
type Held = MemberPhase & { readonly kind: 'assigned' | 'completing' };

/**
 * What follows from an input for the review of one attempt. Changes nothing itself; `evolve` folds the facts.
 *
 *     requested → assigned → completing → approved | rejected
 *         ↑__________|___________|  lost, failed, refused      (or failed, timed-out)
 *
 * Invariants: (1) a settled review never changes; (2) it settles exactly when every member has come to an end;
 * (3) `approved` means that every member approved, or that the plan lets the others pass (time-out, quorum); (4) a verdict counts only
 * from the reviewer that holds the review; (5) every member comes to an end if time goes on.
 */
export function decide(state: ReviewState | undefined, input: ReviewInput): readonly ReviewFact[] {
  if (state === undefined) {
    if (input.kind !== 'request') return [];
    return [{ kind: 'review-requested', at: input.at, request: input.request }];
  }
  if (state.outcome !== undefined) return [];
  const facts: ReviewFact[] = [];
  const draft = copyReview(state);
  const emit = (undated: UndatedReviewFact): void => {
    const fact: ReviewFact = { ...undated, at: input.at };
    evolve(draft, fact);
    facts.push(fact);
  };
  takeInput(draft, input, emit);
  const outcome = draft.outcome === undefined ? outcomeOf(draft, input.at) : undefined;
  if (outcome !== undefined) emit({ kind: 'review-settled', outcome });
  return facts;
}

type Emit = (fact: UndatedReviewFact) => void;

function takeInput(state: ReviewState, input: ReviewInput, emit: Emit): void {
  switch (input.kind) {
    case 'request':
      return; // asked again after a restart
    case 'offer':
      assign(state, input.offers, emit);
      return;
    case 'completing': {
      const found = heldBy(state, input);
      if (found?.phase.kind === 'assigned')
        emit({
          kind: 'review-completing',
          specialization: found.member.specialization,
          reviewId: input.reviewId,
        });
      return;
    }
    case 'verdict':
      judge(state, input, emit);
      return;
    case 'review-failed': {
      const found = heldBy(state, input);
      if (found !== undefined) takeBack(found.member, found.phase, { ...input, failure: true }, emit);
      return;
    }
    case 'reviewer-lost':
      for (const member of state.members.values()) {
        const phase = heldPhase(member);
        const reason = `${input.reviewer} is gone`;
        if (phase?.reviewer === input.reviewer) takeBack(member, phase, { reason, failure: false }, emit);
      }
      return;
    case 'cancel':
      emit({
        kind: 'review-settled',
        outcome: { kind: 'failed', at: input.at, findings: [], text: `cancelled: ${input.reason}` },
      });
      return;
    case 'tick':
      for (const member of state.members.values())
        if (deadlineOf(state, member) <= input.at) overdue(state, member, input, emit);
      return;
  }
}

function assign(state: ReviewState, offers: readonly ReviewerOffer[], emit: Emit): void {
  const free = new Map(offers.map((offer) => [offer.reviewer, offer.freeSlots]));
  for (const member of state.members.values()) {
    if (member.phase.kind !== 'requested') continue;
    const { specialization } = member;
    const best = offers
      .filter(
        (offer) => offer.specializations.includes(specialization) && (free.get(offer.reviewer) ?? 0) > 0,
      )
      .toSorted((a, b) => rank(member, a, free) - rank(member, b, free))[0];
    if (best === undefined) continue;
    const tries = member.phase.tries + 1;
    const reviewId = reviewIdOf(state.request, specialization, tries);
    emit({ kind: 'review-assigned', specialization, reviewId, reviewer: best.reviewer, tries });
    free.set(best.reviewer, (free.get(best.reviewer) ?? 0) - 1);
  }
}

/** Lower is better: reviewers that have not failed here, then those with most free slots. */
function rank(member: ReviewMember, offer: ReviewerOffer, free: ReadonlyMap<string, number>): number {
  const avoided = member.avoided.includes(offer.reviewer) ? 1_000_000 : 0;
  return avoided - (free.get(offer.reviewer) ?? 0);
}

function judge(state: ReviewState, input: InputOf<'verdict'>, emit: Emit): void {
  const { reviewer, verdict } = input;
  const { reviewId } = verdict;
  const found = heldBy(state, { reviewId, reviewer });
  if (found === undefined) return;
  const { specialization } = found.member;
  const wrong = whatIsWrong(state.request, { ...input, specialization });
  if (wrong === undefined) {
    emit({ kind: 'review-verdict-given', specialization, verdict });
    return;
  }
  const { flaw } = wrong;
  const reason = `the verdict of ${reviewer} is refused: it ${wrong.text}`;
  emit({ kind: 'review-verdict-refused', specialization, reviewId, reviewer, flaw, reason });
  failIfUsedUp(found.member, reason, emit);
}

/** Time that its model was waited for does not count; what is left after it is looked at in steps. */
function overdue(
  { request }: ReviewState,
  member: ReviewMember,
  { at, held }: InputOf<'tick'>,
  emit: Emit,
): void {
  const { specialization } = member;
  const phase = heldPhase(member);
  const heldMs = phase === undefined ? 0 : (held?.get(phase.reviewId) ?? 0);
  if (phase === undefined || heldMs <= (phase.heldMs ?? 0)) {
    emit({ kind: 'member-timed-out', specialization });
    return;
  }
  const leastMs = at + holdStepMs - phase.at - request.timeoutMs;
  emit({ kind: 'review-held', specialization, reviewId: phase.reviewId, heldMs: Math.max(heldMs, leastMs) });
}

interface Loss {
  readonly reason: string;
  readonly failure: boolean;
}

function takeBack(member: ReviewMember, phase: Held, { reason, failure }: Loss, emit: Emit): void {
  const { specialization } = member;
  const { reviewId, reviewer } = phase;
  emit({ kind: 'review-taken-back', specialization, reviewId, reviewer, reason, failure });
  failIfUsedUp(member, reason, emit);
}

function failIfUsedUp(member: ReviewMember, reason: string, emit: Emit): void {
  if (member.failures >= failuresMax || triesOf(member.phase) >= triesMax)
    emit({ kind: 'member-failed', specialization: member.specialization, reason });
}

function heldBy(
  state: ReviewState,
  by: { readonly reviewId: ReviewId; readonly reviewer: string },
): { readonly member: ReviewMember; readonly phase: Held } | undefined {
  for (const member of state.members.values()) {
    const phase = heldPhase(member);
    if (phase?.reviewId === by.reviewId && phase.reviewer === by.reviewer) return { member, phase };
  }
  return undefined;
}

function heldPhase({ phase }: ReviewMember): Held | undefined {
  return phase.kind === 'assigned' || phase.kind === 'completing' ? phase : undefined;
}

function deadlineOf(state: ReviewState, { phase }: ReviewMember): number {
  switch (phase.kind) {
    case 'requested':
      return phase.since + state.request.timeoutMs * queueFactor;
    case 'assigned':
    case 'completing':
      return phase.at + state.request.timeoutMs + (phase.heldMs ?? 0);
    case 'approved':
    case 'rejected':
    case 'failed':
    case 'timed-out':
      return Infinity;
  }
}

/** The earliest time at which a `tick` would change something; undefined: time alone changes nothing. */
export function nextDeadline(state: ReviewState): number | undefined {
  if (state.outcome !== undefined) return undefined;
  let earliest = Infinity;
  for (const member of state.members.values()) earliest = Math.min(earliest, deadlineOf(state, member));
  return earliest === Infinity ? undefined : earliest;
}
