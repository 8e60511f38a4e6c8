import type { Analysis } from '@switchyard/analyzers';
import {
  isBlocking,
  limits,
  severities,
  type Finding,
  type PayloadInput,
  type PeerId,
  type ReviewAssignment,
} from '@switchyard/protocol';

/** A verdict as it goes out. */
export type VerdictMessage =
  | { readonly type: 'review-approved'; readonly payload: PayloadInput<'review-approved'> }
  | { readonly type: 'review-rejected'; readonly payload: PayloadInput<'review-rejected'> };

/** What names a review in every message about it. */
export function reviewRef(
  assignment: ReviewAssignment,
): Pick<ReviewAssignment, 'reviewId' | 'run' | 'taskId' | 'attempt' | 'fence' | 'commit'> {
  const { reviewId, run, taskId, attempt, fence, commit } = assignment;
  return { reviewId, run, taskId, attempt, fence, commit };
}

/** Makes the verdict: rejected exactly when at least one finding is critical or major. */
export function verdictOf(
  assignment: ReviewAssignment,
  analysis: Analysis,
  about: { readonly reviewerId: PeerId; readonly startedAt: number; readonly finishedAt: number },
): VerdictMessage {
  const issues = analysis.findings.slice(0, limits.findingsPerReview);
  const blocking = issues.filter(isBlocking);
  const fields = {
    ...reviewRef(assignment),
    ...about,
    specialization: assignment.specialization,
    feedback: clip(feedbackOf(assignment, analysis), 8000),
    issues,
    suggestions: distinct(
      issues.flatMap((one) => (isBlocking(one) || one.suggestion === undefined ? [] : [one.suggestion])),
    ).slice(0, 100),
    strengths: analysis.strengths.slice(0, 100).map((text) => clip(text, 4000)),
    filesAnalyzed: analysis.filesAnalyzed,
  };
  if (blocking.length === 0) return { type: 'review-approved', payload: { ...fields, approved: true } };
  const requiredChanges = distinct(blocking.map(requiredChange)).slice(0, 3000);
  return { type: 'review-rejected', payload: { ...fields, approved: false, requiredChanges } };
}

/** One paragraph for people: what was found, and what became of the findings of the round before. */
function feedbackOf(assignment: ReviewAssignment, { findings, filesAnalyzed }: Analysis): string {
  const counts = severities
    .map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}`);
  const files = filesAnalyzed === 1 ? '1 file' : `${filesAnalyzed} files`;
  const found = counts.length === 0 ? 'nothing' : counts.join(', ');
  const where =
    assignment.reads === undefined ? `the changed lines of ${files}` : `${files}, each as a whole`;
  const sentence = `${assignment.specialization}: ${found} in ${where}.`;
  return [sentence, ...sinceLastRound(assignment, findings)].join('\n');
}

/** Says of each earlier finding of this specialization whether it is resolved or still stands. */
function sinceLastRound(assignment: ReviewAssignment, findings: readonly Finding[]): string[] {
  const earlier = assignment.previousReviewFeedback.filter(
    (one) => one.category === assignment.specialization && one.severity !== 'info',
  );
  if (earlier.length === 0) return [];
  // Lines move between rounds; what fired, where, and what it said do not.
  const now = new Set(findings.map(sameFinding));
  const [standing, resolved] = [
    earlier.filter((one) => now.has(sameFinding(one))),
    earlier.filter((one) => !now.has(sameFinding(one))),
  ];
  return [
    `Of ${earlier.length} earlier finding${earlier.length === 1 ? '' : 's'}, ${resolved.length} resolved, ${standing.length} still standing.`,
    ...resolved.map((one) => `- resolved: ${placed(one)}`),
    ...standing.map((one) => `- still stands: ${placed(one)}`),
  ];
}

function sameFinding(one: Finding): string {
  return JSON.stringify([one.file, one.rule, one.rule === undefined ? one.description : '']);
}

function requiredChange(one: Finding): string {
  return clip(one.suggestion === undefined ? placed(one) : `${placed(one)} ${one.suggestion}`, 4000);
}

function placed(one: Finding): string {
  const place = one.file === undefined ? '' : `${one.file}${one.line === undefined ? '' : `:${one.line}`}: `;
  return `${place}${one.description}`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function clip(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}
