import type { IntegrationFact, RunFact, RunFactKind, TaskFact } from './fact.ts';

/** What each kind of fact speaks of. */
const kinds: Readonly<Record<RunFactKind, 'task' | 'integration' | 'run'>> = {
  'task-ready': 'task',
  'task-unmatched': 'task',
  'task-matched': 'task',
  'task-leased': 'task',
  'attempt-accepted': 'task',
  'attempt-progressed': 'task',
  'attempt-violated': 'task',
  'task-submitted': 'task',
  'attempt-failed': 'task',
  'attempt-lost': 'task',
  'attempt-contact': 'task',
  'attempt-escalated': 'task',
  'attempt-asked': 'task',
  'attempt-answered': 'task',
  'attempt-cancelled': 'task',
  'attempt-salvaged': 'task',
  'attempt-wip': 'task',
  'attempt-used': 'task',
  'review-used': 'task',
  'resume-chosen': 'task',
  'review-requested': 'task',
  'review-settled': 'task',
  'task-accepted-for-merge': 'task',
  'task-rejected': 'task',
  'task-conflicted': 'task',
  'task-retry-scheduled': 'task',
  'task-waiting': 'task',
  'wait-answered': 'task',
  'task-reopened': 'task',
  'follow-ups-settled': 'task',
  'task-sent-back': 'task',
  'task-rolled-back': 'task',
  'task-completed': 'task',
  'task-failed': 'task',
  'task-skipped': 'task',
  'task-cancelled': 'task',
  'integration-decided': 'integration',
  'verification-decided': 'integration',
  'tasks-merged': 'integration',
  'batch-verified': 'integration',
  'batch-bisected': 'integration',
  'branch-moved': 'integration',
  'integration-retried': 'integration',
  'integration-abandoned': 'integration',
  'rollback-asked': 'integration',
  'rollback-decided': 'integration',
  'merges-reverted': 'integration',
  'rollback-refused': 'integration',
  'run-created': 'run',
  'run-started': 'run',
  'tasks-added': 'run',
  'run-paused': 'run',
  'run-resumed': 'run',
  'budget-raised': 'run',
  'run-stopping': 'run',
  'run-ended': 'run',
};

/** Whether a stored kind is one of a run's facts. */
export function isRunFactKind(kind: string): kind is RunFactKind {
  return Object.hasOwn(kinds, kind);
}

/** Whether a fact speaks of one task. */
export function isTaskFact(fact: RunFact): fact is { readonly at: number } & TaskFact {
  return kinds[fact.kind] === 'task';
}

/** Whether a fact speaks of the way to the run branch. */
export function isIntegrationFact(fact: RunFact): fact is { readonly at: number } & IntegrationFact {
  return kinds[fact.kind] === 'integration';
}
