import { z } from 'zod';
import { changedFile } from './evidence.ts';
import { finding } from './finding.ts';
import { commitId, taskId } from './ids.ts';

/** What a task learns of one that it depends on. */
export const upstreamTask = z.object({
  taskId,
  /** `failed`: the plan lets those that depend on it go on. */
  phase: z.enum(['completed', 'failed', 'verifying', 'rolled-back']),
  /** Its commit on the run branch; absent: it changed nothing. */
  commit: commitId.optional(),
  filesChanged: z.array(changedFile),
  /** What its reviewers found and let pass, and what it found itself. */
  findings: z.array(finding),
  /** What stands in the way of others, in its own words; why it failed, where it did. */
  blockers: z.array(z.string()),
  /** Files and findings that are left out here, because there are too many; 0: none. */
  leftOut: z.number().int().min(0),
});
export type UpstreamTask = z.infer<typeof upstreamTask>;
