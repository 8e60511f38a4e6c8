import {
  failureLine,
  type Progress,
  type RunPhase,
  type RunSummary,
  type RunView,
  type TaskView,
} from '@switchyard/protocol';
import { leaseOf } from './decision.ts';
import type { Lack, RunState, TaskPhaseState, TaskState } from './state.ts';

/** How far a run is, in numbers. */
export function progressOf({ index: { counts }, tasks }: RunState): Progress {
  return {
    total: tasks.size,
    completed: counts.completed,
    failed: counts.failed,
    skipped: counts.skipped,
    cancelled: counts.cancelled,
    running:
      counts.leased +
      counts.preparing +
      counts.running +
      counts.reviewing +
      counts.integrating +
      counts.verifying,
    waiting: counts.waiting,
  };
}

/** A run in one line of a list. */
export function summaryOf(state: RunState): RunSummary {
  const { phase } = state;
  const ended = phase.kind === 'completed' || phase.kind === 'failed' || phase.kind === 'cancelled';
  const reason = 'reason' in phase ? phase.reason : state.paused?.reason;
  return {
    run: state.run,
    name: state.plan.name,
    phase: runPhaseOf(state),
    paused: state.paused !== undefined,
    createdAt: state.createdAt,
    ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
    ...(ended ? { finishedAt: phase.at } : {}),
    branch: state.branch,
    base: state.base,
    tip: state.tip,
    progress: progressOf(state),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A run with all its tasks, in plan order. */
export function viewOf(state: RunState): RunView {
  return {
    ...summaryOf(state),
    strategy: { ...state.strategy },
    tasks: [...state.tasks.values()].map((task) => taskViewOf(state, task)),
  };
}

/** A stopping run is still running for people: its end is not written yet. */
function runPhaseOf({ phase }: RunState): RunPhase {
  return phase.kind === 'stopping' ? 'running' : phase.kind;
}

function taskViewOf(state: RunState, task: TaskState): TaskView {
  const { phase, history } = task;
  const worker = leaseOf(task)?.worker ?? history.at(-1)?.worker;
  const reason = reasonOf(task);
  return {
    id: task.task.id,
    kind: task.task.kind,
    phase: phase.kind,
    dependsOn: [...task.task.dependsOn],
    workspace: [...task.task.workspace],
    attempt: task.attempts,
    round: task.round,
    ...(worker === undefined ? {} : { worker }),
    since: sinceOf(state, phase),
    ...(reason === undefined ? {} : { reason }),
    ...(phase.kind === 'waiting' ? { waiting: waitingFor(phase) } : {}),
  };
}

function waitingFor({ wait }: TaskPhaseState & { kind: 'waiting' }) {
  const { kind, text, since, deadline } = wait;
  return { kind, text, since, deadline, default: wait.default };
}

function sinceOf(state: RunState, phase: TaskPhaseState): number {
  switch (phase.kind) {
    case 'pending':
      return state.createdAt;
    case 'leased':
    case 'preparing':
    case 'running':
      return phase.lease.at;
    case 'waiting':
      return phase.wait.since;
    case 'completed':
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return phase.at;
    case 'ready':
    case 'reviewing':
    case 'integrating':
    case 'verifying':
      return phase.since;
  }
}

function reasonOf({ phase, task }: TaskState): string | undefined {
  switch (phase.kind) {
    case 'ready':
      return phase.lack === undefined ? (phase.reason ?? neededOf(task.requires)) : lackText(phase.lack);
    case 'waiting':
      return phase.wait.text;
    case 'failed':
      return failureLine(phase.failure);
    case 'skipped':
    case 'cancelled':
      return phase.reason;
    case 'verifying':
      return phase.onCandidate ? 'merged; verified when everything else has ended' : undefined;
    case 'pending':
    case 'leased':
    case 'preparing':
    case 'running':
    case 'reviewing':
    case 'integrating':
    case 'completed':
      return undefined;
  }
}

/** What a ready task waits for, when nobody in the fleet can take it. */
export function lackText({ labels, note }: Lack): string {
  const names = labels.length === 1 ? `label ${labels[0]}` : `labels ${labels.join(', ')}`;
  const waits =
    labels.length === 0 ? 'waits for a worker; none is there' : `waits for a worker with ${names}`;
  return note === undefined ? waits : `${waits} (${note})`;
}

function neededOf(requires: readonly string[]): string | undefined {
  return requires.length === 0 ? undefined : `needs a free worker that offers ${requires.join(', ')}`;
}
