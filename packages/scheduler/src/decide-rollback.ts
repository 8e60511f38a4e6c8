import { AppError, howItEnded, isPassed, unknownTask, type Finding, type TaskId } from '@switchyard/protocol';
import { isTerminal, type Decision } from './decision.ts';
import type { RunInput } from './input.ts';
import { reopenDependants } from './reopen.ts';
import type { IntegrationState, MergedTask, Rollback, RunState, TaskState } from './state.ts';

/**
 * A rollback takes merges back from the run branch, as an integration puts them there: asked → decided, with everything
 * its commits are made of → computed → verified → the branch moves. Until it has moved, nothing has changed; what
 * cannot be taken back stays, and the refusal says why.
 */

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };
type During<K extends IntegrationState['kind']> = IntegrationState & { readonly kind: K };

/** A person asks. Throws E_TASK_UNKNOWN, E_RUN_STATE and E_ROLLBACK_DEPENDANTS. */
export function decideRollback(decision: Decision, input: InputOf<'rollback'>): void {
  const { state } = decision;
  const { taskId, withDependants, reason } = input;
  mustBeIdle(state, taskId);
  const taskIds = taskId === undefined ? [] : [taskId];
  if (taskId !== undefined) mustBeMerged(decision, taskId);
  else if (mergesOf(state, [...state.tasks.keys()]).length === 0)
    throw new AppError('E_RUN_STATE', `run ${state.run} has nothing on its branch that could be rolled back`);
  const left = withDependants ? [] : dependantsLeft(decision, taskIds);
  if (taskId !== undefined && left.length > 0)
    throw new AppError('E_ROLLBACK_DEPENDANTS', dependantsText(taskId, left), {
      details: { dependants: left.map(({ task }) => task.id) },
    });
  const why = reason === '' ? 'a person rolled it back' : reason;
  askRollback(decision, { taskIds, withDependants, reason: why });
}

/** A rollback waits for its turn. */
export function askRollback(decision: Decision, rollback: Rollback): void {
  decision.emit({ kind: 'rollback-asked', ...rollback });
}

function mustBeIdle({ run, phase, rollback, tip, candidate }: RunState, taskId: TaskId | undefined): void {
  const refuse = (why: string): never => {
    throw new AppError('E_RUN_STATE', `run ${run} ${why}`);
  };
  if (rollback !== undefined) refuse('is being rolled back already; wait until that has ended');
  if (phase.kind === 'planned') refuse('has not begun');
  if (phase.kind === 'stopping') refuse(`is stopping (${phase.reason}); wait until it has ended`);
  if (phase.kind !== 'running') return;
  if (taskId === undefined) refuse('is still running; cancel it first, or roll back one task with --task');
  if (tip !== candidate)
    refuse('verifies at its end, and what it has merged is on no branch yet; wait for the end, or cancel it');
}

function mustBeMerged(decision: Decision, taskId: TaskId): void {
  const { state } = decision;
  if (!state.tasks.has(taskId)) throw unknownTask(state.run, taskId, state.tasks.keys());
  const task = decision.task(taskId);
  if (task.merges !== undefined && task.phase.kind === 'completed') return;
  const now = task.phase.kind === 'completed' ? 'completed without a change' : `is ${task.phase.kind}`;
  throw new AppError('E_RUN_STATE', `task ${taskId} ${now}: nothing of it could be taken off the run branch`);
}

/** What comes after some tasks, directly or not, in the order of the plan. */
function afterThem({ index, tasks }: RunState, ids: readonly TaskId[]): TaskState[] {
  const found = new Set<TaskId>();
  const look = [...ids];
  for (let id = look.pop(); id !== undefined; id = look.pop())
    for (const dependant of index.dependants.get(id) ?? [])
      if (!found.has(dependant)) {
        found.add(dependant);
        look.push(dependant);
      }
  return [...tasks.values()].filter(({ task }) => found.has(task.id) && !ids.includes(task.id));
}

/** Dependants that a rollback would leave without their ground. */
function dependantsLeft({ state }: Decision, ids: readonly TaskId[]): TaskState[] {
  return afterThem(state, ids).filter(isBuilt);
}

function isBuilt(task: TaskState): boolean {
  const { kind } = task.phase;
  return task.merges !== undefined || !(isTerminal(task) || kind === 'pending' || kind === 'ready');
}

function dependantsText(taskId: TaskId, left: readonly TaskState[]): string {
  const names = left
    .slice(0, 20)
    .map(({ task, phase }) => `${task.id} (${phase.kind === 'completed' ? 'merged' : phase.kind})`);
  const more = left.length > names.length ? ` and ${left.length - names.length} more` : '';
  return `${names.join(', ')}${more} ${left.length === 1 ? 'rests' : 'rest'} on ${taskId}; --with-dependants takes what is merged of them back too, and skips the others`;
}

/** Merges of some tasks, newest first. */
function mergesOf({ tasks }: RunState, ids: readonly TaskId[]): MergedTask[] {
  return ids
    .flatMap((taskId) => (tasks.get(taskId)?.merges ?? []).map((merge) => ({ taskId, ...merge })))
    .toSorted((a, b) => b.order - a.order)
    .map(({ taskId, commit }) => ({ taskId, commit }));
}

/** Begins the rollback that was asked for, when nothing else is on its way to the branch. */
export function beginRollback(decision: Decision): void {
  const { state } = decision;
  const { rollback, integration } = state;
  if (rollback === undefined || integration.kind !== 'idle') return;
  if (state.phase.kind === 'running' && state.tip !== state.candidate) return;
  const { taskIds, withDependants, reason } = rollback;
  const left = taskIds.length === 0 ? [] : dependantsLeft(decision, taskIds);
  const [asked] = taskIds;
  if (asked !== undefined && !withDependants && left.length > 0) {
    refuseRollback(decision, dependantsText(asked, left)); // they have come since it was asked
    return;
  }
  const ids =
    taskIds.length === 0 ? [...state.tasks.keys()] : [...taskIds, ...left.map(({ task }) => task.id)];
  const reverts = mergesOf(state, ids);
  const { batches, tip: parent } = state;
  if (reverts.length === 0) refuseRollback(decision, 'nothing of it is on the run branch');
  else decision.emit({ kind: 'rollback-decided', batch: batches + 1, parent, reverts, reason });
}

/** Everything stays as it is. */
export function refuseRollback(decision: Decision, reason: string, findings: readonly Finding[] = []): void {
  decision.emit({ kind: 'rollback-refused', reason, findings });
}

/** The commits are there, or cannot be made. */
export function decideReverted(decision: Decision, input: InputOf<'reverted'>): void {
  const { batch, tip, conflicts } = input;
  if (conflicts.length > 0) {
    const what = conflicts.map(({ taskId, findings }) => {
      const files = findings.flatMap(({ file }) => file ?? []);
      return files.length === 0 ? taskId : `${taskId} in ${files.slice(0, 5).join(', ')}`;
    });
    const reason = `later changes are mixed with those of ${what.join('; ')}; roll those back first, or mend it by a task`;
    refuseRollback(
      decision,
      reason,
      conflicts.flatMap(({ findings }) => findings),
    );
    return;
  }
  // What the run began from needs no proof, and may well not pass: the plan was to change that.
  const isProven = input.isBase || decision.state.plan.verify.run.length === 0;
  const next = isProven ? 'move' : 'verify';
  decision.emit({ kind: 'merges-reverted', batch, tip, next });
}

/** The run branch without them passes, or they stay. */
export function decideRevertVerified(
  decision: Decision,
  input: InputOf<'verified'>,
  during: During<'verifying'>,
): void {
  const { batch, passed, receipts } = input;
  const tasks = tasksOf(during);
  const what = { batch, commit: during.tip, tasks, passed, receipts };
  decision.emit({ kind: 'batch-verified', ...what, isRollback: true });
  if (passed) return;
  const failed = receipts.find((receipt) => !isPassed(receipt));
  const how = failed === undefined ? 'no command says why' : howItEnded(failed);
  refuseRollback(decision, `the run branch does not pass without ${tasks.join(', ')}: ${how}`);
}

/** They are off the branch. */
export function decideRevertMoved(decision: Decision, during: During<'moving'>): void {
  const { decision: decided, from, to } = during;
  const reason = decision.state.rollback?.reason ?? 'rolled back';
  decision.emit({ kind: 'branch-moved', batch: decided.batch, from, to, merged: [] });
  const tasks = tasksOf(during);
  for (const taskId of tasks) decision.emit({ kind: 'task-rolled-back', taskId, commit: to, reason });
  if (decision.state.phase.kind === 'running') for (const taskId of tasks) reopenDependants(decision, taskId);
}

function tasksOf({ decision: { reverts = [] } }: During<'verifying' | 'moving'>): TaskId[] {
  return [...new Set(reverts.map(({ taskId }) => taskId))];
}
