import type { Failure, FailureClass, Plan, PlanTask } from '@switchyard/protocol';

/** Lost attempts of a task that are repeated (the worker's fault, not the task's). */
export const lossesMax = 5;
/** A wait where the server names no time. */
const throttledWaitMs = 60_000;
const stepMs = 1000;

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
  io: { retries: 3, capped: true, delayMs: (count) => stepMs * count },
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

/** How long to wait before the next try after failure number `count` of its class; undefined: no more tries. */
export function retryDelayMs(
  plan: Pick<Plan, 'retryPolicy'>,
  task: Pick<PlanTask, 'retries'>,
  { failure, count }: { readonly failure: Failure; readonly count: number },
): number | undefined {
  const rule = rules[failure.class];
  if (failure.class === 'fatal') return undefined;
  const allowed = plan.retryPolicy[failure.class] ?? rule.retries;
  const retries = rule.capped ? Math.min(allowed, task.retries) : allowed;
  return count > retries ? undefined : rule.delayMs(count, failure);
}
