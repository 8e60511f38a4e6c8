import type { AttemptReport } from '@switchyard/protocol';

/**
 * What was accepted though not every reviewer approved it: nobody should have to find that out from the verdicts. A plan
 * lets it pass (a quorum, a time-out, an optional review), or a person does; which one, the events say.
 */
export function letPass({ outcome, reviews }: AttemptReport): string | undefined {
  if (outcome !== 'accepted') return undefined;
  const approved = new Set(reviews.filter((one) => one.outcome === 'approved').map(nameOf));
  const lacking = new Set(reviews.map(nameOf).filter((name) => !approved.has(name)));
  if (lacking.size === 0) return undefined;
  return `Accepted without the approval of ${[...lacking].join(', ')}: the plan, or a person, let that pass`;
}

const nameOf = ({ specialization }: AttemptReport['reviews'][number]): string => specialization;
