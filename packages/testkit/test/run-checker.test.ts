import { commitId, fence, peerId, runId, taskId, type Plan } from '@switchyard/protocol';
import type { Accepted, Lease, RunFact } from '@switchyard/scheduler';
import { buildPlan, buildTask, RunChecker } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';

const run = runId.parse('demo-abcdef');
const base = commitId.parse('b'.repeat(40));
const merged = commitId.parse('c'.repeat(40));
const id = (name: string) => taskId.parse(name);
const peer = (name: string) => peerId.parse(name);

function lease(more: Partial<Lease> = {}): Lease {
  return { worker: peer('w1'), attempt: 1, fence: fence.parse(1), at: 1, base, ...more };
}
const accepted: Accepted = { attempt: 1, fence: fence.parse(1), commit: merged, base, at: 1 };

type Undated = RunFact extends infer F ? (F extends { at: number } ? Omit<F, 'at'> : never) : never;

/** A checker of a run that has begun, and its facts so far. */
function begun(plan: Plan, ...facts: readonly Undated[]): RunChecker {
  const checker = new RunChecker(() => ({ labels: ['os:linux'], slots: 1 }));
  const strategy = { asked: 'auto', chosen: 'max-parallel', reason: 'few' } as const;
  const created: Undated = { kind: 'run-created', run, plan, base, branch: `switchyard/${run}`, strategy };
  for (const fact of [created, { kind: 'run-started' } as Undated, ...facts]) fold(checker, fact);
  return checker;
}

function fold(checker: RunChecker, fact: Undated): void {
  checker.fold({ ...fact, at: 1 } as RunFact);
}

const ready = (name: string): Undated => ({ kind: 'task-ready', taskId: id(name) });
const leased = (name: string, more: Partial<Lease> = {}): Undated => ({
  kind: 'task-leased',
  taskId: id(name),
  lease: lease(more),
});
const two = buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]);
const nested = buildPlan([
  buildTask({ id: 'a' }),
  buildTask({ id: 'c', more: { workspace: ['a/inner'] } }),
  buildTask({ id: 'd', requires: ['gpu'] }),
]);

describe('the checker of a run', () => {
  it('lets what is right pass', () => {
    const checker = begun(two, ready('a'), leased('a'));
    checker.checkAlive();
    checker.checkReasons();
    expect(checker.active()).toHaveLength(1);
    expect(checker.ended).toBe(false);
  });

  const move: Undated = {
    kind: 'branch-moved',
    batch: 1,
    from: base,
    to: merged,
    merged: [{ taskId: id('a'), commit: merged }],
  };
  const completed: Undated = { kind: 'task-completed', taskId: id('a'), merged };
  const wrong: readonly [string, Plan, readonly Undated[], RegExp][] = [
    ['a lease before a dependency', two, [ready('b'), leased('b')], /^\(1\) b was leased before a/],
    ['a lease on another base', two, [ready('a'), leased('a', { base: merged })], /^\(1\) a is not based/],
    [
      'two leases in one folder',
      nested,
      [ready('a'), ready('c'), leased('a'), leased('c', { worker: peer('w2') })],
      /^\(2\) a and c overlap/,
    ],
    [
      'more leases than slots',
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })]),
      [ready('a'), ready('b'), leased('a'), leased('b')],
      /^\(3\) over the slots of w1/,
    ],
    ['a worker without the label', nested, [ready('d'), leased('d')], /^\(3\) w1 lacks a label of d/],
    [
      'a lease in a pause',
      two,
      [ready('a'), { kind: 'run-paused', reason: 'lunch' }, leased('a')],
      /^\(3\) a was leased in a pause/,
    ],
    [
      'more leases than the run may have',
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })], { limits: { workers: 1, rpm: 1 } }),
      [ready('a'), ready('b'), leased('a'), leased('b', { worker: peer('w2') })],
      /^\(3\) over the cap/,
    ],
    [
      'a fence that goes back',
      two,
      [ready('a'), leased('a', { fence: fence.parse(2) }), ready('a'), leased('a')],
      /^\(4\) the fence of a went back/,
    ],
    ['a task on the branch twice', two, [move, { ...move, from: merged }], /^\(5\) a moved the branch twice/],
    ['a move from elsewhere', two, [move, move], /^\(5\) the branch moved from elsewhere/],
    ['a task that leaves its end', two, [completed, ready('a')], /^\(7\) a left completed/],
    [
      'a task on two ways to the branch',
      two,
      [
        { kind: 'task-accepted-for-merge', taskId: id('a'), accepted },
        { kind: 'task-accepted-for-merge', taskId: id('a'), accepted },
      ],
      /on two ways/,
    ],
  ];
  it.each(wrong)('finds %s', (_name, plan, facts, text) => {
    const last = facts.at(-1);
    const checker = begun(plan, ...facts.slice(0, -1));
    expect(() => last !== undefined && fold(checker, last)).toThrow(text);
  });

  it('finds a run that hangs', () => {
    const checker = begun(two, { kind: 'task-skipped', taskId: id('a'), because: id('a'), reason: 'no' });
    expect(() => checker.checkAlive()).toThrow(/^\(8\) it hangs: a skipped, b pending/);
  });

  it('finds a wait without a reason', () => {
    const wait = { kind: 'gate', text: '', since: 1, deadline: 2, default: 'fail' } as const;
    const checker = begun(two, { kind: 'task-waiting', taskId: id('a'), wait });
    expect(() => checker.checkReasons()).toThrow(/a waits for nobody knows what/);
    const paused = begun(two, { kind: 'run-paused', reason: '' });
    expect(() => paused.checkReasons()).toThrow(/paused, and nothing says why/);
  });
});
