import type { ProviderName } from '@switchyard/protocol';
import { listPrices, type Price } from './prices.ts';

/** Tokens of one request, as its provider bills them. */
export interface Tokens {
  /** Read, neither from nor into the cache. */
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
}

export const noTokens: Tokens = { input: 0, cached: 0, cacheWrite: 0, output: 0 };

/** What an answer has told of its tokens; what it has not is to be estimated. */
export type ToldTokens = { readonly [Kind in keyof Tokens]?: number | undefined };

/**
 * More than any request comes to. Agents and providers write what they like: a number that no message to the orchestrator
 * can carry would keep everything else of this worker from it as well.
 */
export const requestMost = { tokens: 1e9, microUsd: 1e12 } as const;

/** What a model costs. */
export interface FoundPrice {
  readonly price: Price;
  /** No entry names the model: the dear one of its provider stands in. */
  readonly isGuess: boolean;
}

/** Finds the prices of models; `own` are the operator's, and win. */
export class PriceBook {
  private readonly prices: Readonly<Record<string, Price>>;

  constructor(own: Readonly<Record<string, Price>> = {}) {
    this.prices = { ...listPrices, ...own };
  }

  find(provider: ProviderName, model: string): FoundPrice {
    let best: string | undefined;
    for (const name of Object.keys(this.prices))
      if (model.startsWith(name) && name.length > (best?.length ?? 0)) best = name;
    const found = this.prices[best ?? `${provider}/*`];
    if (found === undefined) throw new Error(`no price stands in for ${provider}`);
    return { price: found, isGuess: best === undefined };
  }
}

/** Money for tokens in millionths of a dollar, rounded up: dollars a million tokens are millionths a token. */
export function microUsdFor(tokens: Tokens, { input, output, cached, cacheWrite }: Price): number {
  const exact =
    tokens.input * input +
    tokens.cached * (cached ?? input) +
    tokens.cacheWrite * (cacheWrite ?? input) +
    tokens.output * output;
  return Math.min(requestMost.microUsd, Math.ceil(exact - 1e-6));
}
