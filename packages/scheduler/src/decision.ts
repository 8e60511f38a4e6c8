import type { TaskId } from '@switchyard/protocol';
import { CopyOnWriteMap } from './copy-on-write-map.ts';
import { evolve } from './evolve.ts';
import type { RunFact, UndatedFact } from './fact.ts';
import { copyIndex } from './run-index.ts';
import type { Lease, RunState, TaskState } from './state.ts';

/**
 * Facts in the making. Each fact is folded at once, so that what follows is decided on the state as it will be: into a
 * draft, which copies only what facts touch, or, where the state is the caller's to give, into the state itself.
 */
export class Decision {
  readonly at: number;
  readonly facts: RunFact[] = [];
  /** Tasks whose dependants have to be looked at. */
  readonly settled: TaskId[] = [];
  /** Tasks that have to be looked at themselves. */
  readonly fresh: TaskId[] = [];
  private readonly given: RunState;
  private draft: (RunState & { tasks: CopyOnWriteMap<TaskId, TaskState> }) | undefined;
  private readonly folded: FoldedFact | undefined;

  /** @param folded the state is changed in place, and this is told of each fact behind its fold. */
  constructor(state: RunState, at: number, folded?: FoldedFact) {
    this.given = state;
    this.at = at;
    this.folded = folded;
  }

  /** The state with every fact so far; only to be read. */
  get state(): RunState {
    return this.draft ?? this.given;
  }

  /** A task as it is now; only to be read. */
  task(id: TaskId): Readonly<TaskState> {
    const task = this.draft === undefined ? this.given.tasks.get(id) : this.draft.tasks.peek(id);
    if (task === undefined) throw new Error(`run ${this.given.run} has no task ${id}`);
    return task;
  }

  /** Decides one thing. */
  emit(undated: UndatedFact): void {
    const fact: RunFact = { ...undated, at: this.at };
    this.fold(fact);
    this.facts.push(fact);
    this.note(fact);
  }

  private fold(fact: RunFact): void {
    if (this.folded === undefined) {
      this.draft ??= draftOf(this.given);
      evolve(this.draft, fact);
    } else {
      evolve(this.given, fact);
      this.folded(fact);
    }
  }

  private note(fact: RunFact): void {
    switch (fact.kind) {
      case 'task-completed':
      case 'task-failed':
      case 'task-skipped':
      case 'task-cancelled':
      case 'task-rolled-back':
        this.settled.push(fact.taskId);
        return;
      case 'task-sent-back':
      case 'task-rejected':
      case 'task-conflicted':
      case 'task-retry-scheduled':
        this.fresh.push(fact.taskId);
        return;
      case 'tasks-merged':
        if (fact.next === 'defer') this.settled.push(...fact.merged.map(({ taskId }) => taskId));
        return;
      case 'tasks-added':
        this.fresh.push(...fact.tasks.map(({ id }) => id));
        return;
      case 'run-started':
        this.fresh.push(...this.state.tasks.keys());
        return;
      default:
    }
  }
}

/** Called with a fact that the state has taken in. */
export type FoldedFact = (fact: RunFact) => void;

/** The lease of a task, while a worker has it. */
export function leaseOf(task: Pick<TaskState, 'phase'>): Lease | undefined {
  const { phase } = task;
  return phase.kind === 'leased' || phase.kind === 'preparing' || phase.kind === 'running'
    ? phase.lease
    : undefined;
}

/** Whether a task's phase is never left. */
export function isTerminal(task: Pick<TaskState, 'phase'>): boolean {
  const { kind } = task.phase;
  return (
    kind === 'completed' ||
    kind === 'failed' ||
    kind === 'skipped' ||
    kind === 'cancelled' ||
    kind === 'rolled-back'
  );
}

function draftOf(state: RunState): RunState & { tasks: CopyOnWriteMap<TaskId, TaskState> } {
  return {
    ...state,
    tasks: new CopyOnWriteMap(state.tasks, (task) => ({
      ...task,
      history: task.history.map((record) => ({ ...record })),
    })),
    queue: [...state.queue],
    verifications: [...state.verifications],
    answers: [...state.answers],
    index: copyIndex(state.index),
  };
}
