import { expect, test, vi } from 'vitest';
import { killAtSteps } from './kill-steps.ts';

vi.setConfig({ testTimeout: 1_800_000 });

/** One of each kind; `npm run chaos -- --steps` takes all. */
const chosen = [
  'git init: begun, git ends too',
  'git update-ref refs/heads/switchyard/RUN: begun, git ends too',
  'journal run-created run-started task-ready task-leased: after commit',
  'git receive-pack: ended (2)',
  'journal task-submitted task-accepted-for-merge integration-decided: before commit',
  'journal task-submitted task-accepted-for-merge integration-decided: after commit',
  'git hash-object commit: ended',
  'git update-ref refs/switchyard/candidates/RUN: begun, git goes on alone',
  'journal tasks-merged: before commit',
  'journal batch-verified: after commit',
  'git update-ref refs/heads/switchyard/RUN: killed with its lock (2)',
  'journal branch-moved task-completed task-ready task-leased: before commit',
  'journal branch-moved task-completed run-ended: after commit',
  'journal rollback-asked rollback-decided: after commit',
  'journal merges-reverted: before commit',
  'journal branch-moved task-rolled-back: before commit',
  'git read-tree: ended (4)',
  'git update-ref refs/heads/main: ended',
];

test('a process that is killed at a step of an integration or a rollback is followed by one that ends as if nothing had been', async () => {
  const outcomes = await killAtSteps({ choose: (steps) => chosen.filter((step) => steps.includes(step)) });
  expect(outcomes.toSorted((a, b) => chosen.indexOf(a.step) - chosen.indexOf(b.step))).toEqual(
    chosen.map((step) => ({ step, met: true, violations: [] })),
  );
});
