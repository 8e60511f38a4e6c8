import { z } from 'zod';

/** Text that may stand in a git ref, a file name and a log line: letters, digits, `.`, `_`, `-`, no leading dot. */
const slug = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

const id = <Brand extends string>(brand: Brand) => z.string().regex(slug, `not a ${brand} id`).brand<Brand>();

/** A run: `<plan name slug>-<6 base32 letters>`; names its branch `switchyard/<run>`. */
export const runId = id('run');
/** A task as the plan names it: free text, unique within the plan, at most 200 characters. */
export const taskId = z.string().min(1).max(200).brand<'task'>();
/** A peer of the hub: an orchestrator, a worker, a reviewer or a client. */
export const peerId = id('peer');
/** One review of one attempt's commit by one specialization. */
export const reviewId = id('review');
/** One message; unique per sender, so that a replay is recognised. */
export const messageId = id('message');
/** A git object name in full: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits. */
export const commitId = z
  .string()
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'not a full git object name')
  .brand<'commit'>();
/** A number that only grows per task; a message with an old fence changes nothing (DESIGN.md section 2). */
export const fence = z.number().int().min(1).brand<'fence'>();

export type RunId = z.infer<typeof runId>;
export type TaskId = z.infer<typeof taskId>;
export type PeerId = z.infer<typeof peerId>;
export type ReviewId = z.infer<typeof reviewId>;
export type MessageId = z.infer<typeof messageId>;
export type CommitId = z.infer<typeof commitId>;
export type Fence = z.infer<typeof fence>;

/** Milliseconds since the Unix epoch, whole. */
export const timestampMs = z.number().int().min(0);
/** A length of time in milliseconds, whole. */
export const durationMs = z.number().int().min(0);

/**
 * Folds free text to what may stand in a ref or a file name. Not injective: callers that need uniqueness
 * append an id or a digest.
 */
export function slugOf(text: string): string {
  const folded = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 48)
    .replace(/[^A-Za-z0-9]+$/, '');
  return folded === '' || folded.endsWith('.lock') ? `x-${folded.replaceAll('.', '-')}` : folded;
}
