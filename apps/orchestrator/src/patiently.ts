import { isAppError } from '@switchyard/protocol';
import { sleep, type Clock } from '@switchyard/runtime';

/** Before a repository in trouble (its disk is full, it does not answer) is asked again. */
const retryDelaysMs = [1_000, 5_000, 15_000] as const;

/** Whether the repository, and not what it was asked about, is at fault: it may answer later. */
export function isTrouble(error: unknown): boolean {
  return isAppError(error) && error.next !== 'never';
}

/**
 * Asks again after trouble, a few times. `tell` is told of each: how long until the next time, undefined where there is
 * none. Rejects with what was said last.
 */
export async function patiently<T>(
  clock: Clock,
  work: () => Promise<T>,
  tell: (error: unknown, retryMs: number | undefined) => void,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      const delayMs = retryDelaysMs[tries];
      tell(error, delayMs);
      if (delayMs === undefined) throw error;
      await sleep(clock, delayMs);
    }
  }
}
