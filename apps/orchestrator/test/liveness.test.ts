import { limits, peerId, type PeerView } from '@switchyard/protocol';
import { viewOf } from '@switchyard/scheduler';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { attemptOf, BenchReviewer, BenchWorker } from './peers.ts';

const graceMs = 30_000;
const deadShownMs = 600_000;
const stoodStill = 'its main loop has stood still for too long';
const newBench = (): Bench => new Bench({ settings: { leaseGraceMs: graceMs, deadShownMs } });

/** What a person sees who asks for the fleet, and for how long each is so. */
async function shown(bench: Bench): Promise<(PeerView & { forMs: number })[]> {
  const client = await bench.client(`client-${bench.random.next()}`.replace('.', '-'));
  const { peers } = await client.api.fleet();
  await client.link.close();
  const now = bench.clock.now();
  return peers.map((peer) => ({ ...peer, forMs: now - (peer.livenessSince ?? Number.NaN) }));
}

describe('the liveness of a worker is shown, with the time since', () => {
  it('alive, unverifiable, dead, and alive again with its old attempt fenced', async () => {
    const bench = newBench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const assignment = worker.assignment('a');
    worker.accept(assignment);
    await bench.clock.advance(5_000);
    expect(await shown(bench)).toMatchObject([{ state: 'busy', liveness: 'alive', forMs: 5_000 }]);

    await worker.kill();
    await bench.clock.advance(10_000);
    const unverifiable = { state: 'unverifiable', liveness: 'unverifiable', forMs: 10_000, busy: 1 };
    expect(await shown(bench)).toMatchObject([
      { ...unverifiable, reason: 'its connection has ended', peer: 'worker-1' },
    ]);
    expect(bench.phase(run, 'a')).toBe('preparing');
    const reason = 'worker-1 is unverifiable; if it is not heard again in time, another attempt follows';
    expect(viewOf(bench.view(run)).tasks[0]?.reason).toBe(reason);

    await bench.clock.advance(graceMs - 10_000 + 7_000);
    const dead = { state: 'dead', liveness: 'dead', forMs: 7_000, busy: 0, host: 'test', pid: 1 };
    expect(await shown(bench)).toMatchObject([{ ...dead, reason: 'no contact for 30 s', peer: 'worker-1' }]);
    expect(bench.phase(run, 'a')).toBe('ready');

    const again = await BenchWorker.connect(bench, 'worker-1', { holding: [] });
    again.holding = [attemptOf(assignment)];
    again.cut();
    await bench.until(() => again.fenced.length > 0);
    expect(again.fenced).toEqual([attemptOf(assignment)]);
    const back = await shown(bench);
    expect(back).toMatchObject([{ liveness: 'alive', peer: 'worker-1' }]);
    expect(back[0]?.reason).toBeUndefined();
  });

  it('a process of our own that is dead is ended, so that another takes its place; one that drains ends by itself', async () => {
    const bench = newBench();
    const names = ['reviewer-1', 'worker-1', 'worker-2', 'worker-3'].map((name) => peerId.parse(name));
    for (const name of names.slice(0, 3)) bench.instances.local.add(name);
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const [draining, cut, remote] = await Promise.all(
      names.slice(1).map((name) => BenchWorker.connect(bench, name)),
    );
    draining?.link.send('draining', { reason: 'asked to stop' });
    await settle();
    await Promise.all([reviewer.kill(), draining?.kill(), remote?.kill()]);
    await bench.clock.advance(graceMs - 1_000);
    expect(bench.instances.terminated).toEqual([]);
    await bench.clock.advance(2_000);
    expect(bench.instances.terminated).toEqual(['reviewer-1']);
    expect(cut?.link.state).toBe('connected');
  });

  it('one that stands still and one that comes back within the grace', async () => {
    const bench = newBench();
    let [progress, moves] = [0, true];
    const counter = (): number => (moves ? (progress += 1) : progress);
    const worker = await BenchWorker.connect(bench, 'worker-1', {}, { progress: counter });
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    moves = false;
    await bench.clock.advance(12_000);
    expect(await shown(bench)).toMatchObject([{ liveness: 'unverifiable', reason: stoodStill }]);
    moves = true;
    await bench.clock.advance(4_000);
    const [back] = await shown(bench);
    expect(back).toMatchObject({ liveness: 'alive', state: 'busy' });
    expect(back?.forMs).toBeLessThanOrEqual(4_000);
    // Who watches the run was told both, once; the attempt is the same.
    const told = bench.events(run).filter(({ kind }) => kind.startsWith('worker-'));
    expect(told.map(({ kind, taskId, worker: of }) => [kind, taskId, of])).toEqual([
      ['worker-unverifiable', 'a', 'worker-1'],
      ['worker-alive', 'a', 'worker-1'],
    ]);
    expect(told[0]?.text).toBe(`a: worker-1 is unverifiable: ${stoodStill}; it keeps its attempt for now`);
    expect(viewOf(bench.view(run)).tasks[0]?.reason).toBeUndefined();
    expect(worker.assignments).toHaveLength(1);
    await bench.restart();
    expect(
      bench
        .events(run)
        .filter(({ kind }) => kind.startsWith('worker-'))
        .slice(0, 2),
    ).toEqual(told);
  });

  it('one whose main loop is held up keeps its attempt while its process lives, and gets nothing new', async () => {
    const bench = newBench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 }, { hasThread: true });
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await bench.clock.advance(5_000);
    worker.loop.hold();
    await bench.clock.advance(4 * graceMs);
    const heldUp = 'its process lives, but its main loop stands still';
    expect(await shown(bench)).toMatchObject([{ liveness: 'unverifiable', reason: heldUp, busy: 1 }]);
    const later = await bench.submit(buildPlan([buildTask({ id: 'b' })]));
    await bench.clock.advance(graceMs);
    expect([bench.phase(run, 'a'), bench.phase(later, 'b')]).toEqual(['preparing', 'ready']);
    worker.loop.letGo();
    await bench.clock.advance(4_000);
    expect(worker.assignment('b').attempt).toBe(1);
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(worker.assignments).toHaveLength(2);
  });

  it('one whose main loop hangs for good loses what it held; if it turns again, it comes as a new one', async () => {
    const bench = newBench();
    const worker = await BenchWorker.connect(bench, 'worker-1', {}, { hasThread: true });
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await bench.clock.advance(5_000);
    worker.loop.hold();
    await bench.clock.advance(limits.hungAfterMs + 5_000);
    expect(await shown(bench)).toMatchObject([{ liveness: 'unverifiable', reason: stoodStill }]);
    expect(bench.phase(run, 'a')).toBe('preparing');
    await bench.clock.advance(graceMs);
    expect(await shown(bench)).toMatchObject([{ liveness: 'dead', reason: 'no contact for 30 s' }]);
    const other = await BenchWorker.connect(bench, 'worker-2');
    expect(other.assignment('a').attempt).toBe(2);
    worker.loop.letGo();
    await bench.until(() => worker.fenced.length > 0);
    expect(worker.fenced).toEqual(worker.holding);
    const back = (await shown(bench)).find(({ peer }) => peer === 'worker-1');
    expect(back).toMatchObject({ liveness: 'alive', busy: 0 });
  });

  it('a reviewer too', async () => {
    const bench = newBench();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    await reviewer.kill();
    await bench.clock.advance(graceMs + 1_000);
    expect(await shown(bench)).toMatchObject([{ peer: 'reviewer-1', role: 'reviewer', liveness: 'dead' }]);
  });

  it('after a restart of the orchestrator: who held something is missed, and then dead', async () => {
    const bench = newBench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await settle();
    await worker.kill();
    await bench.restart();
    const missed = { peer: 'worker-1', role: 'worker', state: 'unverifiable', host: 'unknown' };
    expect(await shown(bench)).toMatchObject([missed]);
    await bench.clock.advance(graceMs + 1_000);
    expect(await shown(bench)).toMatchObject([{ ...missed, state: 'dead' }]);
    await BenchWorker.connect(bench, 'worker-1');
    expect(await shown(bench)).toMatchObject([{ state: 'busy', liveness: 'alive', host: 'test' }]);
  });

  it('but one that ends in order is not dead, it is gone', async () => {
    const bench = newBench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.link.send('draining', { reason: 'asked' });
    await settle();
    await worker.kill();
    await bench.clock.advance(graceMs * 2);
    expect(await shown(bench)).toEqual([]);
  });

  it('the dead are forgotten after their time, and the oldest where there are many', async () => {
    const bench = newBench();
    for (let number = 1; number <= limits.deadPeersShown + 1; number += 1) {
      const worker = await BenchWorker.connect(bench, `worker-${number}`);
      await worker.kill();
      bench.daemon.instanceEnded(worker.peer, 'killed');
      await bench.clock.advance(10);
    }
    const names = (await shown(bench)).map(({ peer }) => peer as string);
    expect(names).toHaveLength(limits.deadPeersShown);
    expect(names).not.toContain('worker-1');
    expect(names.at(-1)).toBe(`worker-${limits.deadPeersShown + 1}`);
    await bench.clock.advance(deadShownMs);
    expect(await shown(bench)).toEqual([]);
  });
});
