import type { ModelUsage, ProviderName, SettledPermit } from '@switchyard/protocol';
import type { Metrics } from '@switchyard/runtime';

/** Spenders remembered, so that what is told again is not counted again. */
const spendersMax = 10_000;

/** The figures of requests to models, counted where all of them are let through. */
export class ModelMeasures {
  private readonly requests: ReturnType<Metrics['counter']>;
  private readonly tokens: ReturnType<Metrics['counter']>;
  private readonly usd: ReturnType<Metrics['counter']>;
  private readonly waiting: ReturnType<Metrics['gauge']>;
  /** Who was asked, of requests that are under way or wait. */
  private readonly providers = new Map<string, ProviderName>();
  /** What each spender has spent at each provider, in millionths of a dollar. */
  private readonly spent = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.requests = metrics.counter('switchyard_model_requests_total', ['provider', 'end']);
    this.tokens = metrics.counter('switchyard_model_tokens_total', ['provider']);
    this.usd = metrics.counter('switchyard_model_usd_total', ['provider']);
    this.waiting = metrics.gauge('switchyard_model_requests_waiting');
  }

  asked(id: string, provider: ProviderName): void {
    this.providers.set(id, provider);
  }

  /** It came to nothing before it was let through. */
  withdrawn(id: string): void {
    this.providers.delete(id);
  }

  /** A settlement that is told again says nothing new. */
  settled({ id, kind, tokens }: Pick<SettledPermit, 'id' | 'kind' | 'tokens'>): void {
    const provider = this.providers.get(id);
    if (provider === undefined) return;
    // One that could not go in time asks again by the same name.
    if (kind !== 'unused') this.providers.delete(id);
    this.requests.inc({ provider, end: kind });
    if (tokens > 0) this.tokens.inc({ provider }, tokens);
  }

  /** Everything that a spender has used so far. */
  used(spender: string, usage: readonly ModelUsage[]): void {
    const sums = new Map<ProviderName, number>();
    for (const { provider, microUsd } of usage) sums.set(provider, (sums.get(provider) ?? 0) + microUsd);
    for (const [provider, microUsd] of sums) {
      const key = `${provider} ${spender}`;
      const more = microUsd - (this.spent.get(key) ?? 0);
      if (more <= 0) continue;
      this.spent.delete(key);
      this.spent.set(key, microUsd);
      this.usd.inc({ provider }, more / 1_000_000);
    }
    for (const key of this.spent.keys()) {
      if (this.spent.size <= spendersMax) return;
      this.spent.delete(key);
    }
  }

  waits(count: number): void {
    this.waiting.set(count);
  }
}
