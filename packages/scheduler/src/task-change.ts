import type { Fence, TaskId } from '@switchyard/protocol';
import { enterIndex, holdsPaths, indexPaths, leaveIndex } from './run-index.ts';
import type { AttemptOutcome, AttemptRecord, Lack, RunState, TaskState } from './state.ts';

/** The task of a fact; facts name tasks of their run, anything else is a bug. */
export function taskOf(state: RunState, id: TaskId): TaskState {
  const task = state.tasks.get(id);
  if (task === undefined) throw new Error(`run ${state.run} has no task ${id}`);
  return task;
}

/** The only way to change a task's phase or what its path lease depends on: the index follows. */
export function changeTask(state: RunState, id: TaskId, change: (task: TaskState) => void): void {
  const task = taskOf(state, id);
  const wasIntegrating = isIntegrating(task);
  const wasHolding = holdsPaths(task);
  leaveIndex(state, task);
  change(task);
  enterIndex(state, task);
  indexPaths(state, task, wasHolding);
  if (wasIntegrating && !isIntegrating(task)) forgetIntegration(state, id);
}

/** Says what a ready task lacks, or that it lacks nothing any more. */
export function setLack(state: RunState, id: TaskId, lack: Lack | undefined): void {
  changeTask(state, id, (task) => {
    if (task.phase.kind === 'ready') task.phase = { ...task.phase, lack };
  });
}

/** What the next attempt of a task is told from earlier ones by. */
export function nextFence({ fence }: Pick<TaskState, 'fence'>): Fence {
  return (fence + 1) as Fence; // not parsed: every fence is one more than another
}

/** The attempt that was begun last. */
export function lastRecord(task: TaskState): AttemptRecord | undefined {
  return task.history.at(-1);
}

/** Says how the last attempt came out, unless it had come out before. */
export function settleRecord(task: TaskState, outcome: AttemptOutcome, at: number): void {
  const record = lastRecord(task);
  if (record === undefined || !open.has(record.outcome)) return;
  record.outcome = outcome;
  record.endedAt ??= at;
}

const open: ReadonlySet<AttemptOutcome> = new Set(['running', 'submitted', 'accepted']);

function isIntegrating(task: TaskState): boolean {
  return task.phase.kind === 'integrating' || task.phase.kind === 'verifying';
}

function forgetIntegration(state: RunState, id: TaskId): void {
  const place = state.queue.indexOf(id);
  if (place !== -1) state.queue.splice(place, 1);
  if (state.suspects.includes(id)) state.suspects = state.suspects.filter((other) => other !== id);
  if (state.deferred.includes(id)) state.deferred = state.deferred.filter((other) => other !== id);
}
