import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchReviewer, BenchWorker } from './peers.ts';

const verified = { verify: { run: ['npm test'], when: 'batch', timeoutMs: 60_000 } };

describe('an orchestrator that is started again', () => {
  it('tells workers again what they had not accepted, and nothing that they work at', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })]));
    worker.accept(worker.assignment('a'));
    await settle();
    await bench.restart();
    await bench.until(() => worker.link.state === 'connected' && worker.assignments.length >= 3);
    await bench.clock.advance(5_000);
    expect(worker.assignments.map(({ taskId }) => taskId)).toEqual(['a', 'b', 'b']);
    expect(worker.fenced).toEqual([]);
    for (const id of ['a', 'b']) {
      worker.accept(worker.assignment(id));
      worker.complete(worker.assignment(id));
    }
    await bench.until(() => bench.view(run).phase.kind === 'completed');
  });

  it('hears what was reported while it was away', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await settle();
    await bench.crash();
    worker.complete(worker.assignment('a'));
    await bench.clock.advance(5_000);
    expect(worker.link.unacknowledged).toBe(1);
    bench.start();
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(worker.assignments).toHaveLength(1);
  });

  it('loses what a worker held that does not come back within the grace', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await settle();
    await worker.kill();
    await bench.restart();
    await bench.clock.advance(29_000);
    expect(bench.phase(run, 'a')).toBe('preparing');
    await bench.clock.advance(2_000);
    expect(bench.phase(run, 'a')).toBe('ready');
  });

  it.each(['integrate', 'moveRun'] as const)(
    'repeats a %s that it does not know the end of, as the same',
    async (method) => {
      const bench = new Bench();
      const worker = await BenchWorker.connect(bench, 'worker-1');
      worker.diligent = true;
      let held: (() => void) | undefined;
      bench.repository.before = (called) =>
        called === method ? new Promise((resolve) => (held = resolve)) : undefined;
      const run = await bench.submit(buildPlan([buildTask({ id: 'a' })], verified));
      await bench.until(() => held !== undefined);
      const forgotten = held;
      await bench.crash();
      forgotten?.(); // git was quicker than the end of the process; the journal does not know
      await settle();
      bench.repository.before = () => undefined;
      bench.start();
      await bench.until(() => bench.reports.written.has(run));
      expect(bench.view(run).phase.kind).toBe('completed');
      const [first, second] = bench.repository.integrations;
      if (method === 'integrate') expect(second).toEqual(first);
      expect(bench.repository.integrations).toHaveLength(method === 'integrate' ? 2 : 1);
      expect(bench.repository.moves).toHaveLength(1);
      expect(bench.repository.branches.get(run)).toBe(bench.view(run).tip);
    },
  );

  it('goes on with open reviews, also where the reviewer has gone', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const gone = await BenchReviewer.connect(bench, 'reviewer-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a', review: { mode: 'required', specializations: ['style'] } })]),
    );
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => gone.assignments.length === 1);
    await gone.kill();
    await bench.restart();
    const other = await BenchReviewer.connect(bench, 'reviewer-2');
    expect(other.assignments).toEqual([]);
    await bench.clock.advance(31_000);
    expect(other.assignments).toHaveLength(1);
    other.approve(other.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });

  it('tells the run of a review that was settled in its last moment', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a', review: { mode: 'required', specializations: ['style'] } })]),
    );
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => reviewer.assignments.length === 1);
    // The process ends between the two appends: cut the journal after the review's own facts.
    reviewer.approve(reviewer.last());
    await bench.until(() => bench.phase(run, 'a') !== 'reviewing');
    const kept = [...bench.journal.read()];
    const settledAt = kept.findIndex(({ kind }) => kind === 'review/review-settled');
    const cut = new Bench();
    for (const { stream, at, kind, version, data } of kept.slice(0, settledAt + 1))
      await cut.journal.append(stream, at, [{ kind, version, data }]);
    for (const [id, commit] of bench.repository.commits) cut.repository.commits.set(id, commit);
    cut.repository.branches.set(run, bench.repository.head);
    await cut.restart();
    await cut.until(() => cut.phase(run, 'a') === 'completed');
  });

  it('writes the reports it owes, once', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    bench.repository.before = (method) => (method === 'publish' ? new Promise(() => undefined) : undefined);
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.until(() => bench.view(run).phase.kind === 'completed');
    await bench.crash();
    bench.repository.before = () => undefined;
    bench.start();
    await bench.until(() => bench.reports.written.has(run));
    await bench.restart();
    await bench.clock.advance(5_000);
    expect(bench.repository.published).toEqual([run]);
  });

  it('numbers events as before, so that a watcher that comes back misses nothing', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    worker.accept(worker.assignment('a'));
    await settle();
    const before = [...bench.events(run)];
    await bench.restart();
    expect(bench.events(run)).toEqual(before);
  });
});
