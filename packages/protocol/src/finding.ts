import { z } from 'zod';

export const severities = ['critical', 'major', 'minor', 'info'] as const;
export const severity = z.enum(severities);
export type Severity = z.infer<typeof severity>;

export const specializations = [
  'code-quality',
  'testing',
  'security',
  'performance',
  'integration',
  'documentation',
  'style',
] as const;
export const specialization = z.enum(specializations);
export type Specialization = z.infer<typeof specialization>;

/** What a reviewer, an engine or the integration found: one thing, in one place. */
export const finding = z.object({
  severity,
  /** A specialization, or `integration` / `acceptance` / `workspace` for findings of the run itself. */
  category: z.string().min(1).max(64),
  /** Path relative to the repository root, `/` as separator. */
  file: z.string().max(4096).optional(),
  /** 1-based. */
  line: z.number().int().min(1).optional(),
  /** 1-based. */
  column: z.number().int().min(1).optional(),
  description: z.string().min(1).max(4000),
  suggestion: z.string().max(4000).optional(),
  references: z.array(z.string().max(2000)).max(20).default([]),
  /** The rule that fired, `<engine>/<rule>`. */
  rule: z.string().max(200).optional(),
});
export type Finding = z.infer<typeof finding>;

/** Rejection needs at least one of these (DESIGN.md section 9). */
export function isBlocking(found: Finding): boolean {
  return found.severity === 'critical' || found.severity === 'major';
}
