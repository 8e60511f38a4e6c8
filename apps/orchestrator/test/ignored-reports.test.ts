import { commitId, fence, reviewId, runId, taskId, type IgnoredMessage } from '@switchyard/protocol';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { attemptOf, BenchReviewer, BenchWorker } from './peers.ts';

/** What a peer was told of its messages that changed nothing, in the order it was told. */
function toldTo({ received }: BenchWorker | BenchReviewer): Omit<IgnoredMessage, 'id'>[] {
  return received.flatMap((envelope) => {
    if (envelope.type !== 'ack') return [];
    const { of, ignored = [] } = envelope.payload;
    expect(of).toEqual(expect.arrayContaining(ignored.map(({ id }) => id)));
    return ignored.map(({ id: _id, ...rest }) => rest);
  });
}

async function twoWorkers() {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1');
  const plan = buildPlan([buildTask({ id: 'a' })]);
  const run = await bench.submit(plan);
  const assignment = worker.assignment('a');
  worker.accept(assignment);
  const stranger = await BenchWorker.connect(bench, 'worker-2', { slots: 0 });
  return { bench, worker, stranger, run, assignment };
}

describe('the sender of a report that changes nothing is told why', () => {
  it.each([
    ['of a run that is not here', 'unknown-run', { run: runId.parse('other-abcdef') }],
    ['of a task it never had', 'unknown-task', { taskId: taskId.parse('z') }],
    ['of an attempt that nobody has had', 'unknown-attempt', { fence: fence.parse(7) }],
    ['of an attempt by another number', 'unknown-attempt', { attempt: 4 }],
    ['of the attempt of another', 'not-its-own', {}],
  ])('%s', async (_name, reason, over) => {
    const { bench, stranger, run, assignment } = await twoWorkers();
    const wrong = { ...assignment, ...over };
    const before = bench.events(run).length;
    stranger.link.send('task-accepted', attemptOf(wrong));
    stranger.complete(wrong);
    stranger.fail(wrong);
    stranger.giveBack(wrong);
    stranger.wip(wrong);
    stranger.link.send('escalation', { ...attemptOf(wrong), reason: 'help' });
    await bench.until(() => stranger.link.unacknowledged === 0);
    const types = ['task-accepted', 'task-completed', 'task-failed', 'task-lost', 'task-wip', 'escalation'];
    const told = toldTo(stranger);
    expect(told.map(({ type }) => type).toSorted()).toEqual(types.toSorted());
    const expected = { ...attemptOf(wrong), reason, text: expect.stringMatching(/\w+ \w+/) as string };
    for (const word of told) expect(word).toEqual({ ...expected, type: word.type });
    expect(bench.events(run)).toHaveLength(before);
    expect(bench.phase(run, 'a')).toBe('preparing');
  });

  it('of its own attempt by another number', async () => {
    const { bench, worker, run, assignment } = await twoWorkers();
    worker.complete({ ...assignment, attempt: 4 });
    await bench.until(() => toldTo(worker).length === 1);
    expect(toldTo(worker)).toMatchObject([{ reason: 'unknown-attempt', attempt: 4 }]);
    expect(bench.phase(run, 'a')).toBe('preparing');
  });

  it('with an old fence: the attempt was taken from it', async () => {
    const { bench, worker, run, assignment } = await twoWorkers();
    worker.holding = [];
    worker.cut(); // as a worker that was restarted
    await bench.until(() => worker.assignments.length === 2);
    worker.fail(assignment);
    worker.link.send('task-accepted', attemptOf(assignment));
    await bench.until(() => toldTo(worker).length === 2);
    for (const word of toldTo(worker)) expect(word).toMatchObject({ reason: 'fenced', fence: 1 });
    expect(bench.phase(run, 'a')).toBe('leased');
  });

  it('twice: it was reported before', async () => {
    const { bench, worker, run, assignment } = await twoWorkers();
    worker.complete(assignment);
    worker.fail(assignment);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(toldTo(worker)).toMatchObject([{ type: 'task-failed', reason: 'over' }]);
  });

  it('a result that is refused: for what', async () => {
    const { bench, worker, run, assignment } = await twoWorkers();
    worker.complete(assignment, { evidence: { base: commitId.parse('d'.repeat(40)) } });
    await bench.until(() => worker.link.unacknowledged === 0);
    const [word] = toldTo(worker);
    expect(word).toMatchObject({ reason: 'refused', text: expect.stringContaining('the commit rests on') });
    expect(bench.repository.integrations).toEqual([]);
    expect(bench.events(run).some(({ kind }) => kind === 'task-submitted')).toBe(false);
  });

  it('a report that counts is acknowledged without a word', async () => {
    const { bench, worker, run, assignment } = await twoWorkers();
    worker.wip(assignment);
    worker.complete(assignment);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(worker.link.unacknowledged).toBe(0);
    expect(toldTo(worker)).toEqual([]);
  });
});

describe('a reviewer whose word changes nothing is told why', () => {
  async function inReview() {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const task = buildTask({ id: 'a', review: { mode: 'required', specializations: ['style'] } });
    const run = await bench.submit(buildPlan([task]));
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'reviewing');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    return { bench, run, reviewer, assignment: reviewer.last() };
  }

  it.each([
    ['of a review it never had', 'not-held', { reviewId: reviewId.parse('some-review') }],
    ['of an attempt that was never reviewed', 'unknown-review', { fence: fence.parse(9) }],
    ['of a run that is not here', 'unknown-run', { run: runId.parse('other-abcdef') }],
  ])('%s', async (_name, reason, over) => {
    const { bench, run, reviewer, assignment } = await inReview();
    const wrong = { ...assignment, ...over };
    reviewer.completing(wrong);
    reviewer.approve(wrong);
    reviewer.reject(wrong);
    await bench.until(() => reviewer.link.unacknowledged === 0);
    const types = ['review-completing', 'review-approved', 'review-rejected'];
    expect(toldTo(reviewer).map(({ type }) => type)).toEqual(types);
    for (const word of toldTo(reviewer)) expect(word.reason).toBe(reason);
    expect(bench.phase(run, 'a')).toBe('reviewing');
    reviewer.approve(assignment);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });

  it('on another commit than was asked about: what is wrong with it', async () => {
    const { bench, run, reviewer, assignment } = await inReview();
    reviewer.approve(assignment, { commit: commitId.parse('c'.repeat(40)) });
    await bench.until(() => reviewer.link.unacknowledged === 0);
    const text = expect.stringContaining(`it is about ${'c'.repeat(40)}, not ${assignment.commit}`) as string;
    expect(toldTo(reviewer)).toMatchObject([{ type: 'review-approved', reason: 'refused', text }]);
    expect(bench.phase(run, 'a')).toBe('reviewing');
  });
});
