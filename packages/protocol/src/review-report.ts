import { z } from 'zod';
import { finding, severity, specialization } from './finding.ts';
import { commitId } from './ids.ts';

/** Lines of the source around a finding. Never of a secret. */
const excerpt = z.object({
  /** Number of the first line, 1-based. */
  from: z.number().int().min(1),
  lines: z.array(z.string().max(400)).max(20),
});

/** A finding as a report shows it. */
export const shownFinding = finding.extend({ excerpt: excerpt.optional() });
export type ShownFinding = z.infer<typeof shownFinding>;

export const reportedFinding = shownFinding.extend({
  /** Stays while lines above it come and go; what a suppression and the SARIF report name it by. */
  fingerprint: z.string(),
});
export type ReportedFinding = z.infer<typeof reportedFinding>;

/** What `switchyard review` found in a folder (API: its `--json`). */
export const reviewReport = z.object({
  version: z.literal(1),
  program: z.string(),
  /** Absolute path; the files of findings are relative to it. */
  root: z.string(),
  /** What the change was measured against; absent where everything was reviewed. */
  since: z.object({ revision: z.string(), commit: commitId }).optional(),
  /** Findings on every line, not only those of the change. */
  all: z.boolean(),
  specializations: z.array(specialization),
  startedAt: z.number().int(),
  durationMs: z.number().int(),
  filesAnalyzed: z.number().int(),
  counts: z.record(severity, z.number().int()),
  /** Most severe first. */
  findings: z.array(reportedFinding),
  /** What the repository's policy lets stand, and until when. */
  suppressed: z.array(z.object({ finding: reportedFinding, reason: z.string(), until: z.string() })),
  /** What was checked and found in order. */
  strengths: z.array(z.string()),
});
export type ReviewReport = z.infer<typeof reviewReport>;
