import type { CommitId, TaskId } from '@switchyard/protocol';
import type { IntegrationFact } from './fact.ts';
import type { IntegrationDecision, MergedTask, RunState } from './state.ts';
import { changeTask, taskOf } from './task-change.ts';

type Dated<F> = { readonly at: number } & F;
type FactOf<K extends IntegrationFact['kind']> = Dated<Extract<IntegrationFact, { kind: K }>>;

/** Folds what happened on the way to the run branch. */
export function evolveIntegration(state: RunState, fact: Dated<IntegrationFact>): void {
  switch (fact.kind) {
    case 'integration-decided': {
      const { batch, parent, at, entries } = fact;
      beginBatch(state, { batch, parent, at, entries });
      state.integration = { kind: 'merging', decision: { batch, parent, at, entries }, tries: 0 };
      return;
    }
    case 'verification-decided': {
      const { decision, tip, merged } = fact;
      state.batches = decision.batch;
      verifyOrMove(state, { decision, tip, merged, next: fact.next });
      return;
    }
    case 'tasks-merged':
      evolveMerged(state, fact);
      return;
    case 'batch-verified':
      evolveVerified(state, fact);
      return;
    case 'batch-bisected':
      evolveBisected(state, fact);
      return;
    case 'branch-moved':
      state.tip = fact.to;
      state.candidate = fact.to;
      state.integration = { kind: 'idle' };
      noteMerges(state, fact);
      return;
    case 'rollback-asked': {
      const { taskIds, withDependants, reason } = fact;
      state.rollback = { taskIds, withDependants, reason };
      return;
    }
    case 'rollback-decided': {
      const { batch, parent, at, reverts } = fact;
      state.batches = batch;
      const decision = { batch, parent, at, entries: [], reverts };
      state.integration = { kind: 'merging', decision, tries: 0 };
      return;
    }
    case 'merges-reverted':
      evolveReverted(state, fact);
      return;
    case 'rollback-refused':
      state.rollback = undefined;
      state.integration = { kind: 'idle' };
      return;
    case 'integration-retried':
      if (state.integration.kind !== 'idle') state.integration = { ...state.integration, tries: fact.tries };
      return;
    case 'integration-abandoned':
      if (isRollback(state)) state.rollback = undefined;
      state.integration = { kind: 'idle' };
      for (const id of fact.requeue) unmerge(state, id, fact.at);
      state.queue.unshift(...fact.requeue);
      return;
  }
}

/** More than a batch can have. */
const batchSize = 100_000;

/** The tasks of a move are on the branch; a rollback has no tasks and is over. */
function noteMerges(state: RunState, { batch, merged }: FactOf<'branch-moved'>): void {
  if (merged.length === 0) state.rollback = undefined;
  for (const [place, { taskId, commit }] of merged.entries()) {
    const task = taskOf(state, taskId);
    task.merges = [...(task.merges ?? []), { commit, order: batch * batchSize + place }];
  }
}

function isRollback({ integration }: RunState): boolean {
  return integration.kind !== 'idle' && integration.decision.reverts !== undefined;
}

function evolveReverted(state: RunState, { batch, tip, next }: FactOf<'merges-reverted'>): void {
  const { integration } = state;
  if (integration.kind !== 'merging') throw new Error(`batch ${batch} is not being merged`);
  verifyOrMove(state, { decision: integration.decision, tip, merged: [], next });
}

function beginBatch(state: RunState, decision: IntegrationDecision): void {
  state.batches = decision.batch;
  for (const { taskId } of decision.entries) {
    const place = state.queue.indexOf(taskId);
    if (place !== -1) state.queue.splice(place, 1);
  }
}

interface Candidate {
  readonly decision: IntegrationDecision;
  readonly tip: CommitId;
  readonly merged: readonly MergedTask[];
  readonly next: 'verify' | 'move';
}

function verifyOrMove(state: RunState, { decision, tip, merged, next }: Candidate): void {
  state.integration =
    next === 'verify'
      ? { kind: 'verifying', decision, tip, merged, tries: 0 }
      : { kind: 'moving', decision, from: decision.parent, to: tip, merged, tries: 0 };
}

function evolveMerged(state: RunState, fact: FactOf<'tasks-merged'>): void {
  const { integration } = state;
  if (integration.kind !== 'merging') throw new Error(`batch ${fact.batch} is not being merged`);
  const onCandidate = fact.next === 'defer';
  for (const { taskId, commit } of fact.merged) {
    changeTask(state, taskId, (task) => {
      if (task.phase.kind !== 'integrating') return;
      const { accepted } = task.phase;
      const holds = task.phase.holds && !onCandidate;
      task.phase = { kind: 'verifying', accepted, merged: commit, since: fact.at, holds, onCandidate };
    });
  }
  if (fact.next === 'none' || fact.next === 'defer') state.integration = { kind: 'idle' };
  else verifyOrMove(state, { ...fact, decision: integration.decision, next: fact.next });
  if (!onCandidate) return;
  state.candidate = fact.tip;
  state.deferred = [...state.deferred, ...fact.merged.map(({ taskId }) => taskId)];
}

function evolveVerified(state: RunState, fact: FactOf<'batch-verified'>): void {
  const { integration } = state;
  if (integration.kind !== 'verifying') throw new Error(`batch ${fact.batch} is not being verified`);
  const { commit, tasks, passed, at, receipts, isRollback } = fact;
  const without = isRollback === undefined ? {} : { isRollback };
  state.verifications.push({ commit, tasks, passed, at, receipts, ...without });
  if (passed) {
    verifyOrMove(state, { ...integration, next: 'move' });
    return;
  }
  state.integration = { kind: 'idle' };
  state.candidate = state.tip;
}

function evolveBisected(state: RunState, fact: FactOf<'batch-bisected'>): void {
  for (const id of fact.suspects) unmerge(state, id, fact.at);
  state.suspects = fact.suspects;
  state.trial = fact.trial;
  state.deferred = state.deferred.filter((id) => !fact.suspects.includes(id));
}

/** A merged task is to be merged again. */
function unmerge(state: RunState, id: TaskId, at: number): void {
  if (taskOf(state, id).phase.kind !== 'verifying') return;
  changeTask(state, id, (task) => {
    if (task.phase.kind !== 'verifying') return;
    const { accepted, holds } = task.phase;
    task.phase = { kind: 'integrating', accepted, since: at, holds };
  });
}
