import { dependantsOf, remainingMinutes, type PlanTask, type TaskId } from '@switchyard/protocol';
import { copyPathLeases, holdPaths, noPathLeases, releasePaths } from './path-leases.ts';
import type { RunIndex, RunState, TaskPhaseState, TaskState } from './state.ts';

/** The index of a run none of whose tasks has begun; `indexPlan` and `enterIndex` fill it. */
export function emptyIndex(): RunIndex {
  return {
    order: new Map(),
    dependants: new Map(),
    remaining: new Map(),
    counts: {
      pending: 0,
      ready: 0,
      leased: 0,
      preparing: 0,
      running: 0,
      reviewing: 0,
      integrating: 0,
      verifying: 0,
      waiting: 0,
      completed: 0,
      failed: 0,
      skipped: 0,
      cancelled: 0,
      'rolled-back': 0,
    },
    ready: [],
    delayed: new Set(),
    unmatched: new Set(),
    active: new Set(),
    reviewing: new Set(),
    waiting: new Set(),
    handing: new Set(),
    paths: noPathLeases(),
  };
}

/** A copy that can be changed for itself; the graph, which only grows as a whole, is shared. */
export function copyIndex(index: RunIndex): RunIndex {
  return {
    ...index,
    counts: { ...index.counts },
    ready: [...index.ready],
    delayed: new Set(index.delayed),
    unmatched: new Set(index.unmatched),
    active: new Set(index.active),
    reviewing: new Set(index.reviewing),
    waiting: new Set(index.waiting),
    handing: new Set(index.handing),
    paths: copyPathLeases(index.paths),
  };
}

/** Takes in the graph of a plan that is new or has grown. */
export function indexPlan(index: RunIndex, tasks: readonly PlanTask[]): void {
  index.order = new Map(tasks.map((task, place) => [task.id, place]));
  index.dependants = dependantsOf(tasks);
  index.remaining = remainingMinutes(tasks, index.dependants);
}

/** Takes in tasks that were added to a run: what waits for a ready one may have made it more urgent than others. */
export function growIndex(state: RunState): void {
  const { index } = state;
  indexPlan(index, state.plan.tasks);
  for (const id of index.ready.splice(0)) insertReady(state, id);
}

/** A task is in its phase. */
export function enterIndex(state: RunState, task: TaskState): void {
  const { index } = state;
  const { id } = task.task;
  index.counts[task.phase.kind] += 1;
  if (isDue(task.phase)) insertReady(state, id);
  else setOf(index, task.phase)?.add(id);
  if (task.phase.kind === 'ready' && task.phase.lack !== undefined) index.unmatched.add(id);
  if (isHanding(task)) index.handing.add(id);
}

/** A task that is new, or has changed: whether it held its paths before is what `wasHolding` says. */
export function indexPaths({ index }: RunState, task: TaskState, wasHolding: boolean): void {
  const isHolding = holdsPaths(task);
  if (isHolding === wasHolding) return; // most changes: from one phase of an attempt to the next
  if (isHolding) holdPaths(index.paths, task.task.workspace);
  else releasePaths(index.paths, task.task.workspace);
}

/** A task is about to leave its phase. */
export function leaveIndex(state: RunState, task: TaskState): void {
  const { index } = state;
  const { id } = task.task;
  index.counts[task.phase.kind] -= 1;
  if (isDue(task.phase)) leaveReady(index.ready, id);
  else setOf(index, task.phase)?.delete(id);
  index.unmatched.delete(id);
  index.handing.delete(id);
}

/**
 * Whether a task holds its path lease: from its first lease until its change is integrated or given up. A retry that
 * begins anew holds nothing; one that goes on from an earlier commit never let go.
 */
export function holdsPaths(task: TaskState): boolean {
  if (task.task.kind !== 'implement' && task.task.kind !== 'verify') return false;
  const { phase } = task;
  switch (phase.kind) {
    case 'leased':
    case 'preparing':
    case 'running':
    case 'reviewing':
      return true;
    case 'integrating':
    case 'verifying':
      return phase.holds;
    case 'ready':
      return task.continueFrom !== undefined;
    case 'waiting':
      return task.continueFrom !== undefined || phase.wait.submitted !== undefined;
    case 'pending':
    case 'completed':
    case 'failed':
    case 'skipped':
    case 'cancelled':
    case 'rolled-back':
      return false;
  }
}

/** Whether a task has completed with follow-ups that nobody has looked at. */
export function isHanding({ task, phase, history, handedFence }: TaskState): boolean {
  if (phase.kind !== 'completed' || task.followUps === 'ignore') return false;
  const last = history.at(-1);
  return (last?.handover?.followUps ?? []).length > 0 && last?.fence !== handedFence;
}

function isDue(phase: TaskPhaseState): boolean {
  return phase.kind === 'ready' && phase.notBefore <= phase.since;
}

function setOf(index: RunIndex, phase: TaskPhaseState): Set<TaskId> | undefined {
  switch (phase.kind) {
    case 'ready':
      return index.delayed;
    case 'leased':
    case 'preparing':
    case 'running':
      return index.active;
    case 'reviewing':
      return index.reviewing;
    case 'waiting':
      return index.waiting;
    case 'pending':
    case 'integrating':
    case 'verifying':
    case 'completed':
    case 'failed':
    case 'skipped':
    case 'cancelled':
    case 'rolled-back':
      return undefined;
  }
}

/** Mostly the first is leased; `splice` would move all that are behind it. */
function leaveReady(ready: TaskId[], id: TaskId): void {
  if (ready[0] === id) ready.shift();
  else ready.splice(ready.indexOf(id), 1);
}

/** Keeps `ready` sorted: by the longest remaining path for critical-path, else by time, then by place in the plan. */
function insertReady(state: RunState, id: TaskId): void {
  const { ready } = state.index;
  let low = 0;
  let high = ready.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = ready[middle];
    if (other !== undefined && comesBefore(state, other, id)) low = middle + 1;
    else high = middle;
  }
  ready.splice(low, 0, id);
}

function comesBefore(state: RunState, a: TaskId, b: TaskId): boolean {
  const { index } = state;
  if (state.strategy.chosen === 'critical-path') {
    const longer = (index.remaining.get(a) ?? 0) - (index.remaining.get(b) ?? 0);
    if (longer !== 0) return longer > 0;
  }
  const earlier = readySince(state, a) - readySince(state, b);
  if (earlier !== 0) return earlier < 0;
  return (index.order.get(a) ?? 0) < (index.order.get(b) ?? 0);
}

function readySince(state: RunState, id: TaskId): number {
  const phase = state.tasks.get(id)?.phase;
  return phase?.kind === 'ready' ? phase.since : 0;
}
