import type { Failure, FailureClass, Plan, PlanTask } from '@switchyard/protocol';
import { decayedCount } from './failure-memory.ts';

/** Lost attempts of a task that are repeated (the worker's fault, not the task's); old ones count less. */
export const lossesMax = 5;
/** A wait where the server names no time. */
const throttledWaitMs = 60_000;
const stepMs = 1000;
/** A full disk is not emptied within a second. */
const fullDiskStepMs = 10_000;

interface ClassRule {
  /** Retries unless the plan says otherwise. */
  readonly retries: number;
  /** The task's own `retries` caps them; not where somebody else's limit is the cause. */
  readonly capped: boolean;
  /** The wait before retry number `count`, 1-based. */
  readonly delayMs: (count: number, failure: Failure) => number;
}

const now = () => 0;

/** Recovery by class of failure (DESIGN.md section 6). */
const rules: Readonly<Record<FailureClass, ClassRule>> = {
  io: {
    retries: 3,
    capped: true,
    delayMs: (count, { code }) => (code === 'E_DISK_FULL' ? fullDiskStepMs : stepMs) * count,
  },
  parsing: { retries: 1, capped: true, delayMs: now },
  logic: { retries: 0, capped: true, delayMs: now },
  system: { retries: 2, capped: true, delayMs: (count) => stepMs * 2 ** count },
  throttled: {
    retries: 20,
    capped: false,
    delayMs: (_count, failure) => failure.retryAfterMs ?? throttledWaitMs,
  },
  /** The run is parked, so the task itself is ready at once. */
  exhausted: { retries: 20, capped: false, delayMs: now },
  fatal: { retries: 0, capped: true, delayMs: now },
};

/** The failures of one class: the newest, and when each happened, the newest last. */
export interface FailureSeries {
  readonly failure: Failure;
  readonly times: readonly number[];
}

/**
 * Which retry comes next, 1-based. Old failures count less, except where somebody else's limit is the cause: the
 * server may name waits longer than the memory, and those retries would never end.
 */
export function retryNumber({ failure, times }: FailureSeries): number {
  return rules[failure.class].capped ? decayedCount(times) : Math.max(1, times.length);
}

/** How long to wait before the next try; undefined: no more tries. */
export function retryDelayMs(
  plan: Pick<Plan, 'retryPolicy'>,
  task: Pick<PlanTask, 'retries'>,
  series: FailureSeries,
): number | undefined {
  const { failure } = series;
  const count = retryNumber(series);
  const rule = rules[failure.class];
  if (failure.class === 'fatal') return undefined;
  const allowed = plan.retryPolicy[failure.class] ?? rule.retries;
  const retries = rule.capped ? Math.min(allowed, task.retries) : allowed;
  return count > retries ? undefined : rule.delayMs(count, failure);
}
