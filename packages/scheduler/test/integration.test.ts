import type { PlanTask } from '@switchyard/protocol';
import { owed, type Owed } from '@switchyard/scheduler';
import { describe, expect, it } from 'vitest';
import { base, failure, id, plan, task, type PlanOptions } from './build-plan.ts';
import { World } from './world.ts';

const letters = ['a', 'b', 'c', 'd', 'e'];
const tasks = (count: number): PlanTask[] => letters.slice(0, count).map((name) => task({ id: name }));

/** Leases everything that is ready and hands it in; names in `bad` break the verification. */
function work(world: World, bad: readonly string[] = []): void {
  world.offer();
  for (const one of world.active()) world.submit(one, { bad: bad.includes(one.task.id) });
}

function started(plans: readonly PlanTask[], options: PlanOptions = {}): World {
  const world = new World(plan(plans, options), [{ name: 'w1', labels: [], slots: 20 }]);
  world.input({ kind: 'start' });
  return world;
}

function effect(world: World): Owed {
  const [found, ...more] = owed(world.state).filter(({ kind }) => kind !== 'assign' && kind !== 'review');
  expect(more).toEqual([]);
  if (found === undefined) throw new Error(`nothing is owed: ${JSON.stringify(world.phases())}`);
  return found;
}

/** What the effects that follow are about, until `until` of them are performed or none is owed. */
function follow(world: World, until = 100): string[] {
  const told: string[] = [];
  for (let step = 0; step < until && !world.ended; step += 1) {
    const [next] = owed(world.state).filter(({ kind }) => kind !== 'assign' && kind !== 'review');
    if (next === undefined) break;
    if (next.kind === 'integrate')
      told.push(`merge ${next.decision.entries.map(({ taskId }) => taskId).join('')}`);
    else told.push(next.kind);
    world.perform(next);
  }
  return told;
}

describe('batches', () => {
  it('batch takes all that waits while one is under way', () => {
    const world = started(tasks(3));
    work(world);
    expect(follow(world)).toEqual(['merge a', 'verify', 'move', 'merge bc', 'verify', 'move']);
    expect(world.state.phase.kind).toBe('completed');
    world.checkMoves();
  });

  it('each takes one', () => {
    const world = started(tasks(3), { when: 'each' });
    work(world);
    expect(follow(world).filter((step) => step.startsWith('merge'))).toEqual([
      'merge a',
      'merge b',
      'merge c',
    ]);
  });

  it('end verifies once, when everything else has ended', () => {
    const world = started([...tasks(2), task({ id: 'next', dependsOn: ['a', 'b'] })], { when: 'end' });
    work(world);
    expect(follow(world)).toEqual(['merge a', 'merge b']);
    expect(world.state.tip).toBe(base);
    work(world);
    expect(follow(world)).toEqual(['merge next', 'verify', 'move']);
    expect(world.state.phase.kind).toBe('completed');
    expect(world.state.verifications).toMatchObject([{ tasks: ['a', 'b', 'next'], passed: true }]);
    world.checkMoves();
  });

  it('nothing is verified where the plan has no commands', () => {
    const world = started(tasks(1), { verify: [] });
    work(world);
    expect(follow(world)).toEqual(['merge a', 'move']);
  });

  it('a task without a change completes without a merge; so does a verify task', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b', kind: 'verify', dependsOn: ['a'] })]);
    world.offer();
    world.submit(world.task('a'), { commit: false });
    world.offer();
    world.submit(world.task('b'));
    expect(world.state.phase.kind).toBe('completed');
    expect(world.state.tip).toBe(base);
  });

  it('dependants start from what was moved', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b', dependsOn: ['a'] })]);
    work(world);
    follow(world, 2);
    expect(world.task('b').phase.kind).toBe('pending');
    follow(world);
    world.offer();
    expect(world.task('b').phase).toMatchObject({ kind: 'leased', lease: { base: world.state.tip } });
  });
});

describe('bisection', () => {
  it('finds one of four, and lets the others through', () => {
    const world = started([task({ id: 'first' }), ...tasks(4)]);
    work(world, ['c']);
    const steps = follow(world, 3);
    expect(steps).toEqual(['merge first', 'verify', 'move']);
    const merges = follow(world).filter((step) => step.startsWith('merge'));
    // abcd fails; ab passes; of cd the first alone fails; d passes.
    expect(merges).toEqual(['merge abcd', 'merge ab', 'merge c', 'merge d']);
    expect(world.task('c')).toMatchObject({ phase: { kind: 'ready' }, round: 2 });
    expect(world.task('c').feedback).toMatchObject([{ category: 'integration', severity: 'major' }]);
    expect(world.task('c').feedback[0]?.description).toContain('the last words of a failing test');
    world.finish();
    expect(world.state.phase.kind).toBe('completed');
    world.checkMoves();
  });

  it('finds more than one', () => {
    const world = started([task({ id: 'first' }), ...tasks(5)], { workers: 20 });
    work(world, ['b', 'e']);
    follow(world);
    const rounds = letters.filter((name) => world.task(name).round === 2);
    expect(rounds).toEqual(['b', 'e']);
    world.finish();
    world.checkMoves();
  });

  it('a culprit whose rounds are used up fails', () => {
    const world = started([task({ id: 'a', rounds: 1 })]);
    work(world, ['a']);
    follow(world);
    expect(world.task('a').phase).toMatchObject({ kind: 'failed', failure: { code: 'E_VERIFY_FAILED' } });
    expect(world.task('a').history).toMatchObject([{ outcome: 'rejected' }]);
  });

  it('end takes back what was built on the culprit, too', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b', dependsOn: ['a'] }), task({ id: 'c' })], {
      when: 'end',
    });
    work(world, ['a']);
    follow(world);
    work(world);
    follow(world);
    expect(world.phases()).toEqual({ a: 'ready', b: 'pending', c: 'completed' });
    world.finish();
    expect(world.state.phase.kind).toBe('completed');
    world.checkMoves();
    world.checkReplay();
  });
});

describe('a suspect that is cancelled', () => {
  it('takes with it what was built on it, and leaves the rest to be tried', () => {
    const chain = [
      task({ id: 'a' }),
      task({ id: 'b', dependsOn: ['a'] }),
      task({ id: 'c' }),
      task({ id: 'd' }),
    ];
    const world = started(chain, { when: 'end' });
    work(world, ['d']);
    follow(world);
    work(world);
    follow(world, 3); // b is merged, the whole fails, half of it is merged again
    expect(world.state.suspects).toEqual(['a', 'c', 'd', 'b']);
    world.input({ kind: 'cancel', taskId: id('a'), reason: 'not needed' });
    expect(world.phases()).toMatchObject({ a: 'cancelled', b: 'skipped' });
    world.finish();
    expect(world.phases()).toEqual({ a: 'cancelled', b: 'skipped', c: 'completed', d: 'completed' });
    world.checkMoves();
  });
});

describe('what goes wrong on the way', () => {
  it('a conflict goes back with both sides, from the new tip', () => {
    const world = started(tasks(1));
    work(world);
    world.perform(effect(world), ['a']);
    expect(world.task('a')).toMatchObject({ phase: { kind: 'ready' }, round: 2 });
    expect(world.task('a').continueFrom).toBeUndefined();
    expect(world.task('a').history).toMatchObject([{ outcome: 'conflict' }]);
  });

  it('a conflict in the last round fails', () => {
    const world = started([task({ id: 'a', rounds: 1 })]);
    work(world);
    world.perform(effect(world), ['a']);
    expect(world.task('a').phase).toMatchObject({ failure: { code: 'E_MERGE_CONFLICT' } });
  });

  it('a step that cannot be carried out is owed again twice, as another effect; then the run stops', () => {
    const world = started(tasks(1));
    work(world);
    const ids: string[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      ids.push(effect(world).id);
      world.input({ kind: 'integration-errored', batch: 1, failure: failure('io', { message: 'disk' }) });
    }
    expect(new Set(ids).size).toBe(3);
    expect(world.state.phase).toMatchObject({ kind: 'failed', reason: 'integration failed: disk' });
  });

  it('a branch that somebody else moved stops the run', () => {
    const world = started(tasks(1));
    work(world);
    follow(world, 2);
    world.input({ kind: 'branch-lost', batch: 1, reason: 'it is elsewhere' });
    expect(world.state.phase).toMatchObject({
      kind: 'failed',
      reason: 'E_RUN_BRANCH_MOVED: it is elsewhere',
    });
  });

  it('answers for another batch or another step change nothing', () => {
    const world = started(tasks(1));
    work(world);
    expect(world.input({ kind: 'moved', batch: 1 })).toEqual([]);
    expect(world.input({ kind: 'verified', batch: 1, passed: true, receipts: [] })).toEqual([]);
    expect(world.input({ kind: 'merged', batch: 2, tip: base, merged: [], conflicts: [] })).toEqual([]);
  });

  it('a cancelled run lets a batch finish that is being moved', () => {
    const world = started(tasks(2), { when: 'batch' });
    work(world);
    follow(world, 2);
    world.input({ kind: 'cancel', reason: 'enough' });
    expect(world.state.phase.kind).toBe('stopping');
    expect(world.phases()).toEqual({ a: 'verifying', b: 'cancelled' });
    follow(world);
    expect(world.state.phase).toMatchObject({ kind: 'cancelled', reason: 'enough' });
    expect(world.phases()).toEqual({ a: 'completed', b: 'cancelled' });
    world.checkMoves();
  });

  it('a cancelled task leaves its batch, the others go on', () => {
    const world = started(tasks(3));
    work(world);
    follow(world, 4);
    expect(world.task('b').phase.kind).toBe('verifying');
    world.input({ kind: 'cancel', taskId: id('b'), reason: '' });
    world.finish();
    expect(world.phases()).toEqual({ a: 'completed', b: 'cancelled', c: 'completed' });
    world.checkMoves();
  });

  it('what is being moved cannot be cancelled any more', () => {
    const world = started(tasks(1));
    work(world);
    follow(world, 2);
    expect(world.input({ kind: 'cancel', taskId: id('a'), reason: '' })).toBe('E_RUN_STATE');
  });
});

describe('a verification that fails without the change too', () => {
  it('blames nobody: the run stops and says why', () => {
    const world = started(tasks(1), { when: 'end' });
    work(world, ['a']);
    while (world.state.integration.kind !== 'verifying') world.perform(effect(world));
    const { batch } = world.state.integration.decision;
    world.input({ kind: 'verified', batch, passed: false, receipts: [], parentFails: true });
    expect(world.state.phase).toMatchObject({ kind: 'failed' });
    expect(world.state.phase).toHaveProperty('reason', expect.stringContaining('before the changes of a'));
    expect(world.state.tasks.get(id('a'))?.round).toBe(1);
  });
});
