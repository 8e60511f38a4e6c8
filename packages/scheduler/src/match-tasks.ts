import { labelText, limits, type Failure, type TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import { failTask } from './fail-task.ts';
import type { RunInput } from './input.ts';
import type { Lack } from './state.ts';
import { isTyped, wantedLabels } from './wanted-labels.ts';

type Fleet = RunInput & { readonly kind: 'fleet' };

/** Notes which ready tasks nobody in the fleet can take, busy or free, so that their wait has a reason and an end. */
export function matchTasks(decision: Decision, { workers, note }: Fleet): void {
  const { state, at } = decision;
  if (state.phase.kind !== 'running' || state.paused !== undefined) return;
  const offered = workers.map(({ labels }) => (labels === undefined ? undefined : new Set(labels)));
  const typed = workers.some(({ labels }) => labels !== undefined && isTyped(labels));
  const canTake = (wanted: readonly string[]): boolean =>
    offered.some((labels) => labels === undefined || wanted.every((label) => labels.has(label)));
  for (const taskId of [...state.index.ready]) {
    const { task, phase } = decision.task(taskId);
    if (phase.kind !== 'ready') continue;
    const labels = wantedLabels(task, typed);
    const isMatched = canTake(labels);
    if (isMatched === (phase.lack === undefined)) continue;
    if (isMatched) decision.emit({ kind: 'task-matched', taskId });
    else
      decision.emit({
        kind: 'task-unmatched',
        taskId,
        lack: { labels, deadline: at + limits.noWorkerWaitMs, note },
      });
  }
}

/** Fails tasks whose wait for a worker is over. */
export function failUnmatched(decision: Decision): void {
  for (const taskId of [...decision.state.index.unmatched]) {
    if (decision.state.phase.kind !== 'running' || decision.state.paused !== undefined) return;
    const { phase } = decision.task(taskId);
    if (phase.kind === 'ready' && phase.lack !== undefined && phase.lack.deadline <= decision.at)
      failTask(decision, taskId, noWorker(taskId, phase.lack));
  }
}

function noWorker(taskId: TaskId, { labels, note }: Lack): Failure {
  const wanted =
    labels.length === 0 ? 'no worker came' : `no worker that offers ${labels.map(labelText).join(', ')} came`;
  const why = note === undefined ? '' : ` (${note})`;
  const minutes = Math.round(limits.noWorkerWaitMs / 60_000);
  const message = `${wanted} for ${taskId} within ${minutes} minutes${why}; attach one with \`switchyard worker\``;
  return { class: 'system', code: 'E_NO_WORKER', message: message.slice(0, 4000) };
}
