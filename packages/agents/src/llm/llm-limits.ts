/** Limits of our own loop over a model. Counts, characters, tokens, milliseconds. */
export const llmLimits = {
  /** Requests to the model that bring the work on, in one attempt. */
  turns: 400,
  /** Turns in a row in which nothing came right: no call, or only such that cannot be read, are refused or fail. */
  mistakes: 6,
  /** The same call with the same arguments, one after the other; from here on each is a mistake. */
  repeats: 3,
  callsPerTurn: 32,
  /** Everything that one turn may say; more is a flood, and the turn is cut. */
  turnChars: 2_000_000,
  outputTokens: 16_000,
  /** What is sent to the model at most, by estimate. */
  contextTokens: 120_000,
  /** Of a result that was shortened to make room. */
  shortenedChars: 300,
  /** The newest results are not shortened. */
  freshResults: 4,
  /** Silence of the model after which a stream counts as cut. */
  idleMs: 180_000,
  /** Tries of one request, the first included. */
  tries: 6,
  /** The longest that a server may make a request wait here; longer ends the attempt as throttled. */
  retryAfterMs: 60_000,
  backoff: { minMs: 500, maxMs: 20_000 },
} as const;

/** The same names with other values, for tests and for smaller models. */
export type LlmLimits = { readonly [Name in keyof typeof llmLimits]: Widened<(typeof llmLimits)[Name]> };

type Widened<Value> = Value extends number
  ? number
  : { readonly [Name in keyof Value]: Widened<Value[Name]> };
