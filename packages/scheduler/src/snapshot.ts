import type { Plan } from '@switchyard/protocol';
import { emptyIndex, enterIndex, indexPaths, indexPlan } from './run-index.ts';
import type { RunState, TaskState, VerificationRecord } from './state.ts';

/**
 * The version of what a snapshot of a run holds. It is raised with every change of `RunState` or of what `evolve` makes
 * of a fact: snapshots of another shape are not read, and the facts are folded instead. `old-journals.test.ts` says
 * when.
 */
export const runSnapshotShape = 9;

/** A run without what there may be many of, and without what can be told from the rest. */
export interface RunHead extends Omit<RunState, 'plan' | 'tasks' | 'verifications' | 'index'> {
  readonly plan: Omit<Plan, 'tasks'>;
}

/** What is kept of a run: plain data, that goes through JSON. Tasks are in plan order. */
export interface RunSnapshot {
  readonly head: RunHead;
  readonly tasks: readonly TaskState[];
  readonly verifications: VerificationRecord[];
}

/** The head of a run's snapshot; shares what it holds with the state. */
export function runHead(state: RunState): RunHead {
  const { plan, tasks: _tasks, verifications: _verifications, index: _index, ...head } = state;
  const { tasks: _planTasks, ...planHead } = plan;
  return { ...head, plan: planHead };
}

/** The snapshot of a run. */
export function snapshotRun(state: RunState): RunSnapshot {
  return { head: runHead(state), tasks: [...state.tasks.values()], verifications: state.verifications };
}

/** The state that a snapshot was made of, which it takes over; the index is built anew. */
export function restoreRun({ head, tasks, verifications }: RunSnapshot): RunState {
  const state: RunState = {
    ...head,
    plan: { ...head.plan, tasks: tasks.map(({ task }) => task) },
    tasks: new Map(tasks.map((kept) => [kept.task.id, kept])),
    verifications,
    index: emptyIndex(),
  };
  indexPlan(state.index, state.plan.tasks);
  for (const task of tasks) {
    enterIndex(state, task);
    indexPaths(state, task, false);
  }
  return state;
}
