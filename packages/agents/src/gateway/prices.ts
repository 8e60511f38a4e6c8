import { z } from 'zod';

const amount = z.number().min(0);

/** Dollars for a million tokens. */
export const price = z.strictObject({
  input: amount,
  output: amount,
  /** Read from the provider's cache; absent: as `input`. */
  cached: amount.optional(),
  /** Written into the provider's cache; absent: as `input`. */
  cacheWrite: amount.optional(),
});
export type Price = z.infer<typeof price>;

/** When the prices below were looked up; whoever pays others says so in the models file. */
export const pricesAsOf = '2025-12-01';

/**
 * List prices by the beginning of a model's name; the longest that fits counts. `provider/*` is for models that no
 * other entry fits: dear on purpose, so that a budget holds also where a price is not known.
 */
export const listPrices: Readonly<Record<string, Price>> = {
  'claude-opus-4-5': { input: 5, output: 25, cached: 0.5, cacheWrite: 6.25 },
  'claude-opus-4': { input: 15, output: 75, cached: 1.5, cacheWrite: 18.75 },
  'claude-sonnet-4': { input: 3, output: 15, cached: 0.3, cacheWrite: 3.75 },
  'claude-3-7-sonnet': { input: 3, output: 15, cached: 0.3, cacheWrite: 3.75 },
  'claude-haiku-4-5': { input: 1, output: 5, cached: 0.1, cacheWrite: 1.25 },
  'claude-3-5-haiku': { input: 0.8, output: 4, cached: 0.08, cacheWrite: 1 },
  'anthropic/*': { input: 15, output: 75, cached: 1.5, cacheWrite: 18.75 },
  'gpt-5-pro': { input: 15, output: 120 },
  'gpt-5-mini': { input: 0.25, output: 2, cached: 0.025 },
  'gpt-5-nano': { input: 0.05, output: 0.4, cached: 0.005 },
  'gpt-5': { input: 1.25, output: 10, cached: 0.125 },
  'gpt-4.1-mini': { input: 0.4, output: 1.6, cached: 0.1 },
  'gpt-4.1-nano': { input: 0.1, output: 0.4, cached: 0.025 },
  'gpt-4.1': { input: 2, output: 8, cached: 0.5 },
  'gpt-4o-mini': { input: 0.15, output: 0.6, cached: 0.075 },
  'gpt-4o': { input: 2.5, output: 10, cached: 1.25 },
  'o4-mini': { input: 1.1, output: 4.4, cached: 0.275 },
  'o3-pro': { input: 20, output: 80 },
  o3: { input: 2, output: 8, cached: 0.5 },
  'openai/*': { input: 15, output: 120 },
  'gemini-3-pro': { input: 4, output: 18, cached: 0.4 },
  'gemini-2.5-pro': { input: 2.5, output: 15, cached: 0.25 },
  'gemini-2.5-flash-lite': { input: 0.1, output: 0.4, cached: 0.01 },
  'gemini-2.5-flash': { input: 0.3, output: 2.5, cached: 0.03 },
  'gemini/*': { input: 4, output: 18, cached: 0.4 },
};
