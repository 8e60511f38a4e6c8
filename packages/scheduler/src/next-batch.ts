import type { TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import type { IntegrationDecision, MergedTask } from './state.ts';

/** Decides what is integrated next, when nothing is: one integration at a time, suspects before the queue. */
export function decideNextBatch(decision: Decision): void {
  const { state, at } = decision;
  if (state.integration.kind !== 'idle') return;
  const ids = nextTasks(decision);
  if (ids.length > 0) {
    const { batches, candidate } = state;
    const entries = ids.flatMap((taskId) => {
      const { phase } = decision.task(taskId);
      return phase.kind === 'integrating' ? [{ taskId, accepted: phase.accepted }] : [];
    });
    decision.emit({ kind: 'integration-decided', batch: batches + 1, parent: candidate, at, entries });
  } else if (state.deferred.length > 0 && onlyDeferredLeft(decision)) verifyCandidate(decision);
}

function nextTasks(decision: Decision): readonly TaskId[] {
  const { suspects, trial, queue, plan } = decision.state;
  if (suspects.length > 0) return suspects.slice(0, Math.max(1, trial));
  return plan.verify.when === 'each' ? queue.slice(0, 1) : queue;
}

/** Everything but what waits for the one verification at the end has ended. */
function onlyDeferredLeft(decision: Decision): boolean {
  const { counts } = decision.state.index;
  const ended = counts.completed + counts.failed + counts.skipped + counts.cancelled + counts['rolled-back'];
  return ended + decision.state.deferred.length === decision.state.tasks.size;
}

function verifyCandidate(decision: Decision): void {
  const { state, at } = decision;
  const entries: IntegrationDecision['entries'][number][] = [];
  const merged: MergedTask[] = [];
  for (const taskId of state.deferred) {
    const { phase } = decision.task(taskId);
    if (phase.kind !== 'verifying') continue;
    entries.push({ taskId, accepted: phase.accepted });
    merged.push({ taskId, commit: phase.merged });
  }
  decision.emit({
    kind: 'verification-decided',
    decision: { batch: state.batches + 1, parent: state.tip, at, entries },
    tip: state.candidate,
    merged,
    next: state.plan.verify.run.length > 0 ? 'verify' : 'move',
  });
}
