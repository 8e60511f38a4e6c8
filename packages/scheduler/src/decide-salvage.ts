import { AppError, unknownTask, type ResumePoint, type TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import type { RunInput } from './input.ts';
import type { AttemptRecord, TaskPhaseState, TaskState } from './state.ts';

/** The attempt with this fence, if it was taken from its worker: what that hands in now is late. */
export function fencedAttempt(
  task: Pick<TaskState, 'history'>,
  fence: number,
): Readonly<AttemptRecord> | undefined {
  return task.history.find(
    (record) => record.fence === fence && (record.outcome === 'lost' || record.outcome === 'cancelled'),
  );
}

/** A late result is kept once, and changes nothing else: also of a task or a run that has ended. */
export function decideSalvaged(decision: Decision, input: RunInput & { readonly kind: 'salvaged' }): void {
  const { taskId, fence, salvage } = input;
  if (!decision.state.tasks.has(taskId)) return;
  const record = fencedAttempt(decision.task(taskId), fence);
  if (record === undefined || record.salvage !== undefined) return;
  const { attempt, worker } = record;
  decision.emit({ kind: 'attempt-salvaged', taskId, fence, attempt, worker, salvage });
}

/** Work in progress counts for an attempt that has no result; the newest takes the place of the one before. */
export function decideWip(decision: Decision, input: RunInput & { readonly kind: 'wip-kept' }): void {
  const { taskId, fence, wip } = input;
  if (!decision.state.tasks.has(taskId)) return;
  const record = decision.task(taskId).history.find((attempt) => attempt.fence === fence);
  if (record === undefined || !isWithoutResult(record) || record.wip?.commit === wip.commit) return;
  const { attempt, worker } = record;
  decision.emit({ kind: 'attempt-wip', taskId, fence, attempt, worker, wip });
}

/** Phases of a task that another attempt may follow. */
const goesOn: ReadonlySet<TaskPhaseState['kind']> = new Set([
  'pending',
  'ready',
  'leased',
  'preparing',
  'running',
  'waiting',
]);

/** A person lets the next attempt go on from what is kept. Throws E_TASK_UNKNOWN and E_RUN_STATE. */
export function decideTakeUp(decision: Decision, input: RunInput & { readonly kind: 'take-up' }): void {
  const { taskId, attempt, what } = input;
  const { state } = decision;
  if (!state.tasks.has(taskId)) throw unknownTask(state.run, taskId, state.tasks.keys());
  const { phase, history } = decision.task(taskId);
  const kept = history.find((record) => record.attempt === attempt)?.[what];
  if (kept === undefined) throw new AppError('E_RUN_STATE', nothingKept(taskId, attempt, what));
  if (state.phase.kind !== 'running' || !goesOn.has(phase.kind))
    throw new AppError(
      'E_RUN_STATE',
      `no attempt follows: task ${taskId} is ${phase.kind}, its run ${state.phase.kind}; take it as a branch instead`,
    );
  const from: ResumePoint = { kind: what, commit: kept.commit, attempt };
  decision.emit({ kind: 'resume-chosen', taskId, from });
}

function nothingKept(taskId: TaskId, attempt: number, what: ResumePoint['kind']): string {
  const name = what === 'wip' ? 'work in progress' : 'late result';
  return `no ${name} of attempt ${attempt} of task ${taskId} is kept; \`switchyard salvage list\` shows what is`;
}

/** Whether an attempt has handed nothing in (yet). */
export function isWithoutResult({ outcome }: Pick<AttemptRecord, 'outcome'>): boolean {
  return outcome === 'running' || outcome === 'lost' || outcome === 'failed' || outcome === 'cancelled';
}
