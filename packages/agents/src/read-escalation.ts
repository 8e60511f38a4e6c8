import { escalation } from '@switchyard/protocol';
import type { ExecutorOutcome } from './executor.ts';

const escalationFields = escalation.pick({
  reason: true,
  attemptedSolutions: true,
  needsClarification: true,
});

/** Reads what the work wrote into the escalation file: JSON, or else plain words as the reason. */
export function escalatedBy(words: string, otherwise: string): ExecutorOutcome {
  const parsed = escalationFields.safeParse(jsonOf(words));
  if (!parsed.success) return { kind: 'escalated', reason: words.slice(0, 4000), attemptedSolutions: [] };
  const { reason, attemptedSolutions, needsClarification } = parsed.data;
  return {
    kind: 'escalated',
    reason: reason ?? otherwise,
    attemptedSolutions,
    ...(needsClarification !== undefined && { needsClarification }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Plain words are fine too.
    return undefined;
  }
}
