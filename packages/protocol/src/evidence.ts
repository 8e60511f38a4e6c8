import { z } from 'zod';
import { finding } from './finding.ts';
import { commitId, durationMs, peerId, timestampMs } from './ids.ts';
import { limits } from './limits.ts';

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

/** A plan that an attempt has drafted, checked or not, as it was handed in last. */
export const handedInPlan = z.strictObject({
  text: z.string().max(limits.draftChars),
  /** How often one was handed in, this one included. */
  rounds: z.number().int().min(1).max(limits.draftRoundsMax),
});
export type HandedInPlan = z.infer<typeof handedInPlan>;

/** What an attempt says to those who come after it; it writes it into the file that SWITCHYARD_HANDOVER names. */
export const handover = z.strictObject({
  findings: z.array(finding).max(200).default([]),
  blockers: z.array(z.string().min(1).max(4000)).max(50).default([]),
  /** What it brings, for people: the progress document lists it. */
  features: z.array(z.string().min(1).max(1000)).max(50).default([]),
  /** Tasks as a plan file has them, each as JSON; they are checked when they are to be added. */
  followUps: z.array(z.string().max(64_000)).max(20).default([]),
  /** The plan of a task that drafts one; no file of an attempt says it. */
  plan: handedInPlan.optional(),
});
export type Handover = z.infer<typeof handover>;

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
  handover: handover.optional(),
});
export type Evidence = z.infer<typeof evidence>;
