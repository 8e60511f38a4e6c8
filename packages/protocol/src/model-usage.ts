import { z } from 'zod';

/** Who is asked for a model; the forms of requests go by the same names. */
export const providerNames = ['anthropic', 'openai', 'gemini'] as const;
export const providerName = z.enum(providerNames);
export type ProviderName = z.infer<typeof providerName>;

const count = z.number().int().min(0);

/** What was used of one model, counted from the answers of its provider. */
export const modelUsage = z.object({
  provider: providerName,
  model: z.string().min(1).max(200),
  requests: count,
  /** Tokens read, without those that the provider had cached. */
  inputTokens: count,
  /** Tokens read from the provider's cache. */
  cachedTokens: count,
  outputTokens: count,
  /** Money, in millionths of a dollar. */
  microUsd: count,
});
export type ModelUsage = z.infer<typeof modelUsage>;

/** Everything that an attempt has used so far, a row a model. */
export const attemptUsage = z.array(modelUsage).max(100);

/** Millionths of a dollar as dollars, for people. */
export function usdText(microUsd: number): string {
  const usd = microUsd / 1_000_000;
  return `$${usd.toFixed(usd !== 0 && usd < 0.1 ? 4 : 2)}`;
}

/** Dollars as whole millionths. */
export function microUsdOf(usd: number): number {
  return Math.round(usd * 1_000_000);
}

/** The sum of some rows. */
export function sumUsage(rows: readonly ModelUsage[]): Omit<ModelUsage, 'provider' | 'model'> {
  const sum = { requests: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, microUsd: 0 };
  for (const row of rows) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += row[key];
  return sum;
}
