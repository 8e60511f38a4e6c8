import type { Random } from './random.ts';

export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: uniform in [min, min(max, min * 2^tries)], so that a fleet that lost its
 * hub does not come back all at once. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export function backoffMs(tries: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.maxMs, options.minMs * 2 ** Math.min(tries, 30));
  return Math.round(options.minMs + random.next() * (ceiling - options.minMs));
}
