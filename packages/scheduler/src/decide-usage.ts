import { AppError, microUsdOf, sumUsage, usdText } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import type { RunInput } from './input.ts';
import type { RunState } from './state.ts';
import { spentRows } from './usage-rows.ts';

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };

/** What models cost, and what follows when that is too much. Throws E_RUN_STATE where a budget cannot be raised. */
export function decideUsage(
  decision: Decision,
  input: InputOf<'used'> | InputOf<'review-used'> | InputOf<'spent'> | InputOf<'raise-budget'>,
): void {
  switch (input.kind) {
    case 'used':
      decideUsed(decision, input);
      return;
    case 'review-used':
      decideReviewUsed(decision, input);
      return;
    case 'spent':
      decideSpent(decision, input);
      return;
    case 'raise-budget':
      decideRaise(decision, input);
      return;
  }
}

/** Everything that a run has spent so far, in millionths of a dollar. */
export function spentBy({ tasks }: Pick<RunState, 'tasks'>): number {
  let microUsd = 0;
  for (const { history } of tasks.values())
    for (const record of history) microUsd += sumUsage(spentRows(record)).microUsd;
  return microUsd;
}

/** What an attempt has used in all; also of one that has ended. What is less than was told before is late, and changes nothing. */
function decideUsed(decision: Decision, { taskId, fence, usage }: InputOf<'used'>): void {
  if (!decision.state.tasks.has(taskId)) return;
  const record = decision.task(taskId).history.find((attempt) => attempt.fence === fence);
  if (record === undefined || sumUsage(usage).requests <= sumUsage(record.usage ?? []).requests) return;
  const { attempt, worker } = record;
  decision.emit({ kind: 'attempt-used', taskId, fence, attempt, worker, usage });
}

/** The same for what its review takes; each sitting of a reviewer counts for itself. */
function decideReviewUsed(
  decision: Decision,
  { taskId, fence, sitting, spent }: InputOf<'review-used'>,
): void {
  if (!decision.state.tasks.has(taskId)) return;
  const record = decision.task(taskId).history.find((attempt) => attempt.fence === fence);
  const before = record?.reviewUsage?.[sitting]?.usage ?? [];
  if (record === undefined || sumUsage(spent.usage).requests <= sumUsage(before).requests) return;
  decision.emit({ kind: 'review-used', taskId, fence, attempt: record.attempt, sitting, spent });
}

/** Money or a provider's quota is used up: nothing new starts until then, or until the budget is raised. */
function decideSpent(decision: Decision, { cause, reason, until }: InputOf<'spent'>): void {
  const { state } = decision;
  if (state.phase.kind !== 'running') return;
  const { paused } = state;
  // A person's pause stays theirs; one of ours is told again only when it lasts longer.
  if (paused !== undefined && (paused.until === undefined || (until !== undefined && until <= paused.until)))
    return;
  decision.emit({ kind: 'run-paused', reason, until, cause });
}

/** A larger budget in all; a run that was paused for the smaller one goes on. Throws E_RUN_STATE. */
function decideRaise(decision: Decision, { usd, perTask = false }: InputOf<'raise-budget'>): void {
  const { state } = decision;
  const { run, phase, plan, paused } = state;
  const whose = perTask ? `each task of run ${run}` : `run ${run}`;
  const no = (why: string): AppError =>
    new AppError('E_RUN_STATE', `the budget of ${whose} cannot be raised: ${why}`);
  if (phase.kind !== 'running' && phase.kind !== 'planned') throw no(`the run is ${phase.kind}`);
  const { budgetUsd, taskBudgetUsd } = plan.limits;
  const before = perTask ? taskBudgetUsd : budgetUsd;
  if (before === undefined) throw no('there is none');
  if (usd <= before) throw no(`it is ${usdText(microUsdOf(before))} already; name a larger one, in all`);
  const spent = perTask ? 0 : spentBy(state);
  if (microUsdOf(usd) <= spent) throw no(`${usdText(spent)} are spent already; name more than that, in all`);
  decision.emit({ kind: 'budget-raised', usd, of: perTask ? 'task' : 'run' });
  if (paused?.cause === 'budget') decision.emit({ kind: 'run-resumed', reason: 'its budget was raised' });
}
