import type { AttemptReport } from '@switchyard/protocol';
import { triesOf } from './evolve.ts';
import { verdictOf } from './outcome.ts';
import { reviewIdOf } from './review-name.ts';
import type { ReviewMember, ReviewState } from './state.ts';

type ReviewRow = AttemptReport['reviews'][number];

/** The reviews of one attempt as rows of its report, one for each specialization. */
export function reviewSummaries(state: ReviewState): ReviewRow[] {
  return [...state.members.values()].map((member) => rowOf(state, member));
}

function rowOf({ request }: ReviewState, member: ReviewMember): ReviewRow {
  const { phase, specialization, last } = member;
  const verdict = verdictOf(member);
  const tries = Math.max(1, triesOf(phase));
  const ended =
    'verdict' in phase || phase.kind === 'failed' || phase.kind === 'timed-out' ? phase.at : undefined;
  return {
    reviewId: verdict?.reviewId ?? last?.reviewId ?? reviewIdOf(request, specialization, tries),
    ...(last === undefined ? {} : { reviewer: last.reviewer }),
    specialization,
    outcome: outcomeOf(member),
    feedback: verdict?.feedback ?? (phase.kind === 'failed' ? phase.reason : ''),
    findings: [...(verdict?.issues ?? [])],
    ...(ended === undefined || last === undefined ? {} : { durationMs: Math.max(0, ended - last.at) }),
  };
}

function outcomeOf({ phase }: ReviewMember): ReviewRow['outcome'] {
  switch (phase.kind) {
    case 'requested':
    case 'assigned':
    case 'completing':
      return 'running';
    case 'approved':
    case 'rejected':
    case 'failed':
    case 'timed-out':
      return phase.kind;
  }
}
