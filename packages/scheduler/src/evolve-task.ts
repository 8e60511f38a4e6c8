import { peerId, sumUsage, type PeerId } from '@switchyard/protocol';
import type { TaskFact } from './fact.ts';
import type { Lease, RunState, TaskState } from './state.ts';
import { changeTask, lastRecord, setLack, settleRecord, taskOf } from './task-change.ts';

type Dated<F> = { readonly at: number } & F;
type AttemptFact = Extract<
  TaskFact,
  {
    kind:
      | `attempt-${string}`
      | 'task-leased'
      | 'task-submitted'
      | 'review-requested'
      | 'review-settled'
      | 'review-used';
  }
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
      evolveRetry(state, fact);
      return;
    case 'task-waiting':
      changeTask(state, fact.taskId, (task) => {
        task.phase = { kind: 'waiting', wait: fact.wait };
        task.caseFile = fact.wait.caseFile ?? task.caseFile;
      });
      return;
    case 'resume-chosen':
      taskOf(state, fact.taskId).takeUp = fact.from;
      return;
    case 'wait-answered':
      // The fact that follows says what became of the task.
      if (fact.inputs !== undefined) state.answers.push({ taskId: fact.taskId, inputs: fact.inputs });
      return;
    case 'task-reopened':
      changeTask(state, fact.taskId, (task) => {
        settleRecord(task, 'cancelled', fact.at);
        task.continueFrom = undefined;
        task.affinity = undefined;
        task.takeUp = undefined;
        task.phase = { kind: 'pending' };
      });
      return;
    case 'follow-ups-settled':
      changeTask(state, fact.taskId, (task) => {
        task.handedFence = fact.fence;
      });
      if (fact.gate !== undefined)
        taskOf(state, fact.gate).proposal = { from: fact.taskId, tasks: fact.proposed ?? [] };
      return;
    case 'task-sent-back':
    case 'task-rolled-back':
      evolveUndone(state, fact);
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

function evolveRetry(
  state: RunState,
  fact: Dated<Extract<TaskFact, { kind: 'task-retry-scheduled' }>>,
): void {
  changeTask(state, fact.taskId, (task) => {
    const { at, notBefore, reason } = fact;
    task.round = fact.round;
    task.answer = fact.answer ?? task.answer;
    task.continueFrom = fact.continueFrom;
    task.phase = { kind: 'ready', since: at, notBefore, reason };
  });
}

/** A task leaves its end: a gate sends it back, or it is off the branch again. */
function evolveUndone(
  state: RunState,
  fact: Dated<Extract<TaskFact, { kind: 'task-sent-back' | 'task-rolled-back' }>>,
): void {
  changeTask(state, fact.taskId, (task) => {
    if (fact.kind === 'task-rolled-back') {
      const { at, commit, reason } = fact;
      task.merges = undefined;
      task.phase = { kind: 'rolled-back', at, commit, reason };
      return;
    }
    task.round = fact.round;
    task.roundsBefore = fact.roundsBefore;
    task.feedback = fact.findings;
    task.continueFrom = undefined;
    task.takeUp = undefined;
    task.phase = { kind: 'pending' };
  });
}

function recordUsage(
  state: RunState,
  task: TaskState,
  { at, fence, usage }: Dated<TaskFact & { kind: 'attempt-used' }>,
): void {
  const record = task.history.find((attempt) => attempt.fence === fence);
  if (record === undefined) return;
  spend(state, at, sumUsage(usage).microUsd - sumUsage(record.usage ?? []).microUsd);
  record.usage = usage;
}

function recordReviewUsage(
  state: RunState,
  task: TaskState,
  { at, fence, sitting, spent }: Dated<TaskFact & { kind: 'review-used' }>,
): void {
  const record = task.history.find((attempt) => attempt.fence === fence);
  if (record === undefined) return;
  const before = record.reviewUsage?.[sitting]?.usage ?? [];
  spend(state, at, sumUsage(spent.usage).microUsd - sumUsage(before).microUsd);
  record.reviewUsage = { ...record.reviewUsage, [sitting]: spent };
}

function recordQuestion(
  task: TaskState,
  fact: Dated<TaskFact & { kind: 'attempt-asked' | 'attempt-answered' }>,
): void {
  const record = lastRecord(task);
  if (record === undefined) return;
  const { questions = [] } = record;
  if (fact.kind === 'attempt-asked') {
    const { question: id, text, at: since, deadline } = fact;
    record.questions = [...questions, { id, text, since, deadline }];
    return;
  }
  const answer = { text: fact.answer, by: fact.by, at: fact.at };
  record.questions = questions.map((each) => (each.id === fact.question ? { ...each, answer } : each));
}

function spend(state: RunState, at: number, microUsd: number): void {
  const day = new Date(at).toISOString().slice(0, 10);
  state.spentOn = { ...state.spentOn, [day]: (state.spentOn?.[day] ?? 0) + microUsd };
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
    case 'attempt-violated':
      return; // told, and no more: its end decides
    case 'task-submitted':
      recordEvidence(task, fact.evidence);
      settleRecord(task, 'submitted', fact.at);
      task.affinity = leaseOf(task)?.worker;
      task.takeUp = undefined;
      return;
    case 'attempt-failed':
      recordEvidence(task, fact.evidence ?? {});
      recordFailure(task, fact);
      return;
    case 'attempt-lost':
      settleRecord(task, 'lost', fact.at);
      return;
    case 'attempt-contact': {
      const record = lastRecord(task);
      if (record !== undefined) record.silentSince = fact.isHeard ? undefined : fact.at;
      return;
    }
    case 'attempt-asked':
    case 'attempt-answered':
      recordQuestion(task, fact);
      return;
    case 'attempt-escalated':
      settleRecord(task, 'failed', fact.at);
      return;
    case 'attempt-cancelled':
      settleRecord(task, 'cancelled', fact.at);
      return;
    case 'attempt-salvaged': {
      const late = task.history.find(({ fence }) => fence === fact.fence);
      if (late !== undefined) late.salvage = { ...fact.salvage, at: fact.at };
      return;
    }
    case 'attempt-wip': {
      const record = task.history.find(({ fence }) => fence === fact.fence);
      if (record !== undefined) record.wip = { ...fact.wip, at: fact.at };
      return;
    }
    case 'attempt-used':
      recordUsage(state, task, fact);
      return;
    case 'review-used':
      recordReviewUsage(state, task, fact);
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
    task.takeUp = undefined;
    task.history.push({
      attempt,
      fence,
      round: task.round,
      worker,
      leasedAt: fact.at,
      base: fact.lease.base,
      outcome: 'running',
      files: [],
      receipts: [],
      ...(fact.lease.resumeFrom === undefined ? {} : { resumedFrom: fact.lease.resumeFrom }),
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
  if (evidence.outputTail) record.outputTail = evidence.outputTail;
  if (evidence.handover !== undefined) record.handover = evidence.handover;
}

function recordFailure(task: TaskState, fact: Dated<TaskFact & { kind: 'attempt-failed' }>): void {
  const { failure } = fact;
  settleRecord(task, 'failed', fact.at);
  const record = lastRecord(task);
  if (record !== undefined) record.failure = failure;
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
    base: submitted.base,
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
