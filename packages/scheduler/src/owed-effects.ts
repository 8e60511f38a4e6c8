import type { TaskId } from '@switchyard/protocol';
import type { Owed } from './owed.ts';
import type { RunState, TaskState } from './state.ts';

/** What has to be done for the state to go on; the same list however often it is asked for, also after a restart. */
export function owed(state: RunState): readonly Owed[] {
  const list: Owed[] = [];
  for (const id of state.index.active) addAssignment(list, state.tasks.get(id));
  for (const id of state.index.reviewing) addReview(list, state.tasks.get(id));
  for (const id of state.index.waiting) addCase(list, state.tasks.get(id));
  for (const id of state.index.handing) addFollowUps(list, state, id);
  addPublication(list, state);
  addIntegration(list, state);
  const { kind } = state.phase;
  const isOver = kind === 'completed' || kind === 'failed' || kind === 'cancelled';
  // After a rollback of a run that had ended there is something new to publish and to report.
  if (isOver && state.integration.kind === 'idle' && state.rollback === undefined)
    list.push({ kind: 'finish', id: 'finish' });
  return list;
}

function addAssignment(list: Owed[], task: TaskState | undefined): void {
  if (task?.phase.kind !== 'leased') return;
  const taskId = task.task.id;
  const { lease } = task.phase;
  list.push({ kind: 'assign', id: `assign:${taskId}#${lease.fence}`, taskId, lease });
}

function addReview(list: Owed[], task: TaskState | undefined): void {
  if (task?.phase.kind !== 'reviewing') return;
  const taskId = task.task.id;
  const { submitted } = task.phase;
  const files = task.history.at(-1)?.files ?? [];
  const id = `review:${taskId}#${submitted.fence}`;
  list.push({ kind: 'review', id, taskId, submitted, round: task.round, files });
}

function addCase(list: Owed[], task: TaskState | undefined): void {
  if (task?.phase.kind !== 'waiting') return;
  const { caseFile: file, submitted } = task.phase.wait;
  if (file === undefined) return;
  const taskId = task.task.id;
  const canAccept = submitted !== undefined;
  list.push({ kind: 'case', id: `case:${taskId}#${task.fence}`, taskId, file, canAccept });
}

/** While a person is asked they can look at the branch, also as it grows meanwhile; its tip names the effect. */
function addPublication(list: Owed[], { index, tip, base }: RunState): void {
  if (index.waiting.size > 0 && tip !== base) list.push({ kind: 'publish', id: `publish:${tip}` });
}

function addFollowUps(list: Owed[], { phase, tasks }: RunState, taskId: TaskId): void {
  const last = tasks.get(taskId)?.history.at(-1);
  if (phase.kind !== 'running' || last === undefined) return;
  const { fence, handover } = last;
  const followUps = handover?.followUps ?? [];
  list.push({ kind: 'follow-ups', id: `follow-ups:${taskId}#${fence}`, taskId, fence, followUps });
}

function addIntegration(list: Owed[], { integration }: RunState): void {
  if (integration.kind === 'idle') return;
  const { batch } = integration.decision;
  // Another try is another effect.
  const name = (what: string): string =>
    integration.tries === 0 ? `${what}:${batch}` : `${what}:${batch}.${integration.tries}`;
  switch (integration.kind) {
    case 'merging': {
      const { decision } = integration;
      const kind = decision.reverts === undefined ? 'integrate' : 'revert';
      list.push({ kind, id: name(kind), decision });
      return;
    }
    case 'verifying':
      list.push({ kind: 'verify', id: name('verify'), batch, commit: integration.tip });
      return;
    case 'moving': {
      const { from, to } = integration;
      list.push({ kind: 'move', id: name('move'), batch, from, to });
      return;
    }
  }
}
