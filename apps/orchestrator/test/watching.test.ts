import type { RunEvent } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

function seqs(events: readonly RunEvent[]): number[] {
  return events.map(({ seq }) => seq);
}

function from(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, place) => first + place);
}

describe('a watcher', () => {
  it('gets the answer first, and then every event once, in order', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]),
    );
    const client = await bench.client('client-1');
    worker.accept(worker.assignment('a'));
    const asked = client.link.request('run-watch', { run, after: 0 });
    worker.progress(worker.assignment('a'), 'running');
    worker.complete(worker.assignment('a'));
    const answer = await asked;
    if (answer.type !== 'run-watched') throw new Error(answer.type);
    worker.diligent = true;
    await bench.until(() => bench.reports.written.has(run));
    await settle();
    const events = client.events();
    expect(seqs(events)).toEqual(from(1, bench.events(run).length));
    expect(events.at(-1)?.kind).toBe('completed');
    // The view is that of the event the answer names.
    expect(events[answer.payload.seq - 1]?.progress).toEqual(answer.payload.view.progress);
  });

  it('asks for what came after, and gets that alone', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const client = await bench.client('client-1');
    await client.link.request('run-watch', { run, after: 2 });
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.reports.written.has(run));
    expect(seqs(client.events())).toEqual(from(3, bench.events(run).length));
  });

  it('misses nothing and gets nothing twice over a lost connection', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]),
    );
    const client = await bench.client('client-1');
    const told: RunEvent[] = [];
    const handle = client.api.watch(run);
    handle.on('event', (event) => told.push(event));
    await handle.opened;
    client.cut();
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => worker.assignments.length === 2);
    await bench.until(() => client.link.state === 'connected');
    worker.accept(worker.assignment('b'));
    worker.complete(worker.assignment('b'));
    await bench.until(() => bench.reports.written.has(run));
    expect((await handle.finished).phase).toBe('completed');
    expect(seqs(told)).toEqual(from(1, bench.events(run).length));
  });

  it('misses nothing over a restart of the orchestrator', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]),
    );
    const client = await bench.client('client-1');
    const told: RunEvent[] = [];
    const handle = client.api.watch(run);
    handle.on('event', (event) => told.push(event));
    await handle.opened;
    await bench.restart();
    worker.diligent = true;
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.reports.written.has(run));
    await handle.finished;
    expect(seqs(told)).toEqual(from(1, bench.events(run).length));
  });

  it('of a very long history gets all of it, and its queue never fills', async () => {
    const bench = new Bench();
    const run = await bench.submit(
      buildPlan(
        Array.from({ length: 3_000 }, (_, place) => buildTask({ id: `t${place}` })),
        { limits: { workers: 1_000, rpm: 3800 } },
      ),
    );
    const client = await bench.client('client-1');
    await client.api.cancel(run, { reason: 'enough' });
    const { hub } = bench;
    let most = 0;
    const waiting = hub?.waiting.bind(hub);
    if (hub === undefined || waiting === undefined) throw new Error('no hub');
    hub.waiting = (peer) => {
      const length = waiting(peer);
      most = Math.max(most, length ?? 0);
      return length;
    };
    await client.link.request('run-watch', { run, after: 0 });
    const all = bench.events(run).length;
    expect(all).toBeGreaterThan(6_000);
    await bench.until(() => client.events().length === all);
    expect(seqs(client.events())).toEqual(from(1, all));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(500);
  });

  it('that left while its answer was on the way is forgotten', async () => {
    const bench = new Bench();
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const client = await bench.client('client-1');
    bench.journal.hold();
    client.api.watch(run).close();
    void client.api.pause(run).catch(() => undefined);
    await settle();
    await client.link.close();
    await settle();
    bench.journal.release();
    await bench.clock.advance(1_000);
    expect(bench.daemon.health().clients).toBe(0);
    expect(bench.fatal).toEqual([]);
  });
});
