import { severities, type Severity } from '@switchyard/protocol';
import type { SessionMetrics, SessionState } from './session-document.ts';

/** Points that one finding of a severity costs. */
const cost: Readonly<Record<Severity, number>> = { critical: 25, major: 10, minor: 2, info: 0 };

export const qualityFormula =
  'share of reviewers with a result × max(0, 100 − 25 × critical − 10 × major − 2 × minor findings)';

/** Quality of what was reviewed, 0 to 100 with one decimal place, as `qualityFormula` says. */
export function qualityScore(successRate: number, counts: Readonly<Record<Severity, number>>): number {
  const lost = severities.reduce((sum, severity) => sum + cost[severity] * counts[severity], 0);
  return Math.round(successRate * Math.max(0, 100 - lost) * 10) / 10;
}

/** The metrics of a session whose reviewers are done; times in milliseconds, rates from 0 to 1. */
export function sessionMetrics(
  state: SessionState,
  { now, counts }: { readonly now: number; readonly counts: Readonly<Record<Severity, number>> },
): SessionMetrics {
  const { reviewers, error_tracking: tracking } = state;
  const completed = reviewers.filter(({ status }) => status === 'completed');
  const rate = reviewers.length === 0 ? 0 : completed.length / reviewers.length;
  return {
    total_execution_ms: Math.max(0, now - Date.parse(state.review_session.created_at)),
    reviewer_durations_ms: Object.fromEntries(
      completed.map(({ reviewer_id, started_at, completed_at }) => [
        reviewer_id,
        Math.max(0, Date.parse(completed_at ?? '') - Date.parse(started_at ?? '')),
      ]),
    ),
    reviewer_success_rate: rate,
    reviewer_failure_rate:
      reviewers.length === 0 ? 0 : (reviewers.length - completed.length) / reviewers.length,
    errors: tracking.total_errors,
    recovery_attempts: tracking.recovery_attempts,
    recovered_reviewers: completed.filter(({ error_count }) => error_count > 0).length,
    quality_score: qualityScore(rate, counts),
    quality_formula: qualityFormula,
  };
}
