import { isAppError } from '@switchyard/protocol';
import { backoffMs, sleep, type Clock, type Logger, type Random } from '@switchyard/runtime';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** From the first failure on. */
  readonly limitMs: number;
}

/**
 * Repeats work that the orchestrator has to answer (objects over /git) while it does not: it may be restarting, and
 * a finished attempt must not fail for that. Only errors that say `later` are repeated.
 */
export async function withRetries<T>(
  what: string,
  options: RetryOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { clock, random, logger, signal } = options;
  let firstFailureAt: number | undefined;
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isAppError(error) || error.next === 'never') throw error;
      firstFailureAt ??= clock.monotonic();
      if (clock.monotonic() - firstFailureAt > options.limitMs) throw error;
      logger.warn({ err: error, tries }, `${what} failed, trying again`);
    }
    await sleep(clock, backoffMs(tries, { minMs: 100, maxMs: 5_000 }, random), signal);
  }
}
