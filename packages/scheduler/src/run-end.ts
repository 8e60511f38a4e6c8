import { failureLine, type TaskId } from '@switchyard/protocol';
import { isTerminal, leaseOf, type Decision } from './decision.ts';
import type { RunState } from './state.ts';

/** Ends a run before its tasks have: everything is cancelled but a batch that is being put on the run branch. */
export function stopRun(decision: Decision, end: 'failed' | 'cancelled', reason: string): void {
  if (decision.state.phase.kind === 'stopping') return;
  decision.emit({ kind: 'run-stopping', end, reason });
  const { integration } = decision.state;
  const moving = new Set(integration.kind === 'moving' ? integration.merged.map(({ taskId }) => taskId) : []);
  if (integration.kind === 'merging' || integration.kind === 'verifying')
    dropBatch(decision, integration.decision.batch, reason);
  for (const id of [...decision.state.tasks.keys()])
    if (!moving.has(id) && !isTerminal(decision.task(id))) cancelTask(decision, id, reason);
}

/** Drops what is being integrated; only for tasks that are then cancelled. */
export function dropBatch(decision: Decision, batch: number, reason: string): void {
  decision.emit({ kind: 'integration-abandoned', batch, reason, requeue: [] });
}

/** Cancels one task, and revokes its lease if it has one. */
export function cancelTask(decision: Decision, taskId: TaskId, reason: string): void {
  revoke(decision, taskId, reason);
  decision.emit({ kind: 'task-cancelled', taskId, reason });
}

/** Takes a lease back: its worker has to stop. */
export function revoke(decision: Decision, taskId: TaskId, reason: string): void {
  const lease = leaseOf(decision.task(taskId));
  if (lease === undefined) return;
  const { attempt, fence, worker } = lease;
  decision.emit({ kind: 'attempt-cancelled', taskId, attempt, fence, worker, reason });
}

/** Ends the run when nothing is left to happen. */
export function endRun(decision: Decision): void {
  const { state } = decision;
  if (state.integration.kind !== 'idle') return;
  if (state.phase.kind === 'stopping') {
    decision.emit({ kind: 'run-ended', end: state.phase.end, reason: state.phase.reason });
    return;
  }
  const { counts, handing } = state.index;
  if (handing.size > 0) return;
  const { completed, failed, skipped, cancelled } = counts;
  const ended = completed + failed + skipped + cancelled + counts['rolled-back'];
  if (state.phase.kind !== 'running' || ended < state.tasks.size) return;
  if (completed === state.tasks.size)
    decision.emit({ kind: 'run-ended', end: 'completed', reason: 'every task completed' });
  else decision.emit({ kind: 'run-ended', end: 'failed', reason: reasonOf(state) });
}

function reasonOf(state: RunState): string {
  const { failed, skipped, cancelled, 'rolled-back': rolledBack } = state.index.counts;
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
    ...(rolledBack > 0 ? [`${rolledBack} rolled back`] : []),
  ];
  for (const { task, phase } of state.tasks.values()) {
    if (phase.kind !== 'failed') continue;
    const message = failureLine(phase.failure);
    return `${parts.join(', ')}; first ${task.id}: ${message}`;
  }
  return parts.join(', ');
}
