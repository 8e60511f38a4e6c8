import { limits } from '@switchyard/protocol';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { peer } from './fakes.ts';
import { BenchWorker } from './peers.ts';

const gpu = buildTask({ id: 'a', requires: ['gpu'] });

describe('a task that no worker can take', () => {
  it('says what it waits for, once, and goes to the first that can', async () => {
    const bench = new Bench();
    await BenchWorker.connect(bench, 'worker-1');
    await bench.clock.advance(limits.reconnectMaxMs);
    const run = await bench.submit(buildPlan([gpu, buildTask({ id: 'b' })]));
    const client = await bench.client('client-1');
    expect(await client.reason(run, 'a')).toBe(
      'waits for a worker with label gpu (no local workers are started here)',
    );
    await bench.clock.advance(60_000);
    const told = bench.events(run).filter(({ text }) => text.includes('waits for a worker'));
    expect(told).toMatchObject([{ kind: 'task-assign-failed', taskId: 'a' }]);
    const able = await BenchWorker.connect(bench, 'worker-2', { labels: ['gpu'] });
    expect(able.assignments).toHaveLength(1);
  });

  it('fails with E_NO_WORKER when nobody has come', async () => {
    const bench = new Bench();
    const run = await bench.submit(buildPlan([gpu]));
    await bench.clock.advance(limits.noWorkerWaitMs + limits.reconnectMaxMs - 1_000);
    expect(bench.phase(run, 'a')).toBe('ready');
    await bench.clock.advance(2_000);
    expect(bench.phase(run, 'a')).toBe('failed');
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.reports.written.get(run)?.view.reason).toContain('E_NO_WORKER');
  });

  it('is given time: peers come back after a restart before anybody is missed', async () => {
    const bench = new Bench();
    const run = await bench.submit(buildPlan([gpu]));
    await bench.clock.advance(limits.reconnectMaxMs - 1_000);
    expect(bench.events(run).filter(({ kind }) => kind === 'task-assign-failed')).toEqual([]);
    await bench.clock.advance(1_000);
    expect(bench.events(run).filter(({ kind }) => kind === 'task-assign-failed')).toHaveLength(1);
  });

  it('is not one that a local worker may take whose labels nobody knows yet', async () => {
    const bench = new Bench();
    bench.instances.why = undefined;
    const run = await bench.submit(buildPlan([gpu]));
    await bench.clock.advance(limits.noWorkerWaitMs * 2);
    expect(bench.phase(run, 'a')).toBe('ready');
    expect(bench.instances.wanted?.workers.ready).toBe(1);
    // The first one shows what local workers offer.
    bench.instances.local.add(peer('worker-1'));
    await BenchWorker.connect(bench, 'worker-1');
    expect(bench.events(run).at(-1)?.text).toContain('waits for a worker with label gpu');
    expect(bench.instances.wanted?.workers.ready).toBe(0);
  });

  it('is said to be one as soon as local workers do not start', async () => {
    const bench = new Bench();
    bench.instances.why = undefined;
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.clock.advance(20_000);
    expect(bench.events(run).at(-1)?.kind).toBe('task-ready');
    bench.instances.why = 'local workers do not start: no sandbox';
    bench.daemon.instanceEnded(undefined, 'exit code 4');
    await bench.clock.advance(1_000);
    expect(bench.events(run).at(-1)?.text).toContain(
      'none is there (local workers do not start: no sandbox)',
    );
  });

  it('is not one that a busy or a silent worker could take', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { labels: ['gpu'] });
    await bench.clock.advance(20_000);
    const run = await bench.submit(buildPlan([gpu, buildTask({ id: 'b', requires: ['gpu'] })]));
    worker.accept(worker.assignment('a'));
    worker.cut();
    await bench.clock.advance(20_000);
    expect(bench.events(run).filter(({ kind }) => kind === 'task-assign-failed')).toEqual([]);
  });
});
