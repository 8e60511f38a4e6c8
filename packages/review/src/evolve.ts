import type { Specialization } from '@switchyard/protocol';
import type { ReviewFact } from './fact.ts';
import type { MemberPhase, ReviewMember, ReviewState } from './state.ts';

/** The state after a fact; changes the state it is given, in place. Facts that `decide` did not give are a bug. */
export function evolve(state: ReviewState | undefined, fact: ReviewFact): ReviewState {
  if (fact.kind === 'review-requested') {
    if (state !== undefined) throw new Error('a review is requested twice');
    return requested(fact);
  }
  if (state === undefined) throw new Error(`a review begins with review-requested, not ${fact.kind}`);
  if (fact.kind === 'review-settled') state.outcome = fact.outcome;
  else evolveMember(memberOf(state, fact.specialization), fact);
  return state;
}

type MemberFact = Extract<ReviewFact, { specialization: Specialization }>;

function requested(fact: ReviewFact & { kind: 'review-requested' }): ReviewState {
  const members = new Map<Specialization, ReviewMember>();
  for (const specialization of fact.request.specializations)
    members.set(specialization, {
      specialization,
      phase: { kind: 'requested', since: fact.at, tries: 0 },
      failures: 0,
      avoided: [],
    });
  return { request: fact.request, requestedAt: fact.at, members };
}

function evolveMember(member: ReviewMember, fact: MemberFact): void {
  const { at } = fact;
  switch (fact.kind) {
    case 'review-assigned': {
      const { reviewId, reviewer, tries } = fact;
      member.phase = { kind: 'assigned', reviewId, reviewer, at, tries };
      member.last = { reviewId, reviewer, at };
      return;
    }
    case 'review-completing':
      if (member.phase.kind === 'assigned') member.phase = { ...member.phase, kind: 'completing', at };
      return;
    case 'review-held':
      if (member.phase.kind === 'assigned' || member.phase.kind === 'completing')
        member.phase = { ...member.phase, heldMs: fact.heldMs };
      return;
    case 'review-verdict-given': {
      const { verdict } = fact;
      member.phase = { kind: verdict.approved ? 'approved' : 'rejected', verdict, at };
      return;
    }
    case 'review-verdict-refused':
      askAgain(member, fact, true);
      return;
    case 'review-taken-back':
      askAgain(member, fact, fact.failure);
      return;
    case 'member-failed':
      member.phase = { kind: 'failed', at, reason: fact.reason };
      return;
    case 'member-timed-out':
      member.phase = { kind: 'timed-out', at };
      return;
  }
}

function askAgain(
  member: ReviewMember,
  fact: MemberFact & { kind: 'review-verdict-refused' | 'review-taken-back' },
  failure: boolean,
): void {
  if (failure) {
    member.failures += 1;
    member.avoided.push(fact.reviewer);
  }
  member.phase = { kind: 'requested', since: fact.at, tries: triesOf(member.phase) };
}

/** How often a reviewer was asked so far. */
export function triesOf(phase: MemberPhase): number {
  return 'tries' in phase ? phase.tries : 0;
}

function memberOf(state: ReviewState, specialization: Specialization): ReviewMember {
  const member = state.members.get(specialization);
  if (member === undefined) throw new Error(`the review has no member for ${specialization}`);
  return member;
}
