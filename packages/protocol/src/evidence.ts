import { z } from 'zod';
import { commitId, durationMs, peerId, timestampMs } from './ids.ts';

/** Proof that one command was run on one commit: what, how it ended, and the end of what it printed. */
export const receipt = z.object({
  /** The criterion as the plan states it; the command itself when it has no other text. */
  criterion: z.string().max(4000),
  command: z.string().max(8000),
  commit: commitId,
  exitCode: z.number().int(),
  /** `exited` on its own, `timed-out` killed at its limit, `killed` by a signal. */
  ended: z.enum(['exited', 'timed-out', 'killed']),
  durationMs,
  startedAt: timestampMs,
  /** The last bytes of stdout and stderr together, at most `limits.receiptOutputBytes`. */
  outputTail: z.string().max(16_384),
  truncated: z.boolean(),
});
export type Receipt = z.infer<typeof receipt>;

export const changedFile = z.object({
  /** Relative to the repository root, `/` as separator. */
  path: z.string().min(1).max(4096),
  change: z.enum(['added', 'modified', 'deleted', 'type-changed']),
});
export type ChangedFile = z.infer<typeof changedFile>;

/** What an attempt hands in (DESIGN.md section 2). */
export const evidence = z.object({
  /** The attempt's commit, whose only parent is `base`; absent where the attempt changed nothing. */
  commit: commitId.optional(),
  base: commitId,
  filesChanged: z.array(changedFile).max(50_000),
  receipts: z.array(receipt).max(200),
  /** How commands were held: `bubblewrap`, or `none` where the operator turned the sandbox off in words. */
  sandbox: z.enum(['bubblewrap', 'none']),
  worker: peerId,
  startedAt: timestampMs,
  finishedAt: timestampMs,
  /** The end of what the executor printed, at most `limits.receiptOutputBytes`. */
  outputTail: z.string().max(16_384).default(''),
});
export type Evidence = z.infer<typeof evidence>;
