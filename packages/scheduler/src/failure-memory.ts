import type { Failure } from '@switchyard/protocol';
import type { AttemptRecord } from './state.ts';

/** A failure counts whole for an hour, then half, and half of that with each further hour. */
export const failureHalvesMs = 60 * 60_000;
/** However long ago they were, so many failures are counted whole: nothing is repeated for ever. */
export const failuresRemembered = 20;
/** So many failures in a row that are the same: the task is parked instead of tried again. */
export const sameFailuresMax = 4;

/**
 * How many failures count, seen from the newest of them; `times`: when each happened, the newest last. Whole failures
 * only: one of two hours ago is forgotten, two of one hour ago count as one. At least 1, never more than there were.
 */
export function decayedCount(times: readonly number[]): number {
  const newest = times.at(-1) ?? 0;
  if (times.length > failuresRemembered) return times.length;
  let sum = 0;
  for (const time of times) sum += 0.5 ** Math.floor(Math.max(0, newest - time) / failureHalvesMs);
  return Math.max(1, Math.floor(sum));
}

/** Two failures with the same fingerprint are the same trouble: class, code, and the message without its numbers. */
export function fingerprintOf({ class: of, code, message }: Failure): string {
  const [first = ''] = message.split('\n', 1);
  const shape = first
    .toLowerCase()
    .replace(/\b(?=[0-9a-f-]*[0-9])[0-9a-f][0-9a-f-]{6,}\b/g, '#')
    .replace(/[0-9]+/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
  return `${of} ${code} ${shape}`;
}

/** The last attempts of a task that failed the same way, one after the other; lost ones between them do not count. */
export function sameFailures(history: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const same: AttemptRecord[] = [];
  for (const record of history.toReversed()) {
    if (record.outcome === 'lost') continue;
    if (record.failure === undefined) break;
    const [newest = record] = same;
    if (newest.failure !== undefined && fingerprintOf(newest.failure) !== fingerprintOf(record.failure))
      break;
    same.push(record);
  }
  return same.reverse();
}
