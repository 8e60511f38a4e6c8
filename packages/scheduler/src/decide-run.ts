import { AppError, chooseStrategy, limits, unknownTask, type TaskId } from '@switchyard/protocol';
import { isTerminal, type Decision } from './decision.ts';
import type { RunFact } from './fact.ts';
import { graphProblem } from './graph-problem.ts';
import type { RunInput } from './input.ts';
import { reopenDependants } from './reopen.ts';
import { cancelTask, stopRun } from './run-end.ts';
import type { IntegrationState, RunState } from './state.ts';

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };

/** A new run. Throws E_PLAN_INVALID. */
export function decideCreate(input: InputOf<'create'>): readonly RunFact[] {
  const { at, run, plan, base, file, include } = input;
  const problem = graphProblem(plan.tasks);
  if (problem !== undefined) throw new AppError('E_PLAN_INVALID', problem);
  const strategy = chooseStrategy(plan);
  const branch = `switchyard/${run}`;
  return [{ kind: 'run-created', at, run, plan, base, branch, file, include, strategy }];
}

/** Begins a run; a run that has begun goes on. Throws E_RUN_STATE when it has ended. */
export function decideStart(decision: Decision): void {
  mustBeOpen(decision.state, 'be started');
  if (decision.state.phase.kind === 'planned') decision.emit({ kind: 'run-started' });
}

/** No new leases; what runs goes on. Throws E_RUN_STATE. */
export function decidePause(decision: Decision, { reason }: InputOf<'pause'>): void {
  mustBeOpen(decision.state, 'be paused');
  const { paused } = decision.state;
  // A person's pause outlasts one that would end by itself.
  if (paused === undefined || paused.until !== undefined) decision.emit({ kind: 'run-paused', reason });
}

/** Throws E_RUN_STATE. */
export function decideResume(decision: Decision): void {
  mustBeOpen(decision.state, 'be resumed');
  if (decision.state.paused !== undefined) decision.emit({ kind: 'run-resumed' });
}

/** Cancels a run or one task. Throws E_RUN_STATE and E_TASK_UNKNOWN. */
export function decideCancel(decision: Decision, { taskId, reason }: InputOf<'cancel'>): void {
  const text = reason === '' ? 'cancelled by a person' : reason;
  if (taskId !== undefined) {
    mustBeOpen(decision.state, 'change');
    decideCancelTask(decision, taskId, text);
    return;
  }
  if (decision.state.phase.kind === 'stopping') return;
  mustBeOpen(decision.state, 'be cancelled');
  stopRun(decision, 'cancelled', text);
}

function decideCancelTask(decision: Decision, taskId: TaskId, reason: string): void {
  const { state } = decision;
  if (!state.tasks.has(taskId)) throw unknownTask(state.run, taskId, state.tasks.keys());
  const task = decision.task(taskId);
  if (isTerminal(task))
    throw new AppError('E_RUN_STATE', `task ${taskId} is ${task.phase.kind} and cannot be cancelled`);
  const onItsWay = batchOf(state.integration).includes(taskId);
  if (isTooLate(decision, taskId, onItsWay))
    throw new AppError(
      'E_RUN_STATE',
      `task ${taskId} is integrated already and cannot be cancelled; cancel the run to drop it`,
    );
  if (onItsWay) withdraw(decision, taskId, reason);
  cancelTask(decision, taskId, reason);
  reopenDependants(decision, taskId);
}

function isTooLate(decision: Decision, taskId: TaskId, onItsWay: boolean): boolean {
  const { phase } = decision.task(taskId);
  if (phase.kind === 'verifying' && phase.onCandidate) return true;
  return onItsWay && decision.state.integration.kind === 'moving';
}

/** Drops the batch that a task is in; the others of the batch are integrated without it. */
function withdraw(decision: Decision, taskId: TaskId, reason: string): void {
  const { integration, suspects, trial } = decision.state;
  if (integration.kind === 'idle') return;
  const { batch } = integration.decision;
  const requeue = batchOf(integration).filter((id) => id !== taskId && !suspects.includes(id));
  decision.emit({ kind: 'integration-abandoned', batch, reason, requeue });
  const left = suspects.filter((id) => id !== taskId);
  if (left.length > 0) decision.emit({ kind: 'batch-bisected', batch, suspects: left, trial });
}

/** The tasks that are being integrated; one that conflicted may be in work again, or even in the queue. */
function batchOf(integration: IntegrationState): readonly TaskId[] {
  if (integration.kind === 'idle') return [];
  const among = integration.kind === 'merging' ? integration.decision.entries : integration.merged;
  return among.map(({ taskId }) => taskId);
}

/** Grows the graph. Throws E_PLAN_INVALID and E_RUN_STATE. */
export function decideAddTasks(decision: Decision, { tasks }: InputOf<'add-tasks'>): void {
  mustBeOpen(decision.state, 'grow');
  const grown = [...decision.state.plan.tasks, ...tasks];
  if (grown.length > limits.planTasks)
    throw new AppError(
      'E_PLAN_INVALID',
      `the run would have ${grown.length} tasks, over ${limits.planTasks}`,
    );
  const problem = graphProblem(grown);
  if (problem !== undefined) throw new AppError('E_PLAN_INVALID', problem);
  decision.emit({ kind: 'tasks-added', tasks });
}

function mustBeOpen({ run, phase }: RunState, what: string): void {
  if (phase.kind === 'planned' || phase.kind === 'running') return;
  const now = phase.kind === 'stopping' ? `is stopping (${phase.reason})` : `has ended as ${phase.kind}`;
  throw new AppError('E_RUN_STATE', `run ${run} ${now} and cannot ${what}`);
}
