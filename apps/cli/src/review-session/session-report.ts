import type { Finding, ReportedFinding, SessionReport } from '@switchyard/protocol';
import {
  qualityFormula,
  qualityScore,
  type EarlierStanding,
  type Integration,
  type SessionState,
  type NamedFinding,
  type SessionVerdict,
} from '@switchyard/review';
import { programVersion } from '@switchyard/runtime';

/** What a report tells beyond the state. */
export interface ReportParts {
  readonly integration: Integration;
  readonly verdict: SessionVerdict;
  readonly standings: readonly EarlierStanding[] | undefined;
  /** Of the template. */
  readonly warnings: readonly string[];
  readonly taskStatus: string;
  readonly now: number;
  readonly root: string;
  /** The source lines around a finding, where they may be shown. */
  around(finding: Finding): Promise<ReportedFinding['excerpt']>;
}

/** The report of a session whose reviewers are done. */
export async function sessionReportOf(state: SessionState, parts: ReportParts): Promise<SessionReport> {
  const { review_session: session, session_metadata: metadata, error_tracking: tracking, reviewers } = state;
  const { integration, verdict, standings } = parts;
  const completed = reviewers.filter(({ status }) => status === 'completed').length;
  const successRate = reviewers.length === 0 ? 0 : completed / reviewers.length;
  const shown = async <Found extends NamedFinding>(
    found: Found,
  ): Promise<Found & Pick<ReportedFinding, 'excerpt'>> => {
    const excerpt = await parts.around(found);
    return { ...found, ...(excerpt && { excerpt }) };
  };
  const findings: SessionReport['findings'][number][] = [];
  for (const found of integration.findings) findings.push(await shown(found));
  const suppressed: SessionReport['suppressed'][number][] = [];
  for (const one of integration.suppressed) suppressed.push({ ...one, finding: await shown(one.finding) });
  return {
    version: 1,
    program: programVersion,
    root: parts.root,
    taskId: session.task_id,
    taskTitle: metadata.task_title ?? '',
    sessionId: session.session_id,
    begunAt: session.created_at,
    writtenAt: new Date(parts.now).toISOString(),
    conclusion: verdict.conclusion,
    reasons: verdict.reasons,
    projectType: metadata.project_type ?? '',
    strategy: metadata.strategy_reason ?? '',
    scope: metadata.scope ?? '',
    reviewers: reviewers.map(reviewerRow),
    findings,
    suppressed,
    duplicates: integration.duplicates,
    conflicts: integration.conflicts,
    ...(standings && { earlier: standings }),
    strengths: integration.strengths,
    warnings: [...metadata.warnings, ...parts.warnings],
    escalations: tracking.escalations,
    taskStatus: parts.taskStatus,
    errors: tracking.total_errors,
    recoveryAttempts: tracking.recovery_attempts,
    qualityScore: qualityScore(successRate, integration.counts),
    qualityFormula,
    successRate,
  };
}

function reviewerRow(one: SessionState['reviewers'][number]): SessionReport['reviewers'][number] {
  const { started_at, completed_at } = one;
  return {
    name: one.reviewer_id,
    status: one.status,
    reason: one.reason ?? '',
    focus: one.focus,
    findings: one.findings,
    startedAt: started_at,
    durationMs:
      started_at === null || completed_at === null ? null : Date.parse(completed_at) - Date.parse(started_at),
    errors: one.error_count,
    retries: one.retry_count,
  };
}
