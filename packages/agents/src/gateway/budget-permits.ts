import { AppError, type ProviderName, type Spender } from '@switchyard/protocol';
import { sleep, type Clock } from '@switchyard/runtime';
import { attemptName, type Ledger } from './ledger.ts';
import type { ModelsFile } from './models-file.ts';
import type { Permit, PermitSource, Settlement, Want } from './permit-source.ts';

export interface BudgetPermitsOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly budgetUsd: number;
  readonly providers: ModelsFile['providers'];
}

/** A provider that wants to be left alone for longer than this is not waited for. */
const waitMaxMs = 4 * 60_000;
/** When a provider is asked again that did not say when. */
const throttledMs = { min: 1_000, max: 60_000 };
/** So many refusals in a row may be as short as the provider says. */
const refusalsBelieved = 3;

interface Standing {
  /** By the monotonic clock. */
  notBefore: number;
  /** Refusals one after the other. */
  refusals: number;
  isExhausted: string | undefined;
}

/**
 * Permits of a process that works for no orchestrator: within a budget of its own and the rate of the models file, and
 * with every provider's word for when to come again.
 *
 * Invariant: what was spent and what is under way may together not cost more than the budget.
 */
export class BudgetPermits implements PermitSource {
  private readonly options: BudgetPermitsOptions;
  private readonly spenders = new Map<string, Spender>();
  private readonly standings = new Map<ProviderName, Standing>();
  private reservedMicroUsd = 0;
  /** Aborted, and another in its place, whenever money that was set aside is free again. */
  private freed = new AbortController();
  private why: string | undefined;

  constructor(options: BudgetPermitsOptions) {
    this.options = options;
  }

  /** Rejects with AppError E_MODEL where the budget or the provider does not let it through. */
  async acquire(spender: Spender, want: Want, signal: AbortSignal): Promise<Permit> {
    this.spenders.set(attemptName(spender), spender);
    await this.turn(want, signal);
    await this.money(want, signal);
    this.reservedMicroUsd += want.microUsd;
    let isSettled = false;
    return {
      arrived: () => undefined, // its rate goes by when requests are sent
      settle: (settlement) => {
        if (isSettled) return;
        isSettled = true;
        this.reservedMicroUsd -= want.microUsd;
        this.freed.abort();
        this.freed = new AbortController();
        this.judge(want.provider, settlement);
      },
    };
  }

  /** Why the last request was refused for good, if one was. */
  get refusal(): string | undefined {
    return this.why;
  }

  /** Money that all have spent so far, in millionths of a dollar. */
  spentMicroUsd(): number {
    const used = [...this.spenders.values()].flatMap((spender) => this.options.ledger.of(spender));
    return used.reduce((sum, { microUsd }) => sum + microUsd, 0);
  }

  /** Waits until the provider may be asked, and takes the turn. */
  private async turn({ provider }: Want, signal: AbortSignal): Promise<void> {
    const { clock, providers } = this.options;
    const rpm = providers[provider]?.quota.rpm;
    const standing = this.standingOf(provider);
    for (;;) {
      signal.throwIfAborted();
      if (standing.isExhausted !== undefined)
        throw this.refused(`${provider} has nothing left: ${standing.isExhausted}`);
      const waitMs = standing.notBefore - clock.monotonic();
      if (waitMs <= 0) break;
      await sleep(clock, Math.ceil(waitMs), signal);
    }
    if (rpm !== undefined) standing.notBefore = clock.monotonic() + 60_000 / rpm;
  }

  /** Waits while what is under way may cost all that is left; in truth it nearly always costs much less. */
  private async money({ microUsd }: Want, signal: AbortSignal): Promise<void> {
    const budget = this.options.budgetUsd * 1e6;
    for (;;) {
      signal.throwIfAborted();
      if (this.spentMicroUsd() + microUsd > budget)
        throw this.refused(
          `the next request may cost more than is left of the budget of $${this.options.budgetUsd}; raise it with --budget`,
        );
      if (this.spentMicroUsd() + this.reservedMicroUsd + microUsd <= budget) return;
      await aborted(AbortSignal.any([signal, this.freed.signal]));
    }
  }

  private judge(provider: ProviderName, settlement: Settlement): void {
    const standing = this.standingOf(provider);
    if (settlement.kind === 'done') standing.refusals = 0;
    if (settlement.kind !== 'throttled' && settlement.kind !== 'exhausted') return;
    const { retryAfterMs, reason, kind } = settlement;
    const usualMs = Math.min(throttledMs.max, throttledMs.min * 2 ** standing.refusals);
    standing.refusals += 1;
    if (kind === 'exhausted' || (retryAfterMs ?? 0) > waitMaxMs) standing.isExhausted = reason;
    // Who has named times in vain again and again, 0 for example, is not believed.
    const leastMs = standing.refusals > refusalsBelieved ? usualMs : 0;
    const next = this.options.clock.monotonic() + Math.max(leastMs, retryAfterMs ?? usualMs);
    standing.notBefore = Math.max(standing.notBefore, next);
  }

  private refused(why: string): AppError {
    this.why = why;
    return new AppError('E_MODEL', why);
  }

  private standingOf(provider: ProviderName): Standing {
    const known = this.standings.get(provider) ?? { notBefore: 0, refusals: 0, isExhausted: undefined };
    this.standings.set(provider, known);
    return known;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
