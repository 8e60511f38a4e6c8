import { AppError, type RunId } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { peer } from './fakes.ts';
import { attemptOf, BenchWorker } from './peers.ts';

const graceMs = 30_000;

async function atWork(slots = 1) {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1', { slots });
  const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
  const assignment = worker.assignment('a');
  worker.accept(assignment);
  await settle();
  return { bench, worker, run, assignment };
}

function losses(bench: Bench, run: RunId): string[] {
  return bench
    .events(run)
    .filter(({ kind, text }) => kind === 'task-assign-failed' && text.includes('is lost'))
    .map(({ text }) => text);
}

describe('a worker that goes away', () => {
  it('keeps its attempt for the grace, and loses it after', async () => {
    const { bench, worker, run } = await atWork();
    await worker.kill();
    await bench.clock.advance(graceMs - 1_000);
    expect(bench.phase(run, 'a')).toBe('preparing');
    await bench.clock.advance(2_000);
    expect(bench.phase(run, 'a')).toBe('ready');
    expect(losses(bench, run)[0]).toContain('worker-1: no contact for 30 s');
  });

  it('goes on with its attempt when it comes back within the grace', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.cut();
    await bench.until(() => worker.link.state === 'connected');
    await bench.clock.advance(graceMs * 2);
    expect(worker.fenced).toEqual([]);
    expect(worker.assignments).toHaveLength(1);
    worker.complete(assignment);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(losses(bench, run)).toEqual([]);
  });

  it('loses it at once when it was restarted and does not hold it any more', async () => {
    const { bench, worker, run } = await atWork();
    await worker.kill();
    const again = await BenchWorker.connect(bench, 'worker-1');
    await settle();
    expect(losses(bench, run)[0]).toContain('worker-1 was restarted');
    expect(again.assignment('a')).toMatchObject({ attempt: 2 });
  });

  it('is told what is not its own any more when it comes back late', async () => {
    const { bench, worker, assignment } = await atWork();
    await worker.kill();
    await bench.clock.advance(graceMs + 1_000);
    const other = await BenchWorker.connect(bench, 'worker-2');
    expect(other.assignment('a').attempt).toBe(2);
    const again = await BenchWorker.connect(bench, 'worker-1');
    again.holding = [attemptOf(assignment), attemptOf(other.assignment('a'))];
    again.cut();
    await bench.until(() => again.fenced.length > 0);
    // Neither the attempt it lost nor the one that another worker has is its own.
    expect(again.fenced).toEqual(again.holding);
  });

  it('is told again what it was given and had not accepted', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await worker.kill();
    const again = await BenchWorker.connect(bench, 'worker-1');
    expect(again.assignment('a')).toEqual(worker.assignment('a'));
    expect(losses(bench, run)).toEqual([]);
  });

  it('loses everything at once when its local process has ended', async () => {
    const { bench, worker, run } = await atWork();
    bench.daemon.instanceEnded(worker.peer, 'killed by SIGKILL');
    await settle();
    expect(losses(bench, run)[0]).toContain('killed by SIGKILL');
  });

  it('is judged anew when the orchestrator itself stood still', async () => {
    const { bench, worker, run } = await atWork();
    await worker.kill();
    await bench.clock.advance(10_000);
    await bench.clock.stall(60_000);
    expect(bench.phase(run, 'a')).toBe('preparing');
    expect(bench.instances.stalls).toBe(1);
    await bench.clock.advance(graceMs + 3_000);
    expect(bench.phase(run, 'a')).toBe('ready');
  });
});

describe('a worker whose main loop stands still', () => {
  it('is unverifiable for clients, gets nothing new, and gets work again when it moves', async () => {
    const bench = new Bench();
    let progress = 0;
    let moves = true;
    const counter = (): number => (moves ? (progress += 1) : progress);
    const worker = await BenchWorker.connect(bench, 'worker-1', {}, { progress: counter });
    moves = false;
    await bench.clock.advance(12_000);
    const client = await bench.client('client-1');
    const { peers } = await client.api.fleet();
    expect(peers).toMatchObject([{ peer: 'worker-1', state: 'unverifiable' }]);
    await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    expect(worker.assignments).toEqual([]);
    moves = true;
    await bench.clock.advance(4_000);
    expect(worker.assignments).toHaveLength(1);
  });

  it('is told to come back as a new one when its grace is over', async () => {
    const bench = new Bench();
    let progress = 0;
    let moves = true;
    const counter = (): number => (moves ? (progress += 1) : progress);
    const worker = await BenchWorker.connect(bench, 'worker-1', {}, { progress: counter });
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    moves = false;
    await bench.clock.advance(graceMs + 12_000);
    expect(losses(bench, run)).toHaveLength(1);
    moves = true;
    await bench.until(() => worker.assignments.length === 2);
    expect(worker.fenced).toHaveLength(1);
  });
});

describe('a worker that drains', () => {
  it('gets nothing more; what it holds is lost without a grace when it has left', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]),
    );
    const assignment = worker.assignment('a');
    worker.accept(assignment);
    worker.link.send('draining', { reason: 'asked to' });
    worker.complete(assignment);
    await bench.until(() => bench.phase(run, 'b') === 'ready');
    await bench.clock.advance(1_000);
    expect(worker.assignments).toHaveLength(1);
    const client = await bench.client('client-1');
    expect((await client.api.fleet()).peers[0]).toMatchObject({ state: 'draining' });
    await worker.kill();
    await settle();
    expect((await client.api.fleet()).peers).toEqual([]);
  });
});

describe('an assignment', () => {
  it('that nobody accepts in time is given to another worker', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    expect(worker.assignments).toHaveLength(1);
    const other = await BenchWorker.connect(bench, 'worker-2', { slots: 5 });
    await bench.clock.advance(29_000);
    expect(bench.phase(run, 'a')).toBe('leased');
    await bench.clock.advance(2_000);
    expect(losses(bench, run)[0]).toContain('did not accept the assignment within 30 s');
    expect(other.assignments).toHaveLength(1);
    expect(worker.count('task-cancel')).toBe(1);
  });

  it('has its time anew when it is told again', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.clock.advance(20_000);
    worker.cut();
    await bench.until(() => worker.assignments.length === 2);
    await bench.clock.advance(20_000);
    expect(bench.phase(run, 'a')).toBe('leased');
    expect(losses(bench, run)).toEqual([]);
    await bench.clock.advance(12_000);
    expect(losses(bench, run)).toHaveLength(1);
  });

  it('that fits into no message fails its task instead of the orchestrator', async () => {
    const bench = new Bench();
    await BenchWorker.connect(bench, 'worker-1');
    const { hub } = bench;
    const send = hub?.send.bind(hub);
    if (hub === undefined || send === undefined) throw new Error('no hub');
    hub.send = (to, type, payload, extra) => {
      if (type === 'task-assignment') throw new AppError('E_PROTOCOL', 'a task-assignment of 17 MB');
      return send(to, type, payload, extra);
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(bench.fatal).toEqual([]);
  });

  it('of which nothing is heard for very long is lost', async () => {
    const { bench, worker, run } = await atWork();
    await bench.clock.advance(17 * 60_000 - 1_000);
    expect(losses(bench, run)).toEqual([]);
    await bench.clock.advance(2_000);
    expect(losses(bench, run)[0]).toContain('no result within 17 minutes');
    expect(worker.count('task-cancel')).toBe(1);
  });

  it('is not lost by time in which the orchestrator itself stood still', async () => {
    const { bench, run } = await atWork();
    await bench.clock.stall(60 * 60_000);
    await bench.clock.advance(5_000);
    expect(bench.phase(run, 'a')).toBe('preparing');
    expect(losses(bench, run)).toEqual([]);
  });
});

describe('slots', () => {
  it('are never given out twice, whatever comes in one turn', async () => {
    const bench = new Bench();
    const tasks = ['a', 'b', 'c', 'd', 'e'].map((id) => buildTask({ id }));
    const [one, two] = [
      await BenchWorker.connect(bench, 'worker-1', { slots: 2 }),
      await BenchWorker.connect(bench, 'worker-2', { slots: 1 }),
    ];
    const first = bench.submit(buildPlan(tasks));
    const second = bench.client('client-2').then(({ api }) => api.submit(buildPlan(tasks)));
    await Promise.all([first, second]);
    await settle();
    expect([one.assignments.length, two.assignments.length]).toEqual([2, 1]);
    one.accept(one.assignments[0] ?? one.assignment('a'));
    one.complete(one.assignments[0] ?? one.assignment('a'));
    await bench.until(() => one.assignments.length === 3);
    expect(two.assignments).toHaveLength(1);
  });

  it('what is free goes to the oldest run first', async () => {
    const bench = new Bench();
    const first = await bench.submit(buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })]));
    const second = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    expect(worker.assignments.map(({ run }) => run)).toEqual([first, first]);
    for (const given of worker.assignments.slice()) {
      worker.accept(given);
      worker.complete(given);
    }
    await bench.until(() => bench.view(second).tasks.values().next().value?.phase.kind === 'leased');
  });
});

describe('the local fleet', () => {
  it('is asked for as many workers as tasks wait that nobody free can take', async () => {
    const bench = new Bench();
    bench.instances.why = undefined;
    const tasks = ['a', 'b', 'c'].map((id) => buildTask({ id }));
    await bench.submit(
      buildPlan([...tasks, buildTask({ id: 'd', dependsOn: ['a'] })], { limits: { workers: 4, rpm: 100 } }),
    );
    expect(bench.instances.wanted?.workers).toMatchObject({ ready: 3, connected: 0, cap: 4 });
    await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    expect(bench.instances.wanted?.workers).toMatchObject({ ready: 1, connected: 1 });
  });

  it('is asked for one where the free workers lack a label', async () => {
    const bench = new Bench();
    bench.instances.why = undefined;
    await BenchWorker.connect(bench, 'worker-1', { labels: ['os:darwin'] });
    await bench.submit(buildPlan([buildTask({ id: 'a', requires: ['os:linux'] })]));
    expect(bench.instances.wanted?.workers).toMatchObject({ ready: 1, idle: ['worker-1'] });
  });

  it('is not asked for more where a path is held or the run is paused', async () => {
    const bench = new Bench();
    bench.instances.why = undefined;
    await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', more: { workspace: ['a/deep'] } })]),
    );
    expect(bench.phase(run, 'b')).toBe('ready');
    expect(bench.instances.wanted?.workers.ready).toBe(0);
    const client = await bench.client('client-1');
    await client.api.pause(run);
    expect(bench.instances.wanted?.workers).toMatchObject({ ready: 0, cap: 0 });
  });
});

describe('the fleet as clients see it', () => {
  it('names who is there, what they do, and who is starting', async () => {
    const bench = new Bench();
    bench.instances.local.add(peer('worker-1'));
    bench.instances.spawning = [{ role: 'reviewer', pid: 77, since: 5 }];
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    await BenchWorker.connect(bench, 'worker-2');
    await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    const client = await bench.client('client-1');
    const { peers } = await client.api.fleet();
    expect(peers).toMatchObject([
      { peer: 'worker-1', state: 'busy', busy: 1, slots: 2, local: true },
      { peer: 'worker-2', state: 'idle', busy: 0, local: false },
      { role: 'reviewer', state: 'starting', pid: 77, local: true },
    ]);
  });

  it('ends one worker: a local one by its process, another by a message', async () => {
    const bench = new Bench();
    bench.instances.local.add(peer('worker-1'));
    const [local, remote] = [
      await BenchWorker.connect(bench, 'worker-1'),
      await BenchWorker.connect(bench, 'worker-2'),
    ];
    const client = await bench.client('client-1');
    await client.api.terminateWorker('worker-1');
    await client.api.terminateWorker('worker-2');
    await settle();
    expect(bench.instances.terminated).toEqual(['worker-1']);
    expect([local.count('shutdown'), remote.count('shutdown')]).toEqual([0, 1]);
    await expect(client.api.terminateWorker('worker-3')).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});
