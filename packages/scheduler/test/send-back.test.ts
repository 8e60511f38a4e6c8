import { describe, expect, it } from 'vitest';
import { owed } from '@switchyard/scheduler';
import { id, plan, task } from './build-plan.ts';
import { World } from './world.ts';

const worker = { name: 'w', labels: [], slots: 5 };

function worldOf(tasks: Parameters<typeof task>[0][], more: Parameters<typeof plan>[1] = {}): World {
  const world = new World(plan(tasks.map(task), more), [worker]);
  world.input({ kind: 'start' });
  return world;
}

/** Everything that can be done without a person is done. */
function settle(world: World, conflicting: readonly string[] = []): void {
  for (let facts = -1; facts !== world.facts.length;) {
    facts = world.facts.length;
    world.offer();
    for (const effect of owed(world.state)) world.perform(effect, conflicting);
    for (const active of world.active()) world.submit(active);
  }
}

const gate = (world: World, taskId: string, approve: boolean, note = ''): void => {
  expect(world.input({ kind: 'gate-answered', taskId: id(taskId), approve, note })).not.toBeTypeOf('string');
};

describe('a rejected gate that sends back', () => {
  const tasks = (onReject: 'send-back' | 'roll-back') => [
    { id: 'before' },
    { id: 'work', dependsOn: ['before'] },
    { id: 'check', kind: 'review' as const, dependsOn: ['work'] },
    { id: 'gate', kind: 'manual' as const, dependsOn: ['check'], onReject },
    { id: 'after', dependsOn: ['gate'] },
  ];

  it('lets the work before it begin again with the note, and asks again behind it', () => {
    const world = worldOf(tasks('send-back'));
    settle(world);
    expect(world.phases()).toMatchObject({ work: 'completed', check: 'completed', gate: 'waiting' });
    gate(world, 'gate', false, 'the title is wrong');
    expect(world.phases()).toEqual({
      ...{ before: 'completed', work: 'ready', check: 'pending', gate: 'pending', after: 'pending' },
    });
    expect(world.task('work').feedback).toMatchObject([
      { category: 'gate', severity: 'major', description: expect.stringContaining('the title is wrong') },
    ]);
    settle(world);
    expect(world.phases()).toMatchObject({ work: 'completed', gate: 'waiting' });
    expect(world.task('work').merges).toHaveLength(2);
    gate(world, 'gate', true);
    settle(world);
    expect(world.state.phase.kind).toBe('completed');
    world.checkMoves();
    world.checkReplay();
  });

  it('takes no answer to what it asked before', () => {
    const world = worldOf(tasks('send-back'));
    settle(world);
    const asked = world.now;
    const answer = { kind: 'gate-answered', taskId: id('gate'), note: '', asked } as const;
    expect(world.input({ ...answer, approve: false })).not.toBeTypeOf('string');
    world.now += 1000;
    settle(world);
    expect(world.phases()).toMatchObject({ gate: 'waiting' });
    expect(world.input({ ...answer, approve: true })).toBe('E_RUN_STATE');
    expect(world.phases()).toMatchObject({ gate: 'waiting' });
    expect(world.input({ ...answer, approve: true, asked: world.now })).not.toBeTypeOf('string');
  });

  it('does so as often as the plan says, and then fails', () => {
    const world = worldOf(tasks('send-back'));
    for (const round of [1, 2]) {
      settle(world);
      gate(world, 'gate', false, `no ${round}`);
    }
    settle(world);
    gate(world, 'gate', false, 'no 3');
    expect(world.phases()).toMatchObject({ work: 'completed', gate: 'failed', after: 'skipped' });
    expect(world.task('gate').phase).toMatchObject({
      failure: { code: 'E_GATE_REJECTED', message: expect.stringContaining('sent back 2 times') },
    });
  });

  it('gives the work its review rounds anew', () => {
    const world = worldOf([
      { id: 'work', review: 'required', rounds: 1 },
      { id: 'gate', kind: 'manual', dependsOn: ['work'], onReject: 'send-back' },
    ]);
    settle(world);
    gate(world, 'gate', false);
    expect(world.task('work')).toMatchObject({ round: 2, roundsBefore: 1 });
  });

  it('has what was begun on the work begin anew behind it', () => {
    const running = worldOf([
      { id: 'work' },
      { id: 'gate', kind: 'manual', dependsOn: ['work'], onReject: 'send-back' },
      { id: 'beside', dependsOn: ['work'] },
    ]);
    while (running.task('beside').phase.kind !== 'leased') {
      running.offer();
      if (running.task('beside').phase.kind === 'leased') break;
      for (const active of running.active()) running.submit(active);
      for (const effect of owed(running.state)) running.perform(effect);
    }
    gate(running, 'gate', false);
    expect(running.phases()).toEqual({ work: 'ready', gate: 'pending', beside: 'pending' });
  });

  it('leaves alone what rests on a gate that failed and lets others go on', () => {
    const world = worldOf([
      { id: 'work' },
      { id: 'asks', kind: 'manual', onFailure: 'continue' },
      { id: 'beside', dependsOn: ['asks'] },
      { id: 'gate', kind: 'manual', dependsOn: ['work', 'asks'], onReject: 'send-back' },
    ]);
    gate(world, 'asks', false);
    world.offer();
    world.submit(world.task('work'));
    for (let step = 0; step < 4; step += 1) for (const effect of owed(world.state)) world.perform(effect);
    expect(world.phases()).toMatchObject({ asks: 'failed', beside: 'preparing', gate: 'waiting' });
    gate(world, 'gate', false);
    expect(world.phases()).toMatchObject({ work: 'ready', asks: 'failed', beside: 'preparing' });
  });

  it('takes the work off the branch where the plan says roll-back', () => {
    const world = worldOf(tasks('roll-back'));
    settle(world);
    gate(world, 'gate', false, 'never');
    settle(world);
    expect(world.phases()).toEqual({
      ...{ before: 'completed', work: 'rolled-back', check: 'completed', gate: 'failed', after: 'skipped' },
    });
    expect(world.state.phase).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('1 rolled back'),
    });
    world.checkMoves();
  });
});

describe('a rollback', () => {
  const chain = [{ id: 'a' }, { id: 'b', dependsOn: ['a'] }, { id: 'c' }];
  const ask = (world: World, taskId: string | undefined, withDependants = false) =>
    world.input({
      ...{ kind: 'rollback', withDependants, reason: '' },
      ...(taskId === undefined ? {} : { taskId: id(taskId) }),
    });

  it('of one task names those that rest on it, and takes them back too when asked', () => {
    const world = worldOf(chain);
    settle(world);
    expect(world.state.phase.kind).toBe('completed');
    expect(ask(world, 'a')).toBe('E_ROLLBACK_DEPENDANTS');
    expect(world.state.rollback).toBeUndefined();
    expect(ask(world, 'a', true)).not.toBeTypeOf('string');
    expect(owed(world.state).map(({ kind }) => kind)).toEqual(['revert']);
    world.finishRollback();
    expect(world.phases()).toEqual({ a: 'rolled-back', b: 'rolled-back', c: 'completed' });
    expect(owed(world.state).map(({ kind }) => kind)).toEqual(['finish']);
    expect(ask(world, 'a', true)).toBe('E_RUN_STATE');
    expect(ask(world, undefined)).not.toBeTypeOf('string');
    world.finishRollback();
    expect(world.phases()).toEqual({ a: 'rolled-back', b: 'rolled-back', c: 'rolled-back' });
    expect(ask(world, undefined)).toBe('E_RUN_STATE');
    world.checkMoves();
    world.checkReplay();
  });

  it('that conflicts, or leaves what does not pass, changes nothing and says why', () => {
    const world = worldOf(chain);
    settle(world);
    const { tip } = world.state;
    ask(world, 'c');
    for (const effect of owed(world.state)) world.perform(effect, ['c']);
    expect(world.facts.at(-1)).toMatchObject({
      kind: 'rollback-refused',
      reason: expect.stringContaining('later changes are mixed with those of c'),
    });
    ask(world, 'c');
    for (const effect of owed(world.state)) world.perform(effect);
    const [verify] = owed(world.state);
    if (verify?.kind !== 'verify') throw new Error('nothing is verified');
    world.input({ kind: 'verified', batch: verify.batch, passed: false, receipts: [] });
    expect(world.facts.at(-1)).toMatchObject({
      kind: 'rollback-refused',
      reason: expect.stringContaining('does not pass without c'),
    });
    expect(world.state.tip).toBe(tip);
    expect(world.phases()).toEqual({ a: 'completed', b: 'completed', c: 'completed' });
    world.checkMoves();
  });

  it('of a run that runs is refused; of a task of it, what comes after it is skipped', () => {
    const world = worldOf([...chain, { id: 'd', dependsOn: ['c'] }]);
    world.offer();
    const c = world.task('c');
    world.submit(c);
    for (let step = 0; step < 3; step += 1) for (const effect of owed(world.state)) world.perform(effect);
    expect(world.phases()).toMatchObject({ a: 'preparing', c: 'completed', d: 'ready' });
    expect(ask(world, undefined)).toBe('E_RUN_STATE');
    expect(ask(world, 'a')).toBe('E_RUN_STATE');
    ask(world, 'c');
    for (let step = 0; step < 3; step += 1) for (const effect of owed(world.state)) world.perform(effect);
    expect(world.phases()).toMatchObject({ c: 'rolled-back', d: 'skipped' });
    world.finish();
    expect(world.state.phase).toMatchObject({ kind: 'failed' });
    world.checkMoves();
  });
});
