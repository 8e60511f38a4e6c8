import { failureLine, labelText, type TaskId } from '@switchyard/protocol';
import { openQuestion } from './decide-question.ts';
import { isThere } from './dependencies.ts';
import { areFree } from './path-leases.ts';
import { holdsPaths } from './run-index.ts';
import type { Lack, RunState, TaskPhaseState, TaskState } from './state.ts';
import { wantedLabels } from './wanted-labels.ts';

/** Names shown of many. */
const shownMax = 5;

/** Why a task is where it is, for people. Every wait has one; what works or has completed needs none. */
export function reasonOf(state: RunState, task: TaskState): string | undefined {
  const { phase } = task;
  switch (phase.kind) {
    case 'pending':
      return pendingReason(state, task);
    case 'ready':
      return readyReason(state, task, phase);
    case 'leased':
      return silenceReason(task) ?? `waits for ${phase.lease.worker} to begin`;
    case 'reviewing':
      return 'waits for its reviewers';
    case 'integrating':
      return isInBatch(state, task.task.id) ? 'is being merged' : 'waits for its turn to be merged';
    case 'verifying':
      if (phase.onCandidate) return 'merged; verified when everything else has ended';
      return state.integration.kind === 'moving'
        ? 'merged; is put on the run branch'
        : 'merged; waits for the verification of the result';
    case 'waiting':
      return phase.wait.text;
    case 'failed':
      return failureLine(phase.failure);
    case 'skipped':
    case 'cancelled':
    case 'rolled-back':
      return phase.reason;
    case 'preparing':
    case 'running':
      return silenceReason(task) ?? questionReason(task);
    case 'completed':
      return undefined;
  }
}

function silenceReason({ history }: TaskState): string | undefined {
  const last = history.at(-1);
  if (last?.silentSince === undefined) return undefined;
  return `${last.worker} is unverifiable; if it is not heard again in time, another attempt follows`;
}

function questionReason(task: TaskState): string | undefined {
  const question = openQuestion(task);
  return question === undefined ? undefined : `asks, and waits at work: ${question.text}`;
}

function pendingReason(state: RunState, { task }: TaskState): string {
  const missing = task.dependsOn.filter((id) => {
    const dependency = state.tasks.get(id);
    return dependency !== undefined && !isThere(dependency);
  });
  if (missing.length === 0) return 'waits for the run to begin';
  const more = missing.length > shownMax ? ` and ${missing.length - shownMax} more` : '';
  return `waits for ${missing.slice(0, shownMax).join(', ')}${more}`;
}

function readyReason(
  state: RunState,
  task: TaskState,
  { lack, reason }: TaskPhaseState & { kind: 'ready' },
): string {
  if (lack !== undefined) return lackText(lack);
  if (reason !== undefined && reason !== '') return reason;
  if (state.paused !== undefined) return 'waits for the run to be resumed';
  if (!holdsPaths(task) && !areFree(state.index.paths, task.task.workspace))
    return 'waits for the task that works in its paths';
  const { workers } = state.plan.limits;
  if (state.index.active.size >= workers) return `waits for one of the ${workers} places of the run`;
  const wanted = wantedLabels(task.task, false);
  return wanted.length === 0
    ? 'waits for a free worker'
    : `needs a free worker that offers ${wanted.map(labelText).join(', ')}`;
}

function isInBatch({ integration }: RunState, id: TaskId): boolean {
  return integration.kind !== 'idle' && integration.decision.entries.some(({ taskId }) => taskId === id);
}

/** What a ready task waits for, when nobody in the fleet can take it. */
export function lackText({ labels, note }: Lack): string {
  const own = labels.filter((label) => labelText(label) === label);
  const agents = labels.filter((label) => labelText(label) !== label).map(labelText);
  const names = own.length === 0 ? [] : [own.length === 1 ? `label ${own[0]}` : `labels ${own.join(', ')}`];
  const wanted = [...agents, ...names].join(', ');
  const waits =
    labels.length === 0 ? 'waits for a worker; none is there' : `waits for a worker with ${wanted}`;
  const how =
    agents.length === 0 ? '' : '; no worker that is here has it: `switchyard doctor` says how to install it';
  return `${waits}${how}${note === undefined ? '' : ` (${note})`}`;
}
