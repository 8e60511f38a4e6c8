import { evolveIntegration } from './evolve-integration.ts';
import { evolveTask } from './evolve-task.ts';
import { isIntegrationFact, isTaskFact } from './fact-kinds.ts';
import type { RunFact, WholeRunFact } from './fact.ts';
import { emptyIndex, enterIndex, growIndex } from './run-index.ts';
import type { RunState, TaskState } from './state.ts';
import { setLack } from './task-change.ts';
import type { PlanTask } from '@switchyard/protocol';

/**
 * The state after a fact; changes the state it is given, in place. Total over facts that `decide` gave for this state:
 * anything else is a bug and throws.
 */
export function evolve(state: RunState | undefined, fact: RunFact): RunState {
  if (fact.kind === 'run-created') {
    if (state !== undefined) throw new Error(`run ${fact.run} is created twice`);
    return createdRun(fact);
  }
  if (state === undefined) throw new Error(`a run begins with run-created, not ${fact.kind}`);
  if (isTaskFact(fact)) evolveTask(state, fact);
  else if (isIntegrationFact(fact)) evolveIntegration(state, fact);
  else evolveWhole(state, fact);
  return state;
}

function createdRun(fact: { readonly at: number } & WholeRunFact & { kind: 'run-created' }): RunState {
  const state: RunState = {
    run: fact.run,
    plan: { ...fact.plan, tasks: [] },
    base: fact.base,
    branch: fact.branch,
    file: fact.file,
    include: fact.include,
    createdAt: fact.at,
    phase: { kind: 'planned' },
    strategy: fact.strategy,
    tip: fact.base,
    candidate: fact.base,
    tasks: new Map(),
    integration: { kind: 'idle' },
    queue: [],
    suspects: [],
    trial: 0,
    deferred: [],
    batches: 0,
    verifications: [],
    answers: [],
    index: emptyIndex(),
  };
  addTasks(state, fact.plan.tasks);
  return state;
}

function evolveWhole(state: RunState, fact: { readonly at: number } & WholeRunFact): void {
  switch (fact.kind) {
    case 'run-created':
      return;
    case 'run-started':
      state.phase = { kind: 'running' };
      state.startedAt = fact.at;
      return;
    case 'tasks-added':
      addTasks(state, fact.tasks);
      return;
    case 'run-paused':
      state.paused = {
        since: state.paused?.since ?? fact.at,
        reason: fact.reason,
        until: fact.until,
        ...(fact.cause !== undefined && { cause: fact.cause }),
      };
      return;
    case 'budget-raised':
      state.plan = {
        ...state.plan,
        limits: { ...state.plan.limits, [fact.of === 'run' ? 'budgetUsd' : 'taskBudgetUsd']: fact.usd },
      };
      return;
    case 'run-resumed':
      state.paused = undefined;
      // Waits for a worker begin anew: nobody was looked for meanwhile.
      for (const id of [...state.index.unmatched]) setLack(state, id, undefined);
      return;
    case 'run-stopping':
      state.phase = { kind: 'stopping', end: fact.end, reason: fact.reason };
      return;
    case 'run-ended':
      state.paused = undefined;
      state.phase =
        fact.end === 'completed'
          ? { kind: 'completed', at: fact.at }
          : { kind: fact.end, at: fact.at, reason: fact.reason };
      return;
  }
}

function addTasks(state: RunState, tasks: readonly PlanTask[]): void {
  state.plan = { ...state.plan, tasks: [...state.plan.tasks, ...tasks] };
  growIndex(state);
  for (const task of tasks) {
    const added: TaskState = {
      task,
      phase: { kind: 'pending' },
      attempts: 0,
      fence: 0,
      round: 1,
      feedback: [],
      history: [],
    };
    state.tasks.set(task.id, added);
    enterIndex(state, added);
  }
}
