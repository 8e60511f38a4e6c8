import { describe, expect, it } from 'vitest';
import type { PlanTask } from '@switchyard/protocol';
import { eventsOf } from '@switchyard/scheduler';
import { commit, failure, id, peer, plan, task, type PlanOptions } from './build-plan.ts';
import { World, type Worker } from './world.ts';

const big: Worker = { name: 'w1', labels: ['os:linux'], slots: 10 };

function started(tasks: readonly PlanTask[], options: PlanOptions = {}, workers: Worker[] = [big]): World {
  const world = new World(plan(tasks, options), workers);
  world.input({ kind: 'start' });
  return world;
}

/** The ids leased by the next offer, in order. */
function leased(world: World): string[] {
  const facts = world.offer();
  if (typeof facts === 'string') throw new Error(facts);
  return facts.flatMap((fact) => (fact.kind === 'task-leased' ? [fact.taskId] : []));
}

const chain = [
  task({ id: 'short', minutes: 1 }),
  task({ id: 'long', minutes: 1 }),
  task({ id: 'longer', minutes: 5, dependsOn: ['long'] }),
];

describe('the order of leases', () => {
  it('max-parallel takes tasks as they became ready', () => {
    expect(leased(started(chain, { strategy: 'max-parallel', workers: 1 }))).toEqual(['short']);
  });

  it('critical-path takes the longest remaining path first', () => {
    expect(leased(started(chain, { strategy: 'critical-path', workers: 1 }))).toEqual(['long']);
  });

  it('critical-path takes a ready task first for which added tasks wait', () => {
    const world = started(chain.slice(0, 2), { strategy: 'critical-path', workers: 1 });
    world.input({ kind: 'add-tasks', tasks: chain.slice(2) });
    expect(leased(world)).toEqual(['long']);
  });

  it('fills every slot up to the cap of the run', () => {
    const tasks = ['a', 'b', 'c', 'd'].map((name) => task({ id: name }));
    expect(leased(started(tasks, { workers: 3 }))).toEqual(['a', 'b', 'c']);
    expect(leased(started(tasks, {}, [{ ...big, slots: 2 }]))).toEqual(['a', 'b']);
  });

  it('spreads tasks over workers', () => {
    const world = started(
      ['a', 'b', 'c'].map((name) => task({ id: name })),
      {},
      [
        { name: 'w1', labels: [], slots: 2 },
        { name: 'w2', labels: [], slots: 2 },
      ],
    );
    world.offer();
    const held = world.active().flatMap(({ phase }) => ('lease' in phase ? [phase.lease.worker] : []));
    expect(held.toSorted()).toEqual(['w1', 'w1', 'w2']);
  });
});

describe('what keeps a task from a worker', () => {
  it('labels it requires that the worker does not offer', () => {
    const tasks = [task({ id: 'a', requires: ['gpu'] }), task({ id: 'b' })];
    expect(leased(started(tasks))).toEqual(['b']);
    expect(leased(started(tasks, {}, [{ name: 'w2', labels: ['gpu'], slots: 1 }]))).toEqual(['a']);
  });

  it('a worker type, where any worker has types', () => {
    const tasks = [task({ id: 'a', workerType: 'tester' })];
    expect(leased(started(tasks))).toEqual(['a']);
    expect(leased(started(tasks, {}, [{ name: 'w2', labels: ['type:developer'], slots: 1 }]))).toEqual([]);
    expect(leased(started(tasks, {}, [{ name: 'w2', labels: ['type:tester'], slots: 1 }]))).toEqual(['a']);
  });

  it('a path that another task holds, until that one is integrated', () => {
    const world = started([
      task({ id: 'a', workspace: ['src'] }),
      task({ id: 'b', workspace: ['src/deep/file.ts'] }),
    ]);
    expect(leased(world)).toEqual(['a']);
    world.submit(world.task('a'));
    expect(leased(world)).toEqual([]);
    world.finish();
    expect(world.state.phase.kind).toBe('completed');
  });

  it('a pause: nothing new starts, what runs goes on', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b', dependsOn: ['a'] })]);
    leased(world);
    world.input({ kind: 'pause', reason: 'lunch' });
    world.submit(world.task('a'), { commit: false });
    expect(world.task('a').phase.kind).toBe('completed');
    expect(leased(world)).toEqual([]);
    world.input({ kind: 'resume' });
    expect(leased(world)).toEqual(['b']);
  });
});

describe('rate-aware', () => {
  const tasks = ['a', 'b', 'c'].map((name) => task({ id: name, rpm: 100 }));

  it('admits what the limit has room for', () => {
    expect(leased(started(tasks, { strategy: 'rate-aware', rpm: 250 }))).toEqual(['a', 'b']);
  });

  it('always lets one task run', () => {
    expect(leased(started(tasks, { strategy: 'rate-aware', rpm: 10 }))).toEqual(['a']);
  });

  it('believes what is measured over what was expected of attempts that are older than the measure', () => {
    const world = started(tasks, { strategy: 'rate-aware', rpm: 250 });
    leased(world);
    world.now += 61_000;
    world.input({ kind: 'offer', offers: world.offers(), measuredRpm: 200 });
    expect(world.task('c').phase.kind).toBe('ready');
    world.input({ kind: 'offer', offers: world.offers(), measuredRpm: 20 });
    expect(world.task('c').phase.kind).toBe('leased');
  });

  it('counts commands as making no requests', () => {
    const commands = ['a', 'b', 'c'].map((name) => task({ id: name }));
    expect(leased(started(commands, { strategy: 'rate-aware', rpm: 10 }))).toEqual(['a', 'b', 'c']);
  });
});

describe('a violation that is seen while an attempt works', () => {
  it('is told as an event, changes nothing, and counts for the lease that is out only', () => {
    const world = started([task({ id: 'a' })]);
    world.offer();
    const violations = [{ kind: 'symlink-escape', path: 'src/out' }];
    const seen = (fence: number) => world.input({ kind: 'violated', taskId: id('a'), fence, violations });
    const before = structuredClone(world.task('a'));
    const facts = seen(1);
    if (typeof facts === 'string') throw new Error(facts);
    expect(facts.flatMap((fact) => eventsOf(world.state, fact, 1))).toMatchObject([
      {
        kind: 'task-violation',
        attempt: 1,
        text: 'a touches what is not its to change: src/out (symlink-escape)',
      },
    ]);
    expect(world.task('a')).toEqual(before);
    world.lose(world.task('a'));
    expect(seen(1)).toEqual([]);
    world.checkReplay();
  });
});

describe('a lease', () => {
  it('goes back to the worker that has the clone, with a new fence and the commit to go on from', () => {
    const workers = [
      { name: 'w1', labels: [], slots: 1 },
      { name: 'w2', labels: [], slots: 9 },
    ];
    const world = started([task({ id: 'a', review: 'required' })], {}, workers);
    world.input({ kind: 'offer', offers: world.offers().slice(0, 1) });
    world.submit(world.task('a'));
    world.input({
      kind: 'reviewed',
      taskId: id('a'),
      fence: 1,
      outcome: 'rejected',
      findings: [],
      text: 'no',
    });
    world.offer();
    const { phase, continueFrom, round } = world.task('a');
    expect(phase).toMatchObject({ kind: 'leased', lease: { worker: 'w1', fence: 2, attempt: 2 } });
    expect({ continueFrom, round }).toEqual({ continueFrom: commit(1), round: 2 });
  });

  it('goes to any worker when that one is not free', () => {
    const world = started([task({ id: 'a', review: 'required' })], {}, [
      { name: 'w1', labels: [], slots: 1 },
      { name: 'w2', labels: [], slots: 1 },
    ]);
    world.offer();
    world.submit(world.task('a'));
    world.input({ kind: 'reviewed', taskId: id('a'), fence: 1, outcome: 'rejected', findings: [], text: '' });
    world.input({ kind: 'offer', offers: [{ worker: peer('w2'), labels: [], freeSlots: 1 }] });
    expect(world.task('a').phase).toMatchObject({ kind: 'leased', lease: { worker: 'w2' } });
  });

  it('does not take progress backwards, and takes it without an acceptance', () => {
    const world = started([task({ id: 'a' })]);
    world.offer();
    const progressed = (phase: 'preparing' | 'running' | 'checking') =>
      world.input({ kind: 'progressed', taskId: id('a'), fence: 1, phase });
    expect(progressed('checking')).toHaveLength(1);
    expect(world.task('a').phase.kind).toBe('running');
    expect(progressed('preparing')).toEqual([]);
    expect(world.input({ kind: 'accepted', taskId: id('a'), fence: 1 })).toEqual([]);
  });

  it('is revoked when its task is cancelled', () => {
    const world = started([task({ id: 'a' }), task({ id: 'b', dependsOn: ['a'] })]);
    world.offer();
    const facts = world.input({ kind: 'cancel', taskId: id('a'), reason: 'not needed' });
    expect(facts).toMatchObject([
      { kind: 'attempt-cancelled', worker: 'w1', fence: 1 },
      { kind: 'task-cancelled' },
      { kind: 'task-skipped', taskId: 'b', because: 'a' },
      { kind: 'run-ended', end: 'failed' },
    ]);
  });

  it('counts for nothing with an old fence', () => {
    const world = started([task({ id: 'a' })]);
    world.offer();
    const before = world.task('a');
    world.lose(before);
    world.offer();
    expect(
      world.input({ kind: 'attempt-failed', taskId: id('a'), fence: 1, failure: failure('fatal') }),
    ).toEqual([]);
    expect(world.task('a').phase).toMatchObject({ kind: 'leased', lease: { fence: 2 } });
  });
});
