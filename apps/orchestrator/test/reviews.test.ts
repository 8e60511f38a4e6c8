import { AppError, commitId, reviewId, type PlanTask } from '@switchyard/protocol';
import { sleep } from '@switchyard/runtime';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchReviewer, BenchWorker, major } from './peers.ts';

/** A run of one task whose change waits for its review. */
async function inReview(review: Partial<PlanTask['review']> = {}) {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1');
  const task = buildTask({ id: 'a', review: { mode: 'required', specializations: ['style'], ...review } });
  const run = await bench.submit(buildPlan([task]));
  worker.accept(worker.assignment('a'));
  worker.complete(worker.assignment('a'));
  await bench.until(() => bench.phase(run, 'a') === 'reviewing' || bench.phase(run, 'a') === 'completed');
  return { bench, worker, run };
}

describe('a review', () => {
  it('waits for a reviewer, and asks the local fleet for one', async () => {
    const { bench, run } = await inReview();
    expect(bench.instances.wanted?.reviewers).toMatchObject({ connected: 0, ready: 1 });
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    expect(reviewer.assignments).toHaveLength(1);
    expect(bench.instances.wanted?.reviewers).toMatchObject({ connected: 1, ready: 0, idle: [] });
    reviewer.approve(reviewer.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(bench.instances.wanted?.reviewers.idle).toEqual(['reviewer-1']);
  });

  it('goes only to reviewers of its specialization', async () => {
    const { bench } = await inReview({ specializations: ['performance'] });
    const other = await BenchReviewer.connect(bench, 'reviewer-1');
    const right = await BenchReviewer.connect(bench, 'reviewer-2', { specializations: ['performance'] });
    expect(other.assignments).toEqual([]);
    expect(right.assignments).toHaveLength(1);
  });

  it('waits its turn when reviewers are busy: of each run one, whichever run asked for more', async () => {
    const bench = new Bench();
    const reads = { kind: 'review', reads: ['src'], workspace: [] } as const;
    const review: Partial<PlanTask['review']> = { mode: 'required', specializations: ['style'] };
    const submit = (...ids: string[]) =>
      bench.submit(buildPlan(ids.map((id) => buildTask({ id, review, more: reads }))));
    const large = await submit('a', 'b', 'c');
    const small = await submit('d');
    await bench.until(() => bench.phase(small, 'd') === 'reviewing');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    for (let given = 1; given <= 4; given += 1) {
      await bench.until(() => reviewer.assignments.length === given);
      reviewer.approve(reviewer.last());
    }
    await bench.until(() => bench.phase(large, 'c') === 'completed');
    expect(reviewer.assignments.map(({ taskId }) => taskId)).toEqual(['a', 'd', 'b', 'c']);
  });

  it('takes no slot of its worker, but keeps the workspace from others', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const run = await bench.submit(
      buildPlan([
        buildTask({ id: 'a', review: { mode: 'required', specializations: ['style'] } }),
        buildTask({ id: 'inside-a', more: { workspace: ['a/inside'] } }),
        buildTask({ id: 'b' }),
      ]),
    );
    const handIn = async (id: string): Promise<void> => {
      await bench.until(() => worker.assignments.at(-1)?.taskId === id);
      worker.accept(worker.assignment(id));
      worker.complete(worker.assignment(id));
    };
    await handIn('a');
    await handIn('b');
    await bench.until(() => bench.phase(run, 'b') === 'completed');
    expect([bench.phase(run, 'a'), bench.phase(run, 'inside-a')]).toEqual(['reviewing', 'ready']);
    reviewer.approve(reviewer.last());
    await handIn('inside-a');
  });

  it('of two specializations is done when both have spoken', async () => {
    const { bench, run } = await inReview({ specializations: ['style', 'security'] });
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1', { slots: 2 });
    expect(reviewer.assignments.map(({ specialization }) => specialization)).toEqual(['style', 'security']);
    for (const [place, assignment] of reviewer.assignments.entries()) {
      expect(bench.phase(run, 'a')).toBe('reviewing');
      reviewer.approve(assignment);
      await settle();
      if (place === 0) expect(bench.phase(run, 'a')).toBe('reviewing');
    }
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });

  it('of files that its task names is told them, at the base of the run, and its words say what was looked at', async () => {
    const bench = new Bench();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1', { specializations: ['security'] });
    const review: Partial<PlanTask['review']> = { mode: 'required', specializations: [] };
    const more = { kind: 'review', reads: ['src/login', 'lib'], workspace: [] } as const;
    const run = await bench.submit(buildPlan([buildTask({ id: 'a', review, more })]));
    const { reads, commit, base } = reviewer.last();
    expect([reads, commit]).toEqual([['src/login', 'lib'], base]);
    reviewer.reject(reviewer.last());
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(
      bench
        .events(run)
        .map(({ text }) => text)
        .join('\n'),
    ).toContain('src/login, lib were rejected: security rejects');
  });

  it('is not held for what nobody has to look at', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const task = buildTask({ id: 'a', review: { mode: 'required' }, more: { instructions: 'a prototype' } });
    const run = await bench.submit(buildPlan([task]));
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(bench.events(run).find(({ kind }) => kind === 'review-verdict')?.text).toContain(
      'no review needed',
    );
  });
});

describe('a verdict', () => {
  it('counts when it comes before the reviewer said that it completes', async () => {
    const { bench, run } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    reviewer.approve(reviewer.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(reviewer.link.unacknowledged).toBe(0);
  });

  it('about another commit is refused, and another reviewer asked', async () => {
    const { bench, run } = await inReview();
    const liar = await BenchReviewer.connect(bench, 'reviewer-1');
    const honest = await BenchReviewer.connect(bench, 'reviewer-2');
    liar.approve(liar.last(), { commit: commitId.parse('c'.repeat(40)) });
    await bench.until(() => honest.assignments.length === 1);
    expect(bench.phase(run, 'a')).toBe('reviewing');
    expect(liar.link.unacknowledged).toBe(0);
    honest.approve(honest.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });

  it.each([
    ['a file that is not in the commit', { ...major, file: 'made/up.ts' }, 'made/up.ts, which is not'],
    ['a line beyond the end', { ...major, line: 13 }, 'line 13 of a/index.ts, which has 12 lines'],
  ])('about %s is refused, its sender told, and another reviewer asked', async (_name, found, told) => {
    const { bench, run } = await inReview();
    bench.repository.lengths.set('a/index.ts', 12);
    bench.repository.lengths.set('made/up.ts', 0);
    const liar = await BenchReviewer.connect(bench, 'reviewer-1');
    const honest = await BenchReviewer.connect(bench, 'reviewer-2');
    liar.reject(liar.last(), [{ ...major, line: 12 }, found]);
    await bench.until(() => honest.assignments.length === 1);
    expect(bench.phase(run, 'a')).toBe('reviewing');
    expect(liar.received).toContainEqual(
      expect.objectContaining({
        type: 'ack',
        payload: expect.objectContaining({
          ignored: [expect.objectContaining({ reason: 'refused', text: expect.stringContaining(told) })],
        }),
      }),
    );
    const refused = [...bench.journal.read()].find(({ kind }) => kind === 'review/review-verdict-refused');
    expect(refused?.data).toMatchObject({ fact: { flaw: 'finding-nowhere' } });
    honest.reject(honest.last(), [{ ...major, line: 12 }]);
    await bench.until(() => bench.phase(run, 'a') === 'leased');
  });

  it('counts before what its reviewer says while it is looked at', async () => {
    const { bench, worker } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    bench.repository.before = async (method) => {
      if (method === 'fileLengths') await sleep(bench.clock, 500);
    };
    const given = reviewer.last();
    reviewer.reject(given);
    reviewer.approve(given);
    await settle();
    await bench.clock.advance(600);
    await bench.until(() => reviewer.link.unacknowledged === 0);
    expect(worker.assignment('a').round).toBe(2);
  });

  it('is not lost while the repository is in trouble', async () => {
    const { bench, worker } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    let refusals = 2;
    bench.repository.before = (method) => {
      if (method === 'fileLengths' && refusals-- > 0) throw new AppError('E_IO', 'the disk does not answer');
    };
    reviewer.reject(reviewer.last());
    await settle();
    expect(reviewer.link.unacknowledged).toBe(1);
    await bench.clock.advance(7_000);
    await bench.until(() => reviewer.link.unacknowledged === 0);
    expect(worker.assignment('a').round).toBe(2);
  });

  it.each([
    ['of a review that nobody asked for', { reviewId: reviewId.parse('some-review') }],
    ['of another reviewer, with a foreign id', { reviewerId: 'reviewer-1' as never }],
  ])('%s changes nothing', async (_name, over) => {
    const { bench, run } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const stranger = await BenchReviewer.connect(bench, 'reviewer-2');
    stranger.approve(reviewer.last(), over);
    stranger.completing({ ...reviewer.last(), ...over } as ReturnType<BenchReviewer['last']>);
    await bench.until(() => stranger.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('reviewing');
  });

  it('that comes late or twice changes nothing', async () => {
    const { bench, worker, run } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const first = reviewer.last();
    reviewer.reject(first);
    await bench.until(() => worker.assignments.length === 2);
    reviewer.approve(first);
    reviewer.reject(first);
    await bench.until(() => reviewer.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('leased');
    expect(worker.assignment('a').round).toBe(2);
  });
});

describe('a reviewer', () => {
  it('that is told that its word is known may send its verdict', async () => {
    const { bench } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    bench.journal.hold();
    reviewer.completing(reviewer.last());
    await bench.clock.advance(1_000);
    expect(reviewer.count('review-acknowledged')).toBe(0);
    bench.journal.release();
    await bench.until(() => reviewer.count('review-acknowledged') === 1);
  });

  it('that goes away is replaced, and its late verdict does not count', async () => {
    const { bench, run } = await inReview();
    const first = await BenchReviewer.connect(bench, 'reviewer-1');
    const given = first.last();
    await first.kill();
    const second = await BenchReviewer.connect(bench, 'reviewer-2');
    expect(second.assignments).toEqual([]);
    await bench.clock.advance(31_000);
    expect(second.assignments).toHaveLength(1);
    expect(second.last().reviewId).not.toBe(given.reviewId);
    const late = await BenchReviewer.connect(bench, 'reviewer-1');
    late.approve(given);
    await bench.until(() => late.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('reviewing');
    second.approve(second.last());
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });

  it('that comes back is told again; one that had all but finished and forgot is replaced', async () => {
    const { bench } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    reviewer.cut();
    await bench.until(() => reviewer.assignments.length === 2);
    expect(reviewer.assignments[1]).toEqual(reviewer.assignments[0]);
    reviewer.completing(reviewer.last());
    await settle();
    reviewer.cut();
    await bench.until(() => reviewer.assignments.length === 3);
    expect(reviewer.last().reviewId).not.toBe(reviewer.assignments[0]?.reviewId);
  });

  it('that fails is replaced; after three failures a person is asked', async () => {
    const { bench, run } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    for (let failures = 1; failures <= 3; failures += 1) {
      const { specialization: _s, ...given } = reviewer.last();
      reviewer.link.send('review-failed', {
        reviewId: given.reviewId,
        run,
        taskId: given.taskId,
        attempt: given.attempt,
        fence: given.fence,
        commit: given.commit,
        failure: { class: 'system', code: 'E_INTERNAL', message: 'the engine broke' },
      });
      await bench.until(() => reviewer.assignments.length > failures || bench.phase(run, 'a') === 'waiting');
    }
    expect(bench.phase(run, 'a')).toBe('waiting');
    const client = await bench.client('client-1');
    expect(await client.reason(run, 'a')).toContain('the engine broke');
  });
});

describe('a review that takes too long', () => {
  it('asks a person', async () => {
    const { bench, run } = await inReview();
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    await bench.clock.advance(59_000);
    expect(bench.phase(run, 'a')).toBe('reviewing');
    await bench.clock.advance(2_000);
    expect(bench.phase(run, 'a')).toBe('waiting');
    // Its answer comes too late.
    reviewer.approve(reviewer.last());
    await bench.until(() => reviewer.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('waiting');
  });

  it('passes with a warning where the plan says so, also when no reviewer ever came', async () => {
    const { bench, run } = await inReview({ onTimeout: 'approve' });
    await bench.clock.advance(3 * 60_000 + 1_000);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(bench.events(run).find(({ kind }) => kind === 'review-verdict')?.text).toContain('warning');
  });
});

describe('a review whose task goes on without it', () => {
  it('is dropped: nobody is asked, and its verdict does not count', async () => {
    const { bench, run } = await inReview();
    const client = await bench.client('client-1');
    await client.api.cancel(run, { taskId: 'a', reason: 'not wanted' });
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    expect(reviewer.assignments).toEqual([]);
    expect(bench.instances.wanted?.reviewers.ready).toBe(0);
    expect(bench.phase(run, 'a')).toBe('cancelled');
    expect([...bench.journal.read()].map(({ kind }) => kind)).toContain('review/review-settled');
  });
});
