import {
  keptKinds,
  type KeptWork,
  type Progress,
  type RunPhase,
  type RunSummary,
  type RunView,
  type TaskView,
} from '@switchyard/protocol';
import { leaseOf } from './decision.ts';
import { openQuestion } from './decide-question.ts';
import { reasonOf } from './reason.ts';
import { usageRowsOf } from './usage-rows.ts';
import type { RunState, TaskPhaseState, TaskState } from './state.ts';

/** How far a run is, in numbers. */
export function progressOf({ index: { counts }, tasks }: RunState): Progress {
  return {
    total: tasks.size,
    completed: counts.completed,
    failed: counts.failed,
    skipped: counts.skipped,
    cancelled: counts.cancelled,
    ...(counts['rolled-back'] === 0 ? {} : { rolledBack: counts['rolled-back'] }),
    running: runningIn(counts),
    waiting: counts.waiting,
  };
}

function runningIn(counts: RunState['index']['counts']): number {
  const { leased, preparing, running, reviewing, integrating, verifying } = counts;
  return leased + preparing + running + reviewing + integrating + verifying;
}

const lastProgress = new WeakMap<RunState['index']['counts'], Progress>();

/** The same for an event: one object for all between which nothing of it changes, since events are kept. */
export function sharedProgressOf(state: RunState): Progress {
  const { counts } = state.index;
  const last = lastProgress.get(counts);
  if (last !== undefined && isStill(last, state)) return last;
  const now = progressOf(state);
  lastProgress.set(counts, now);
  return now;
}

function isStill(told: Progress, { index: { counts }, tasks }: RunState): boolean {
  return (
    told.running === runningIn(counts) &&
    told.completed === counts.completed &&
    told.waiting === counts.waiting &&
    told.failed === counts.failed &&
    told.skipped === counts.skipped &&
    told.cancelled === counts.cancelled &&
    (told.rolledBack ?? 0) === counts['rolled-back'] &&
    told.total === tasks.size
  );
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
    ...(ended || state.paused?.until === undefined ? {} : { pausedUntil: state.paused.until }),
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
  const usage = usageRowsOf(state);
  const { budgetUsd } = state.plan.limits;
  return {
    ...summaryOf(state),
    strategy: { ...state.strategy },
    tasks: [...state.tasks.values()].map((task) => taskViewOf(state, task)),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    ...(usage.length === 0 ? {} : { usage }),
  };
}

/** A stopping run is still running for people: its end is not written yet. */
function runPhaseOf({ phase }: RunState): RunPhase {
  return phase.kind === 'stopping' ? 'running' : phase.kind;
}

function taskViewOf(state: RunState, task: TaskState): TaskView {
  const { phase, history } = task;
  const worker = leaseOf(task)?.worker ?? history.at(-1)?.worker;
  const reason = reasonOf(state, task);
  const kept = keptWorkOf(task);
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
    ...(phase.kind === 'waiting' ? { waiting: waitingFor(phase) } : askingFor(task)),
    ...(kept.length === 0 ? {} : { kept }),
    ...(task.caseFile === undefined ? {} : { caseFile: task.caseFile }),
  };
}

/** What is kept of a task's attempts beside their results; of one at work only when it has ended. */
function keptWorkOf({ history, takeUp }: TaskState): KeptWork[] {
  return history.flatMap((record) =>
    keptKinds.flatMap((kind) => {
      const kept = record[kind];
      if (kept === undefined || record.outcome === 'running') return [];
      const { attempt, worker, base } = record;
      return [{ ...kept, kind, attempt, worker, base, isNext: takeUp?.commit === kept.commit }];
    }),
  );
}

function waitingFor({ wait }: TaskPhaseState & { kind: 'waiting' }) {
  const { kind, text, since, deadline } = wait;
  const inputs = wait.inputs === undefined ? {} : { inputs: [...wait.inputs] };
  return { kind, text, since, deadline, default: wait.default, ...inputs };
}

/** An attempt at work that has asked. */
function askingFor(task: TaskState): Pick<TaskView, 'waiting'> {
  const question = openQuestion(task);
  if (question === undefined) return {};
  const { text, since, deadline } = question;
  return { waiting: { kind: 'question', text, since, deadline, default: 'escalate' } };
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
    case 'rolled-back':
      return phase.at;
    case 'ready':
    case 'reviewing':
    case 'integrating':
    case 'verifying':
      return phase.since;
  }
}
