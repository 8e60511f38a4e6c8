import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchReviewer, BenchWorker } from './peers.ts';

const ephemeral = { settings: { ephemeral: true } };

describe('an ephemeral orchestrator', () => {
  it('ends when nobody came', async () => {
    const bench = new Bench(ephemeral);
    await bench.clock.advance(59_000);
    expect(bench.stopped).toEqual([]);
    await bench.clock.advance(2_000);
    expect(bench.stopped).toEqual(['all runs have ended']);
  });

  it('stays while a run goes on or somebody looks, and ends after both', async () => {
    const bench = new Bench(ephemeral);
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const client = await bench.client('client-1');
    const run = await client.api.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.clock.advance(70_000);
    expect(bench.stopped).toEqual([]);
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.reports.written.has(run));
    await bench.clock.advance(5_000);
    expect(bench.stopped).toEqual([]);
    await client.link.close();
    await bench.clock.advance(2_000);
    expect(bench.stopped).toHaveLength(1);
  });

  it('goes on without its client until the run has ended', async () => {
    const bench = new Bench(ephemeral);
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.clock.advance(10_000);
    expect(bench.stopped).toEqual([]);
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.reports.written.has(run));
    await bench.clock.advance(2_000);
    expect(bench.stopped).toHaveLength(1);
  });

  it('does not wait for ever for a report that cannot be written', async () => {
    const bench = new Bench(ephemeral);
    const worker = await BenchWorker.connect(bench, 'worker-1');
    bench.reports.before = () => {
      throw new Error('the disk is gone');
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.view(run).phase.kind === 'completed');
    await bench.clock.advance(5_000);
    expect(bench.stopped).toEqual([]);
    await bench.clock.advance(30_000);
    expect(bench.stopped).toHaveLength(1);
    expect(bench.fatal).toEqual([]);
  });

  it('to look waits for no run, since it works on none', async () => {
    const bench = new Bench({ settings: { ephemeral: true, looking: true } });
    const client = await bench.client('client-1');
    await client.api.submit(buildPlan([buildTask({ id: 'a' })]));
    await client.link.close();
    await bench.clock.advance(2_000);
    expect(bench.stopped).toHaveLength(1);
  });

  it('leaves a paused run for another day', async () => {
    const bench = new Bench(ephemeral);
    const client = await bench.client('client-1');
    const run = await client.api.submit(buildPlan([buildTask({ id: 'a' })]));
    await client.api.pause(run);
    await client.link.close();
    await bench.clock.advance(2_000);
    expect(bench.stopped).toHaveLength(1);
  });
});

describe('a daemon that ends', () => {
  it('gives out nothing more while it drains, and still takes what comes in', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]),
    );
    worker.accept(worker.assignment('a'));
    await settle();
    bench.daemon.drain();
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'b') === 'ready');
    await bench.clock.advance(2_000);
    expect(worker.assignments).toHaveLength(1);
    expect(worker.link.unacknowledged).toBe(0);
  });

  it('keeps what was decided, and performs nothing after', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await settle();
    bench.journal.hold();
    worker.complete(worker.assignment('a'));
    await settle();
    const stopped = bench.daemon.stop();
    bench.journal.release();
    await stopped;
    await bench.clock.advance(60_000);
    expect([...bench.journal.read()].map(({ kind }) => kind)).toContain('task-submitted');
    expect(bench.repository.integrations).toEqual([]);
    expect(bench.phase(run, 'a')).toBe('integrating');
    expect(bench.fatal).toEqual([]);
  });
});

describe('health', () => {
  it('counts runs and peers', async () => {
    const bench = new Bench();
    await BenchWorker.connect(bench, 'worker-1');
    await BenchReviewer.connect(bench, 'reviewer-1');
    await bench.client('client-1');
    await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    expect(bench.daemon.health()).toEqual({ runs: 1, activeRuns: 1, workers: 1, reviewers: 1, clients: 1 });
  });
});
