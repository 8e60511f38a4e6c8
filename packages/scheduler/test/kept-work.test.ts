import type { PinnedCommit, PlanTask } from '@switchyard/protocol';
import { eventsOf, viewOf } from '@switchyard/scheduler';
import { describe, expect, it } from 'vitest';
import { commit, failure, id, plan, task } from './build-plan.ts';
import { World } from './world.ts';

function started(tasks: readonly PlanTask[]): World {
  const world = new World(plan(tasks), [{ name: 'w1', labels: [], slots: 10 }]);
  world.input({ kind: 'start' });
  world.offer();
  return world;
}

const wipOf = (number: number): PinnedCommit => ({
  commit: commit(1000 + number),
  ref: `refs/wip/${number}`,
});
const keep = (world: World, fence: number, number = fence) =>
  world.input({ kind: 'wip-kept', taskId: id('a'), fence, wip: wipOf(number) });
const leaseOf = (world: World) => {
  const { phase } = world.task('a');
  return 'lease' in phase ? phase.lease : undefined;
};
const loseAndLease = (world: World): void => {
  world.lose(world.task('a'));
  world.offer();
};

describe('work in progress', () => {
  it('of a lost attempt is where the next one begins, if the plan says so', () => {
    for (const resume of ['clean', 'wip'] as const) {
      const world = started([task({ id: 'a', resume })]);
      keep(world, 1);
      keep(world, 1, 2);
      loseAndLease(world);
      const expected = { kind: 'wip', commit: wipOf(2).commit, attempt: 1 };
      expect(leaseOf(world)?.resumeFrom).toEqual(resume === 'wip' ? expected : undefined);
      expect(world.task('a').history[0]).toMatchObject({ outcome: 'lost', wip: wipOf(2) });
      world.finish();
      world.checkReplay();
    }
  });

  it('is handed on by an attempt that left none itself', () => {
    const world = started([task({ id: 'a', resume: 'wip' })]);
    keep(world, 1);
    loseAndLease(world);
    loseAndLease(world);
    expect(leaseOf(world)).toMatchObject({ attempt: 3, resumeFrom: { attempt: 1 } });
    keep(world, 3);
    loseAndLease(world);
    expect(leaseOf(world)?.resumeFrom).toMatchObject({ attempt: 3 });
  });

  it('is handed on as it was last told, also where another attempt has gone on from less', () => {
    const world = started([task({ id: 'a', resume: 'wip' })]);
    keep(world, 1);
    loseAndLease(world);
    keep(world, 1, 2); // the worker of the first comes back
    loseAndLease(world);
    const expected = { kind: 'wip', commit: wipOf(2).commit, attempt: 1 };
    expect(leaseOf(world)).toMatchObject({ attempt: 3, resumeFrom: expected });
  });

  it('of an attempt that failed counts too', () => {
    const world = started([task({ id: 'a', resume: 'wip' })]);
    keep(world, 1);
    world.fail(world.task('a'), failure('parsing'));
    world.offer();
    expect(leaseOf(world)?.resumeFrom).toMatchObject({ attempt: 1 });
  });

  it('is left behind once there is a result, which the next round goes on from', () => {
    const world = started([task({ id: 'a', resume: 'wip', review: 'required' })]);
    keep(world, 1);
    world.submit(world.task('a'));
    expect(keep(world, 1, 7)).toEqual([]);
    const verdict = { outcome: 'rejected', findings: [], text: 'not like this' } as const;
    world.input({ kind: 'reviewed', taskId: id('a'), fence: 1, ...verdict });
    world.offer();
    expect(leaseOf(world)).toMatchObject({ attempt: 2 });
    expect(leaseOf(world)?.resumeFrom).toBeUndefined();
    expect(world.task('a').continueFrom).toBeDefined();
  });

  it('that comes when its attempt is over is kept, and told once', () => {
    const world = started([task({ id: 'a' })]);
    loseAndLease(world);
    const facts = keep(world, 1);
    if (typeof facts === 'string') throw new Error(facts);
    expect(facts.map(({ kind }) => kind)).toEqual(['attempt-wip']);
    expect(keep(world, 1)).toEqual([]);
    const told = facts.flatMap((fact) => eventsOf(world.state, fact, 1));
    expect(told).toMatchObject([
      { kind: 'task-wip', attempt: 1, text: expect.stringContaining('refs/wip/1') },
    ]);
  });

  it('of an attempt at work is not told, but the loss of the attempt is, with where it is kept', () => {
    const world = started([task({ id: 'a' })]);
    const facts = keep(world, 1);
    if (typeof facts === 'string') throw new Error(facts);
    expect(facts.flatMap((fact) => eventsOf(world.state, fact, 1))).toEqual([]);
    world.lose(world.task('a'));
    const lost = world.facts.findLast(({ kind }) => kind === 'attempt-lost');
    if (lost === undefined) throw new Error('not lost');
    expect(eventsOf(world.state, lost, 1)[0]?.text).toContain('kept as');
  });

  it('of an attempt, task or run that never was changes nothing', () => {
    const world = started([task({ id: 'a' })]);
    expect(keep(world, 9)).toEqual([]);
    expect(world.input({ kind: 'wip-kept', taskId: id('x'), fence: 1, wip: wipOf(1) })).toEqual([]);
  });
});

describe('kept work that a person chooses', () => {
  const takeUp = (world: World, attempt: number, what: 'wip' | 'salvage' = 'wip') =>
    world.input({ kind: 'take-up', taskId: id('a'), attempt, what });
  const waiting = (world: World): void => {
    world.input({ kind: 'escalated', taskId: id('a'), fence: world.task('a').fence, text: 'which way?' });
  };
  const retry = (world: World): void => {
    world.input({ kind: 'escalation-answered', taskId: id('a'), action: 'retry', note: '' });
    world.offer();
  };

  it('is where the next attempt begins, whatever the plan says, once', () => {
    const world = started([task({ id: 'a', resume: 'clean', retries: 5 })]);
    loseAndLease(world);
    const salvage = { commit: commit(77), ref: 'refs/salvage/1' };
    world.input({ kind: 'salvaged', taskId: id('a'), fence: 1, salvage });
    waiting(world);
    takeUp(world, 1, 'salvage');
    expect(viewOf(world.state).tasks[0]?.kept).toMatchObject([{ kind: 'salvage', attempt: 1, isNext: true }]);
    retry(world);
    expect(leaseOf(world)).toMatchObject({
      attempt: 3,
      resumeFrom: { kind: 'salvage', commit: commit(77), attempt: 1 },
    });
    expect(viewOf(world.state).tasks[0]?.kept).toMatchObject([{ isNext: false, at: expect.any(Number) }]);
    world.lose(world.task('a'));
    world.offer();
    expect(leaseOf(world)?.resumeFrom).toBeUndefined();
    world.finish();
    world.checkReplay();
  });

  it('is told, and forgotten when the attempt at work hands in a result', () => {
    const world = started([task({ id: 'a', review: 'required' })]);
    keep(world, 1);
    loseAndLease(world);
    const facts = takeUp(world, 1);
    if (typeof facts === 'string') throw new Error(facts);
    expect(facts.flatMap((fact) => eventsOf(world.state, fact, 1))).toMatchObject([
      { kind: 'task-wip', text: 'a: its next attempt goes on from the work in progress of attempt 1' },
    ]);
    world.submit(world.task('a'));
    expect(world.task('a').takeUp).toBeUndefined();
  });

  it('is refused where nothing is kept, nobody knows the task, or no attempt follows', () => {
    const world = started([task({ id: 'a' })]);
    expect(takeUp(world, 1)).toBe('E_RUN_STATE');
    expect(world.input({ kind: 'take-up', taskId: id('x'), attempt: 1, what: 'wip' })).toBe('E_TASK_UNKNOWN');
    keep(world, 1);
    expect(takeUp(world, 1, 'salvage')).toBe('E_RUN_STATE');
    world.submit(world.task('a'));
    expect(takeUp(world, 1)).toBe('E_RUN_STATE');
    world.finish();
    expect(takeUp(world, 1)).toBe('E_RUN_STATE');
  });
});
