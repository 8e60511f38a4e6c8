import type { ModelUsage, Spender } from '@switchyard/protocol';

/** Names an attempt among those of one worker, or a review among those of one reviewer. */
export function attemptName({ run, taskId, fence, review }: Spender): string {
  return `${run} ${taskId} ${fence}${review === undefined ? '' : ` ${review.sitting}`}`;
}

/** An agent may name as many models as it likes, and a message has only so many rows (`attemptUsage`): the rest is one. */
const modelsMax = 90;

/** Counts what each attempt has used so far. */
export class Ledger {
  private readonly attempts = new Map<string, Map<string, ModelUsage>>();

  /** Adds one request. */
  add(attempt: Spender, used: Omit<ModelUsage, 'requests'>): void {
    const name = attemptName(attempt);
    const models = this.attempts.get(name) ?? new Map<string, ModelUsage>();
    this.attempts.set(name, models);
    const { provider } = used;
    const isKnown = models.has(`${provider} ${used.model}`) || models.size < modelsMax;
    const model = isKnown ? used.model : 'others';
    const key = `${provider} ${model}`;
    const before = models.get(key);
    models.set(key, {
      ...used,
      model,
      requests: (before?.requests ?? 0) + 1,
      inputTokens: (before?.inputTokens ?? 0) + used.inputTokens,
      cachedTokens: (before?.cachedTokens ?? 0) + used.cachedTokens,
      outputTokens: (before?.outputTokens ?? 0) + used.outputTokens,
      microUsd: (before?.microUsd ?? 0) + used.microUsd,
    });
  }

  /** Everything of one attempt, a row a model. */
  of(attempt: Spender): ModelUsage[] {
    return [...(this.attempts.get(attemptName(attempt))?.values() ?? [])];
  }

  forget(attempt: Spender): void {
    this.attempts.delete(attemptName(attempt));
  }
}
