import type { Review } from '@switchyard/analyzers';
import { openSandbox } from '@switchyard/guard';
import { severities, type Finding, type ReportedFinding, type ReviewReport } from '@switchyard/protocol';
import { programVersion, silentLogger, systemClock } from '@switchyard/runtime';
import type { ReviewProgress } from './review-progress.ts';
import type { ReviewScope } from './review-scope.ts';
import { scanScope } from './scan-scope.ts';
import { SourceLines } from './source-lines.ts';

export interface ReviewOrder {
  readonly specializations: ReviewReport['specializations'];
  readonly sandbox: 'auto' | 'off';
  /** Also the broad rules; as the policy says unless told. */
  readonly deep?: boolean;
  readonly searchPath: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: ReviewProgress;
}

/** Findings that a review on a screen takes. */
const findingsMax = 20_000;

/** Runs the engines over what there is to review, in the sandbox. Throws AppError E_SANDBOX_UNAVAILABLE, E_EXECUTOR. */
export async function runReview(
  scope: ReviewScope,
  order: ReviewOrder,
): Promise<{ readonly review: Review; readonly report: ReviewReport }> {
  const { specializations, signal, progress, searchPath } = order;
  const startedAt = Date.now();
  const sandbox = await openSandbox({
    mode: order.sandbox,
    logger: silentLogger(),
    clock: systemClock,
    ...(searchPath !== undefined && { searchPath }),
  });
  try {
    const review = await scanScope(scope, {
      sandbox,
      specializations,
      findingsMax,
      ...(order.deep !== undefined && { deep: order.deep }),
      signal,
      watch: () => progress,
    });
    return { review, report: await reportOf(review, { scope, specializations, startedAt }) };
  } finally {
    await sandbox.close();
  }
}

async function reportOf(
  review: Review,
  about: {
    readonly scope: ReviewScope;
    readonly specializations: ReviewReport['specializations'];
    readonly startedAt: number;
  },
): Promise<ReviewReport> {
  const { scope, specializations, startedAt } = about;
  const sources = new SourceLines(scope.root, [
    ...review.findings,
    ...review.suppressed.map(({ finding }) => finding),
  ]);
  const reported = async (finding: Finding): Promise<ReportedFinding> => {
    const excerpt = await sources.around(finding);
    const fingerprint = review.fingerprints.get(finding) ?? '';
    return { ...finding, fingerprint, ...(excerpt && { excerpt }) };
  };
  const counts = severities.map((severity) => [
    severity,
    review.findings.filter((one) => one.severity === severity).length,
  ]);
  const findings: ReportedFinding[] = [];
  for (const finding of review.findings) findings.push(await reported(finding));
  const suppressed: ReviewReport['suppressed'] = [];
  for (const { finding, suppression } of review.suppressed)
    suppressed.push({
      finding: await reported(finding),
      reason: suppression.reason,
      until: suppression.until,
    });
  return {
    version: 1,
    program: programVersion,
    root: scope.root,
    ...(scope.since && { since: scope.since }),
    all: scope.all,
    specializations,
    startedAt,
    durationMs: Date.now() - startedAt,
    filesAnalyzed: review.filesAnalyzed,
    counts: Object.fromEntries(counts) as ReviewReport['counts'],
    findings,
    suppressed,
    strengths: review.strengths,
  };
}
