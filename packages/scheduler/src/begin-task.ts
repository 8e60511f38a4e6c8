import { limits, type TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import type { Accepted, Wait } from './state.ts';
import { nextFence } from './task-change.ts';

/** Everything a task depends on is there: it may be leased, asks its person, or goes to its reviewers. */
export function beginTask(decision: Decision, taskId: TaskId): void {
  const { task } = decision.task(taskId);
  switch (task.kind) {
    case 'implement':
    case 'verify':
      decision.emit({ kind: 'task-ready', taskId });
      return;
    case 'manual':
      openGate(decision, taskId);
      return;
    case 'review':
      requestRunReview(decision, taskId);
      return;
  }
}

/** A task of kind `review` is an attempt without a worker: the run as it stands, against its base. */
export function requestRunReview(decision: Decision, taskId: TaskId): void {
  const { state, at } = decision;
  const task = decision.task(taskId);
  const submitted: Accepted = {
    attempt: task.attempts + 1,
    fence: nextFence(task),
    commit: state.candidate,
    base: state.base,
    at,
  };
  decision.emit({ kind: 'review-requested', taskId, submitted });
}

function openGate(decision: Decision, taskId: TaskId): void {
  const { at } = decision;
  const { task } = decision.task(taskId);
  const text = task.instructions.trim() === '' ? `Approve ${task.id}?` : task.instructions.trim();
  const { mode = 'approve', waitMs = limits.gateWaitMs, inputs = [] } = task.gate ?? {};
  const wait: Wait = {
    kind: 'gate',
    text: text.slice(0, 4000),
    since: at,
    deadline: at + waitMs,
    default: mode === 'notify' ? 'accept' : 'fail',
    ...(inputs.length === 0 ? {} : { inputs }),
  };
  decision.emit({ kind: 'task-waiting', taskId, wait });
}
