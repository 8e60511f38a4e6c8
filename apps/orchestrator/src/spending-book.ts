import {
  microUsdOf,
  sumUsage,
  usdText,
  type ModelUsage,
  type PeerId,
  type Spender,
} from '@switchyard/protocol';
import { spentRows, type Quota, type ReviewUsage, type RunInput } from '@switchyard/scheduler';
import type { Loop } from './loop.ts';
import type { RunKeeper } from './run-keeper.ts';
import { reviewOf, spenderName } from './spender-name.ts';

/** What an attempt or a review has used, and the journal does not have. */
export interface UsageNews {
  readonly keeper: RunKeeper;
  readonly input: UndatedUsage;
}
type UsageInput = RunInput & { readonly kind: 'used' | 'review-used' };
type UndatedUsage = UsageInput extends infer I ? (I extends UsageInput ? Omit<I, 'at'> : never) : never;

/** What is known of a spender: what the journal has, and how the next word is kept. */
interface Account {
  readonly before: readonly ModelUsage[];
  input(usage: readonly ModelUsage[]): UndatedUsage;
}

/** Names what money is limited of; `quota` knows them by these. */
export const runPurse = (run: string): string => `run ${run}`;
export const taskPurse = (run: string, taskId: string): string => `task ${run} ${taskId}`;
/** One purse for whichever day it is: what waits over midnight is paid from the new one. */
export const dayPurse = 'day';

/** A moment's day, as budgets count days: UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

export function nextDay(at: number): number {
  const dayMs = 24 * 60 * 60_000;
  return (Math.floor(at / dayMs) + 1) * dayMs;
}

/**
 * What has been spent, as the quota has to know it: what the journal has of a run when it first asks, and from then on
 * what workers and reviewers tell.
 */
export class SpendingBook {
  private readonly quota: Quota;
  private readonly loop: Loop;
  private readonly budgetPerDay: number | undefined;
  private readonly runs = new Map<string, RunKeeper>();
  /** What each sitting of a reviewer is for, also when the review was given to another. */
  private readonly sittings = new Map<string, Pick<ReviewUsage, 'reviewer' | 'specialization'>>();
  /** The newest word on each spender. */
  private readonly latest = new Map<string, readonly ModelUsage[]>();
  /** Counted for requests whose end was never told, until it is. */
  private readonly presumed = new Map<string, number>();
  private readonly news = new Map<string, UsageNews>();
  private day: string | undefined;

  constructor(quota: Quota, loop: Loop, budgetUsdPerDay?: number) {
    this.quota = quota;
    this.loop = loop;
    this.budgetPerDay = budgetUsdPerDay === undefined ? undefined : microUsdOf(budgetUsdPerDay);
  }

  knows(run: string): boolean {
    return this.runs.has(run);
  }

  keeperOf(run: string): RunKeeper | undefined {
    return this.runs.get(run);
  }

  get hasNews(): boolean {
    return this.news.size > 0;
  }

  /** A run asks: its limits count as they are now, and what it has spent as the journal has it. */
  open(keeper: RunKeeper): void {
    const { run, state } = keeper;
    const isNew = !this.runs.has(run);
    if (isNew) {
      this.runs.set(run, keeper);
      for (const task of state.tasks.values())
        for (const record of task.history) {
          const { microUsd } = sumUsage(spentRows(record));
          this.quota.purse(runPurse(run)).spent += microUsd;
          this.quota.purse(taskPurse(run, task.task.id)).spent += microUsd;
        }
    }
    this.setLimits(keeper);
  }

  /** The limits of all runs that ask, which a person may have raised, and the purse of this day. */
  setDay(day: string): void {
    for (const keeper of this.runs.values()) this.setLimits(keeper);
    if (this.day === day) return;
    this.day = day;
    const purse = this.quota.purse(dayPurse);
    purse.limit = this.budgetPerDay;
    purse.spent = 0;
    for (const { state } of this.loop.keepers.values()) purse.spent += state.spentOn?.[day] ?? 0;
  }

  private setLimits({ run, state }: RunKeeper): void {
    const { rpm, tokensPerMinute, budgetUsd, taskBudgetUsd } = state.plan.limits;
    this.quota.setRun(run, { rpm, tokensPerMinute });
    this.quota.purse(runPurse(run)).limit = budgetUsd === undefined ? undefined : microUsdOf(budgetUsd);
    const ofTask = taskBudgetUsd === undefined ? undefined : microUsdOf(taskBudgetUsd);
    for (const tasks of [state.index.active, state.index.reviewing])
      for (const taskId of tasks) this.quota.purse(taskPurse(run, taskId)).limit = ofTask;
  }

  /** A reviewer sits down to a review: what it uses is counted for that from now on. */
  sat(reviewer: PeerId, keeper: RunKeeper, spender: Spender): void {
    const found = reviewOf(reviewer, keeper, spender);
    if (found === undefined) return;
    this.sittings.set(spenderName(spender), { reviewer, specialization: found.specialization });
  }

  /** The word of a worker or reviewer on what a spender of its has used in all. The run, if it changes anything. */
  note(from: PeerId, spender: Spender, usage: readonly ModelUsage[]): RunKeeper | undefined {
    const keeper = this.loop.keepers.get(spender.run);
    const account = keeper && this.accountOf(from, keeper, spender);
    if (keeper === undefined || account === undefined) return undefined;
    if (!keeper.ended) this.open(keeper);
    const name = spenderName(spender);
    const before = sumUsage(this.latest.get(name) ?? account.before);
    const now = sumUsage(usage);
    if (now.requests <= before.requests) return undefined;
    this.latest.set(name, usage);
    this.spend(spender, now.microUsd - before.microUsd - (this.presumed.get(name) ?? 0));
    this.presumed.delete(name);
    this.news.set(name, { keeper, input: account.input(usage) });
    return keeper;
  }

  /** Nothing: it is not its sender's. */
  private accountOf(from: PeerId, keeper: RunKeeper, spender: Spender): Account | undefined {
    const { taskId, fence, review } = spender;
    const record = keeper.state.tasks.get(taskId)?.history.find((attempt) => attempt.fence === fence);
    if (record === undefined) return undefined;
    if (review === undefined) {
      if (record.worker !== from) return undefined;
      return { before: record.usage ?? [], input: (usage) => ({ kind: 'used', taskId, fence, usage }) };
    }
    const { sitting } = review;
    const kept = record.reviewUsage?.[sitting];
    const known = kept ?? this.sittings.get(spenderName(spender));
    if (known !== undefined && known.reviewer !== from) return undefined;
    const { specialization } = known ?? reviewOf(from, keeper, spender) ?? {};
    if (specialization === undefined) return undefined;
    return {
      before: kept?.usage ?? [],
      input: (usage) => {
        const spent = { reviewer: from, specialization, usage };
        return { kind: 'review-used', taskId, fence, sitting, spent };
      },
    };
  }

  /** An attempt or a sitting is over; what it never told the end of counts at its most until it does. */
  dropped(name: string): void {
    const microUsd = this.quota.drop(name);
    if (microUsd > 0) this.presumed.set(name, (this.presumed.get(name) ?? 0) + microUsd);
  }

  forget(run: string): void {
    this.runs.delete(run);
    this.quota.forgetRun(run);
    for (const map of [this.latest, this.presumed, this.sittings])
      for (const name of [...map.keys()]) if (name.startsWith(`${run} `)) map.delete(name);
  }

  /** What the journal does not have; from now on it is the caller's to keep. */
  takeNews(): readonly UsageNews[] {
    const news = [...this.news.values()];
    this.news.clear();
    return news;
  }

  /** Why a run's requests wait for money, and what to do. */
  unpaidText({ run }: RunKeeper, purse: string): string {
    const { spent, limit = 0 } = this.quota.purse(purse);
    const sums = `${usdText(spent)} of ${usdText(limit)} are spent`;
    if (purse === dayPurse)
      return `the budget of the day is used up: ${sums}; it goes on tomorrow (UTC), or with a larger budgetUsdPerDay`;
    const raise = `\`switchyard budget raise ${run} USD${purse.startsWith('task ') ? ' --per-task' : ''}\``;
    const whose = purse.startsWith('task ')
      ? `of the task ${purse.slice(`task ${run} `.length)}`
      : 'of the run';
    return `the budget ${whose} is used up: ${sums}; go on with ${raise}`;
  }

  /** Whether requests of the last minute still hold tasks of a run back. */
  isAnyRateAware(at: number): boolean {
    for (const { run, state } of this.runs.values())
      if (
        state.strategy.chosen === 'rate-aware' &&
        state.index.ready.length > 0 &&
        this.quota.requestsOf(run, at) > 0
      )
        return true;
    return false;
  }

  private spend({ run, taskId }: Spender, microUsd: number): void {
    this.quota.purse(runPurse(run)).spent += microUsd;
    this.quota.purse(taskPurse(run, taskId)).spent += microUsd;
    this.quota.purse(dayPurse).spent += microUsd;
  }
}
