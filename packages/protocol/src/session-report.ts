import { z } from 'zod';
import { severity } from './finding.ts';
import { reportedFinding } from './review-report.ts';

const reviewer = z.object({
  name: z.string(),
  status: z.string(),
  reason: z.string(),
  focus: z.array(z.string()).readonly(),
  findings: z.number().int().nullable(),
  startedAt: z.string().nullable(),
  durationMs: z.number().nullable(),
  errors: z.number().int(),
  retries: z.number().int(),
});

const sessionFinding = reportedFinding.extend({
  reviewers: z.array(z.string()).readonly(),
  priority: z.string(),
  /** `new`, or what became of it since the review before. */
  history: z.string(),
});
export type SessionFinding = z.infer<typeof sessionFinding>;

const conflict = z.object({
  file: z.string(),
  line: z.number().int(),
  sides: z
    .array(z.object({ reviewer: z.string(), description: z.string(), suggestion: z.string() }))
    .readonly(),
});

const earlierOutcome = z.object({
  finding: z.object({
    severity,
    category: z.string().optional(),
    file: z.string().optional(),
    line: z.number().optional(),
    description: z.string(),
  }),
  outcome: z.string(),
  note: z.string(),
});
export type EarlierOutcome = z.infer<typeof earlierOutcome>;

/**
 * Everything that the report of a review session tells, in whatever form (API: `session report N --json`). Times are ISO
 * in UTC, lengths of time milliseconds.
 */
export const sessionReport = z.object({
  version: z.literal(1),
  program: z.string(),
  /** Absolute path of the project; the files of findings are relative to it. */
  root: z.string(),
  taskId: z.string(),
  taskTitle: z.string(),
  sessionId: z.string(),
  begunAt: z.string(),
  writtenAt: z.string(),
  conclusion: z.enum(['passed', 'changes_required', 'incomplete']),
  reasons: z.array(z.string()).readonly(),
  projectType: z.string(),
  strategy: z.string(),
  scope: z.string(),
  reviewers: z.array(reviewer).readonly(),
  findings: z.array(sessionFinding).readonly(),
  /** What the repository's policy lets stand, and until when. */
  suppressed: z
    .array(z.object({ finding: reportedFinding, reason: z.string(), until: z.string() }))
    .readonly(),
  /** Findings that were said by more than one, once too often each. */
  duplicates: z.number().int(),
  conflicts: z.array(conflict).readonly(),
  /** Absent: there is no earlier review. */
  earlier: z.array(earlierOutcome).readonly().optional(),
  strengths: z.array(z.string()).readonly(),
  warnings: z.array(z.string()).readonly(),
  /** What a person has to look at. */
  escalations: z
    .array(z.object({ source: z.string(), message: z.string(), instructions: z.string().nullable() }))
    .readonly(),
  /** What becomes of the boxes of the task, and why. */
  taskStatus: z.string(),
  errors: z.number().int(),
  recoveryAttempts: z.number().int(),
  qualityScore: z.number(),
  qualityFormula: z.string(),
  successRate: z.number(),
});
export type SessionReport = z.infer<typeof sessionReport>;
