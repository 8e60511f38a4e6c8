import type { ProviderName, Spender } from '@switchyard/protocol';

/** A request that wants to be sent. */
export interface Want {
  readonly provider: ProviderName;
  readonly model: string;
  /** Tokens it takes of a quota until its answer says better. */
  readonly tokens: number;
  /** The most it may cost. */
  readonly microUsd: number;
}

/** How a request that had a permit ended. */
export type Settlement =
  /** It was not sent. */
  | { readonly kind: 'unused' }
  /** It was answered, well or not, or its answer was cut. */
  | { readonly kind: 'done'; readonly tokens: number }
  /** The provider says that it is too much (429, 529), and for how long, if it says so. */
  | { readonly kind: 'throttled'; readonly retryAfterMs?: number | undefined; readonly reason: string }
  /** The provider says that nothing is left, until a time or until somebody pays. */
  | { readonly kind: 'exhausted'; readonly retryAfterMs?: number | undefined; readonly reason: string };

/** The right to send one request, now. */
export interface Permit {
  /** The provider has begun to answer: it has counted the request by now. */
  arrived(): void;
  /** To be called once, also for a request that was not sent. */
  settle(settlement: Settlement): void;
}

/** Who says when a request may be sent. */
export interface PermitSource {
  /** Resolves when it may be sent at once. Rejects with the signal's reason, or when it never may. */
  acquire(attempt: Spender, want: Want, signal: AbortSignal): Promise<Permit>;
}
