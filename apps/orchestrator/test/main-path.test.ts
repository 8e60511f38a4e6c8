import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchReviewer, BenchWorker, major } from './peers.ts';

describe('a run', () => {
  it('goes from its submission to a verified branch and a report', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const tasks = [
      buildTask({ id: 'a', review: { mode: 'required', specializations: ['style'] } }),
      buildTask({ id: 'b', dependsOn: ['a'] }),
    ];
    const run = await bench.submit(
      buildPlan(tasks, { verify: { run: ['npm test'], when: 'batch', timeoutMs: 60_000 } }),
    );
    worker.accept(worker.assignment('a'));
    worker.progress(worker.assignment('a'), 'running');
    await settle();
    expect(bench.phase(run, 'a')).toBe('running');
    worker.complete(worker.assignment('a'));
    await bench.until(() => reviewer.assignments.length === 1);
    expect(reviewer.last()).toMatchObject({
      taskId: 'a',
      specialization: 'style',
      filesChanged: [{ path: 'a/index.ts' }],
    });
    reviewer.completing(reviewer.last());
    reviewer.approve(reviewer.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    worker.accept(worker.assignment('b'));
    worker.complete(worker.assignment('b'));
    await bench.until(() => bench.reports.written.has(run));
    const { view, verification, sandbox } = bench.reports.written.get(run) ?? {};
    expect(view).toMatchObject({ phase: 'completed', progress: { completed: 2 } });
    expect(verification?.map(({ passed }) => passed)).toEqual([true, true]);
    expect(sandbox).toBe('bubblewrap');
    expect(bench.repository.branches.get(run)).toBe(view?.tip);
    expect(bench.repository.published).toEqual([run]);
    expect(worker.assignment('b').base).toBe(bench.repository.moves[0]?.to);
    expect(bench.fatal).toEqual([]);
  });

  it('that was verified without a sandbox is told to be unheld, also where its workers had one', async () => {
    const bench = new Bench({ settings: { sandbox: 'none' } });
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    const verify = { run: ['npm test'], when: 'batch', timeoutMs: 60_000 };
    const plain = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const verified = await bench.submit(buildPlan([buildTask({ id: 'a' })], { verify }));
    await bench.until(() => bench.reports.written.size === 2);
    expect(bench.reports.written.get(plain)?.sandbox).toBe('bubblewrap');
    expect(bench.reports.written.get(verified)?.sandbox).toBe('none');
  });

  it('gives a rejected change back to its worker with the findings, and takes the second round', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a', review: { mode: 'required' } })]));
    const first = worker.assignment('a');
    worker.accept(first);
    worker.complete(first);
    await bench.until(() => reviewer.assignments.length === 1);
    reviewer.reject(reviewer.last());
    await bench.until(() => worker.assignments.length === 2);
    const second = worker.assignment('a');
    expect(second).toMatchObject({ round: 2, attempt: 2, feedback: [major] });
    expect(second.continueFrom).toBe(reviewer.last().commit);
    expect(second.fence).toBeGreaterThan(first.fence);
    worker.accept(second);
    worker.complete(second);
    await bench.until(() => reviewer.assignments.length === 2);
    expect(reviewer.last().previousReviewFeedback).toEqual([major]);
    reviewer.approve(reviewer.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });
});
