import { failureLine, type Failure, type TaskId } from '@switchyard/protocol';
import { leaseOf, type Decision } from './decision.ts';
import { decideAsked, decideEscalated } from './decide-question.ts';
import { escalate, failTask } from './fail-task.ts';
import { decayedCount, sameFailures, sameFailuresMax } from './failure-memory.ts';
import type { RunInput } from './input.ts';
import { lossesMax, retryDelayMs, retryNumber } from './retry-policy.ts';
import type { Accepted, Lease } from './state.ts';

type InputOf<K extends RunInput['kind']> = RunInput & { readonly kind: K };
/** What workers report, and what is said of them. */
export type AttemptReportInput = InputOf<
  | 'accepted'
  | 'progressed'
  | 'violated'
  | 'submitted'
  | 'attempt-failed'
  | 'escalated'
  | 'asked'
  | 'lost'
  | 'contact'
>;

/** A report counts only with the fence of the lease that is out; late and repeated ones change nothing. */
export function decideAttempt(decision: Decision, input: AttemptReportInput): void {
  const lease = currentLease(decision, input);
  if (lease === undefined) return;
  const { taskId, fence } = input;
  switch (input.kind) {
    case 'accepted':
      if (decision.task(taskId).phase.kind === 'leased')
        decision.emit({ kind: 'attempt-accepted', taskId, fence });
      return;
    case 'progressed':
      decideProgress(decision, input);
      return;
    case 'violated': {
      const { attempt, worker } = lease;
      const { violations } = input;
      decision.emit({ kind: 'attempt-violated', taskId, fence, attempt, worker, violations });
      return;
    }
    case 'submitted':
      decideSubmitted(decision, input, lease);
      return;
    case 'attempt-failed': {
      const { failure, evidence } = input;
      decision.emit({ kind: 'attempt-failed', taskId, fence, failure, evidence });
      retryOrFail(decision, taskId, failure);
      return;
    }
    case 'escalated':
      decideEscalated(decision, input);
      return;
    case 'asked':
      decideAsked(decision, input, lease);
      return;
    case 'lost':
      decideLost(decision, input, lease);
      return;
    case 'contact':
      decideContact(decision, input, lease);
      return;
  }
}

function currentLease(decision: Decision, { taskId, fence }: AttemptReportInput): Lease | undefined {
  const task = decision.state.tasks.has(taskId) ? decision.task(taskId) : undefined;
  const lease = task === undefined ? undefined : leaseOf(task);
  return lease?.fence === fence ? lease : undefined;
}

function decideProgress(decision: Decision, input: InputOf<'progressed'>): void {
  const { taskId, fence } = input;
  const now = decision.task(taskId).phase.kind;
  const phase = input.phase === 'preparing' ? 'preparing' : 'running';
  // Progress travels on a lane that may lose and reorder: it never goes back.
  if (now === phase || now === 'running') return;
  decision.emit({ kind: 'attempt-progressed', taskId, fence, phase });
}

function decideSubmitted(decision: Decision, input: InputOf<'submitted'>, lease: Lease): void {
  const { taskId, fence, evidence } = input;
  const { task } = decision.task(taskId);
  decision.emit({ kind: 'task-submitted', taskId, fence, evidence });
  if (evidence.commit === undefined || task.kind !== 'implement') {
    decision.emit({ kind: 'task-completed', taskId });
    return;
  }
  const { attempt, base } = lease;
  const submitted: Accepted = {
    attempt,
    fence: lease.fence,
    commit: evidence.commit,
    base,
    at: decision.at,
  };
  if (task.review.mode === 'never')
    decision.emit({ kind: 'task-accepted-for-merge', taskId, accepted: submitted });
  else decision.emit({ kind: 'review-requested', taskId, submitted });
}

function retryOrFail(decision: Decision, taskId: TaskId, failure: Failure): void {
  const { at, state } = decision;
  const { task, history, round, continueFrom } = decision.task(taskId);
  const times = history.flatMap((record) =>
    record.failure?.class === failure.class ? [record.endedAt ?? at] : [],
  );
  const series = { failure, times };
  const delayMs = retryDelayMs(state.plan, task, series);
  if (delayMs === undefined) {
    failTask(decision, taskId, failure);
    return;
  }
  const same = sameFailures(history).map(({ attempt }) => attempt);
  if (same.length >= sameFailuresMax && !waitsForOthers(failure)) {
    const again = `retry: \`switchyard answer ${state.run} '${taskId}' --action retry\``;
    const text = `parked: attempts ${same.join(', ')} failed the same way: ${failureLine(failure)}\nMend the cause, then ${again}`;
    escalate(decision, taskId, { text, failure, isCase: true });
    return;
  }
  const reason = `retry ${retryNumber(series)} after ${failureLine(failure)}`;
  decision.emit({
    kind: 'task-retry-scheduled',
    taskId,
    notBefore: at + delayMs,
    reason,
    round,
    continueFrom,
  });
  if (failure.class === 'exhausted') park(decision, failure);
}

/** Somebody else's limit is the cause: the same again is what is to be expected. */
function waitsForOthers(failure: Failure): boolean {
  return failure.class === 'throttled' || failure.class === 'exhausted';
}

/** A quota is used up: nothing new starts until it is reset, or until a person resumes the run. */
function park(decision: Decision, failure: Failure): void {
  const { paused } = decision.state;
  const until = failure.retryAfterMs === undefined ? undefined : decision.at + failure.retryAfterMs;
  if (paused !== undefined && (paused.until === undefined || (until !== undefined && until <= paused.until)))
    return;
  decision.emit({ kind: 'run-paused', reason: `quota used up: ${firstLine(failure.message)}`, until });
}

/** Told once each way; it decides nothing. */
function decideContact(decision: Decision, input: InputOf<'contact'>, lease: Lease): void {
  const { taskId, fence, isHeard, reason } = input;
  const wasHeard = decision.task(taskId).history.at(-1)?.silentSince === undefined;
  if (wasHeard === isHeard) return;
  const { attempt, worker } = lease;
  decision.emit({ kind: 'attempt-contact', taskId, fence, attempt, worker, isHeard, reason });
}

function decideLost(decision: Decision, input: InputOf<'lost'>, lease: Lease): void {
  const { taskId, fence, reason } = input;
  const { attempt, worker } = lease;
  decision.emit({ kind: 'attempt-lost', taskId, fence, attempt, worker, reason });
  const { history, round, continueFrom } = decision.task(taskId);
  const lost = history.flatMap((record) =>
    record.outcome === 'lost' ? [record.endedAt ?? decision.at] : [],
  );
  const losses = decayedCount(lost);
  if (losses > lossesMax) {
    const message = `${lost.length} attempts were lost with their workers; last: ${reason}`;
    failTask(decision, taskId, { class: 'system', code: 'E_WORKER_LOST', message });
    return;
  }
  const notBefore = decision.at;
  decision.emit({ kind: 'task-retry-scheduled', taskId, notBefore, reason, round, continueFrom });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
