import { peerId, type PeerId } from '@switchyard/protocol';
import type { TaskFact } from './fact.ts';
import type { Lease, RunState, TaskState } from './state.ts';
import { changeTask, lastRecord, setLack, settleRecord, taskOf } from './task-change.ts';

type Dated<F> = { readonly at: number } & F;
type AttemptFact = Extract<
  TaskFact,
  { kind: `attempt-${string}` | 'task-leased' | 'task-submitted' | 'review-requested' | 'review-settled' }
>;

/** Who tries tasks of kind `review`: no worker does. */
const orchestrator: PeerId = peerId.parse('orchestrator');

/** Folds what happened to one task. */
export function evolveTask(state: RunState, fact: Dated<TaskFact>): void {
  switch (fact.kind) {
    case 'task-ready':
      changeTask(state, fact.taskId, (task) => {
        task.phase = { kind: 'ready', since: fact.at, notBefore: fact.at, reason: fact.reason };
      });
      return;
    case 'task-unmatched':
    case 'task-matched':
      setLack(state, fact.taskId, fact.kind === 'task-unmatched' ? fact.lack : undefined);
      return;
    case 'task-accepted-for-merge':
      changeTask(state, fact.taskId, (task) => {
        const { accepted } = fact;
        const record = lastRecord(task);
        if (record !== undefined) record.outcome = 'accepted'; // a person may accept what reviewers rejected
        task.phase = { kind: 'integrating', accepted, since: fact.at, holds: true };
      });
      state.queue.push(fact.taskId);
      return;
    case 'task-rejected':
    case 'task-conflicted':
      evolveRejected(state, fact);
      return;
    case 'task-retry-scheduled':
      changeTask(state, fact.taskId, (task) => {
        const { notBefore, reason } = fact;
        task.round = fact.round;
        task.answer = fact.answer ?? task.answer;
        task.continueFrom = fact.continueFrom;
        task.phase = { kind: 'ready', since: fact.at, notBefore, reason };
      });
      return;
    case 'task-waiting':
      changeTask(state, fact.taskId, (task) => {
        task.phase = { kind: 'waiting', wait: fact.wait };
      });
      return;
    case 'wait-answered':
      return; // the fact that follows says what became of the task
    case 'task-reopened':
      changeTask(state, fact.taskId, (task) => {
        settleRecord(task, 'cancelled', fact.at);
        task.continueFrom = undefined;
        task.affinity = undefined;
        task.phase = { kind: 'pending' };
      });
      return;
    case 'task-completed':
    case 'task-failed':
    case 'task-skipped':
    case 'task-cancelled':
      evolveEnded(state, fact);
      return;
    default:
      evolveAttempt(state, fact);
  }
}

function evolveAttempt(state: RunState, fact: Dated<AttemptFact>): void {
  const task = taskOf(state, fact.taskId);
  switch (fact.kind) {
    case 'task-leased':
      lease(state, fact);
      return;
    case 'attempt-accepted':
      working(state, fact, 'preparing');
      return;
    case 'attempt-progressed':
      working(state, fact, fact.phase);
      return;
    case 'task-submitted':
      recordEvidence(task, fact.evidence);
      settleRecord(task, 'submitted', fact.at);
      task.affinity = leaseOf(task)?.worker;
      return;
    case 'attempt-failed':
      recordEvidence(task, fact.evidence ?? {});
      recordFailure(task, fact);
      return;
    case 'attempt-lost':
      settleRecord(task, 'lost', fact.at);
      return;
    case 'attempt-escalated':
      settleRecord(task, 'failed', fact.at);
      return;
    case 'attempt-cancelled':
      settleRecord(task, 'cancelled', fact.at);
      return;
    case 'review-requested':
      if (task.task.kind === 'review') beginReviewAttempt(task, fact);
      changeTask(state, fact.taskId, () => {
        task.phase = { kind: 'reviewing', submitted: fact.submitted, since: fact.at };
      });
      return;
    case 'review-settled':
      if (fact.outcome === 'rejected') settleRecord(task, 'rejected', fact.at);
      return;
  }
}

function lease(state: RunState, fact: Dated<TaskFact & { kind: 'task-leased' }>): void {
  changeTask(state, fact.taskId, (task) => {
    const { attempt, fence, worker } = fact.lease;
    task.attempts = attempt;
    task.fence = fence;
    task.phase = { kind: 'leased', lease: fact.lease };
    task.history.push({
      attempt,
      fence,
      round: task.round,
      worker,
      leasedAt: fact.at,
      outcome: 'running',
      files: [],
      receipts: [],
    });
  });
}

function working(state: RunState, fact: AttemptFact, kind: 'preparing' | 'running'): void {
  changeTask(state, fact.taskId, (task) => {
    const held = leaseOf(task);
    if (held !== undefined) task.phase = { kind, lease: held };
  });
}

function recordEvidence(
  task: TaskState,
  evidence: Partial<Extract<TaskFact, { kind: 'task-submitted' }>['evidence']>,
): void {
  const record = lastRecord(task);
  if (record === undefined) return;
  record.commit = evidence.commit;
  record.files = evidence.filesChanged ?? [];
  record.receipts = evidence.receipts ?? [];
  record.sandbox = evidence.sandbox;
}

function recordFailure(task: TaskState, fact: Dated<TaskFact & { kind: 'attempt-failed' }>): void {
  const { failure } = fact;
  settleRecord(task, 'failed', fact.at);
  const record = lastRecord(task);
  if (record !== undefined) record.failure = failure;
  task.failures = { ...task.failures, [failure.class]: (task.failures[failure.class] ?? 0) + 1 };
}

function beginReviewAttempt(
  task: TaskState,
  { submitted, at }: Dated<TaskFact & { kind: 'review-requested' }>,
) {
  task.attempts = submitted.attempt;
  task.fence = submitted.fence;
  task.history.push({
    attempt: submitted.attempt,
    fence: submitted.fence,
    round: task.round,
    worker: orchestrator,
    leasedAt: at,
    outcome: 'submitted',
    commit: submitted.commit,
    files: [],
    receipts: [],
  });
}

function evolveRejected(
  state: RunState,
  fact: Dated<Extract<TaskFact, { kind: 'task-rejected' | 'task-conflicted' }>>,
): void {
  changeTask(state, fact.taskId, (task) => {
    const conflict = fact.kind === 'task-conflicted';
    settleRecord(task, conflict ? 'conflict' : 'rejected', fact.at);
    task.feedback = fact.findings;
    task.round = fact.round;
    if (!fact.again) return;
    task.continueFrom = conflict ? undefined : fact.continueFrom;
    task.affinity = conflict ? undefined : fact.affinity;
    const reason = conflict ? 'conflicts with what was integrated meanwhile' : fact.text;
    task.phase = { kind: 'ready', since: fact.at, notBefore: fact.at, reason };
  });
}

function evolveEnded(
  state: RunState,
  fact: Dated<
    Extract<TaskFact, { kind: 'task-completed' | 'task-failed' | 'task-skipped' | 'task-cancelled' }>
  >,
): void {
  changeTask(state, fact.taskId, (task) => {
    const { at } = fact;
    switch (fact.kind) {
      case 'task-completed':
        settleRecord(task, 'accepted', at);
        task.phase = { kind: 'completed', at, merged: fact.merged };
        return;
      case 'task-failed':
        settleRecord(task, 'failed', at);
        task.phase = { kind: 'failed', at, failure: fact.failure };
        return;
      case 'task-skipped':
        settleRecord(task, 'cancelled', at);
        task.phase = { kind: 'skipped', at, because: fact.because, reason: fact.reason };
        return;
      case 'task-cancelled':
        settleRecord(task, 'cancelled', at);
        task.phase = { kind: 'cancelled', at, reason: fact.reason };
        return;
    }
  });
}

function leaseOf(task: TaskState): Lease | undefined {
  const { phase } = task;
  return phase.kind === 'leased' || phase.kind === 'preparing' || phase.kind === 'running'
    ? phase.lease
    : undefined;
}
