import { AppError, commitId, type PlanTask } from '@switchyard/protocol';
import { sleep } from '@switchyard/runtime';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

/** A run of one task that a worker has accepted. */
async function atWork(more: Partial<PlanTask> = {}) {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1');
  const run = await bench.submit(buildPlan([buildTask({ id: 'a', more })]));
  const assignment = worker.assignment('a');
  worker.accept(assignment);
  await settle();
  const history = () => bench.view(run).tasks.values().next().value?.history ?? [];
  const kept = () => [...bench.repository.wip];
  const slowGit = (ms: number): void => {
    bench.repository.before = async (method) => {
      if (method === 'checkAttempt') await sleep(bench.clock, ms);
    };
  };
  return { bench, worker, run, assignment, history, kept, slowGit };
}

const wipRef = (run: string, fence: number): string => `refs/switchyard/wip/${run}/a/${fence}`;

describe('an attempt that is given back', () => {
  it('is lost at once, and the next one goes on from what it had done, if the plan says so', async () => {
    const { bench, worker, run, assignment, history, kept } = await atWork({ resume: 'wip' });
    const wip = bench.repository.handIn(assignment.base, ['a/half.ts']);
    worker.giveBack(assignment, wip);
    await bench.until(() => worker.assignments.length === 2, 1_000);
    expect(kept()).toEqual([[wipRef(run, 1), wip]]);
    expect(worker.assignment('a')).toMatchObject({
      attempt: 2,
      resumeFrom: { kind: 'wip', commit: wip, attempt: 1 },
    });
    expect(history()[0]).toMatchObject({ outcome: 'lost', wip: { commit: wip, ref: wipRef(run, 1) } });
    expect(worker.link.unacknowledged).toBe(0);
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });

  it('is repeated from the tip alone where the plan does not say so', async () => {
    const { bench, worker, assignment, kept } = await atWork();
    worker.giveBack(assignment, bench.repository.handIn(assignment.base, ['a/half.ts']));
    await bench.until(() => worker.assignments.length === 2, 1_000);
    expect(worker.assignment('a').resumeFrom).toBeUndefined();
    expect(kept()).toHaveLength(1);
  });

  it('keeps its work also where its worker is gone before that was looked at', async () => {
    const { bench, worker, run, assignment, history, slowGit } = await atWork({ resume: 'wip' });
    slowGit(500);
    worker.link.send('draining', { reason: 'SIGTERM' });
    const wip = bench.repository.handIn(assignment.base, ['a/half.ts']);
    worker.giveBack(assignment, wip);
    await settle();
    await worker.kill();
    await bench.clock.advance(100);
    expect(bench.phase(run, 'a')).toBe('preparing');
    const next = await BenchWorker.connect(bench, 'worker-2');
    await bench.until(() => next.assignments.length === 1);
    expect(next.assignment('a').resumeFrom?.commit).toBe(wip);
    expect(history()[0]?.outcome).toBe('lost');
  });

  it('counts when it was only told, or has been taken away meanwhile', async () => {
    const { bench, worker, run, assignment, history, kept } = await atWork({ resume: 'wip' });
    worker.holding = [];
    worker.cut(); // it comes back as one that does not hold it
    await bench.until(() => worker.assignments.length === 2);
    const wip = bench.repository.handIn(assignment.base, ['a/half.ts']);
    worker.giveBack(assignment, wip);
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(kept()).toEqual([[wipRef(run, 1), wip]]);
    expect(history().map(({ outcome }) => outcome)).toEqual(['lost', 'running']);
    expect(bench.events(run).filter(({ kind }) => kind === 'task-wip')).toHaveLength(1);
  });
});

describe('a person', () => {
  it('lets the next attempt go on from what an earlier one left, whatever the plan says', async () => {
    const { bench, worker, run, assignment } = await atWork({ resume: 'clean' });
    const wip = bench.repository.handIn(assignment.base, ['a/half.ts']);
    worker.link.send('escalation', { ...keyOf(assignment), reason: 'which way?', wip });
    await bench.until(() => bench.phase(run, 'a') === 'waiting');
    const { api } = await bench.client('client-1');
    const kept = { run, taskId: assignment.taskId, attempt: 1, kind: 'wip' } as const;
    await expect(api.takeUp({ ...kept, kind: 'salvage' })).rejects.toMatchObject({ code: 'E_RUN_STATE' });
    await api.takeUp(kept);
    await bench.restart();
    await (await bench.client('client-2')).api.answerEscalation({ run, taskId: 'a', action: 'retry' });
    await bench.until(() => worker.assignments.length === 2, 60_000);
    expect(worker.assignment('a').resumeFrom).toEqual({ kind: 'wip', commit: wip, attempt: 1 });
  });
});

describe('work in progress that a worker tells of', () => {
  it('is kept as it last was, without ending the attempt, over a restart of the orchestrator', async () => {
    const { bench, worker, run, assignment, history, kept } = await atWork({ resume: 'wip' });
    worker.wip(assignment);
    const last = worker.wip(assignment);
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(kept()).toEqual([[wipRef(run, 1), last]]);
    expect(bench.phase(run, 'a')).toBe('preparing');
    await bench.restart();
    expect(history()[0]).toMatchObject({ outcome: 'running', wip: { commit: last } });
    await worker.kill();
    await bench.clock.advance(40_000);
    const next = await BenchWorker.connect(bench, 'worker-2');
    expect(next.assignment('a').resumeFrom?.commit).toBe(last);
  });

  it('is there before the attempt counts as failed', async () => {
    const { bench, worker, assignment, slowGit } = await atWork({ resume: 'wip' });
    slowGit(300);
    const wip = bench.repository.handIn(assignment.base, ['a/half.ts']);
    worker.fail(assignment, { class: 'parsing', message: 'odd words' }, wip);
    await bench.until(() => worker.assignments.length === 2);
    expect(worker.assignment('a').resumeFrom).toEqual({ kind: 'wip', commit: wip, attempt: 1 });
  });

  it('does not outlast a result: one that is looked at while its worker goes away counts', async () => {
    const { bench, worker, run, assignment, slowGit } = await atWork();
    slowGit(500);
    worker.complete(assignment);
    worker.link.send('draining', { reason: 'SIGTERM' });
    await settle();
    await worker.kill();
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(bench.repository.integrations).toHaveLength(1);
  });

  it.each([
    ['that is not its to change', (base: string) => ({ base, paths: ['elsewhere/x.ts'] })],
    ['on another base', () => ({ base: 'f'.repeat(40), paths: ['a/x.ts'] })],
  ])('%s is not kept; the attempt is lost all the same', async (_name, made) => {
    const { bench, worker, assignment, history, kept } = await atWork({ resume: 'wip' });
    const { base, paths } = made(assignment.base);
    worker.giveBack(assignment, bench.repository.handIn(commitId.parse(base), paths));
    await bench.until(() => worker.assignments.length === 2, 1_000);
    expect(kept()).toEqual([]);
    expect(history()[0]?.wip).toBeUndefined();
    expect(worker.link.unacknowledged).toBe(0);
    expect(bench.fatal).toEqual([]);
  });

  it('that was never pushed, or by another worker, is not kept', async () => {
    const { bench, worker, run, assignment, kept } = await atWork();
    worker.link.send('task-wip', { ...keyOf(assignment), commit: commitId.parse('e'.repeat(40)) });
    const thief = await BenchWorker.connect(bench, 'worker-2');
    thief.wip(assignment);
    thief.giveBack(assignment, bench.repository.handIn(assignment.base, ['a/x.ts']));
    await bench.until(() => worker.link.unacknowledged + thief.link.unacknowledged === 0);
    expect(kept()).toEqual([]);
    expect(bench.phase(run, 'a')).toBe('preparing');
  });

  it('that the disk has no room for does not hold the attempt', async () => {
    const { bench, worker, assignment } = await atWork();
    bench.repository.before = (method) => {
      if (method === 'pinWip') throw new AppError('E_DISK_FULL', 'no space left on device');
    };
    worker.giveBack(assignment, bench.repository.handIn(assignment.base, ['a/half.ts']));
    await bench.until(() => worker.assignments.length === 2, 1_000);
    expect(bench.fatal).toEqual([]);
  });
});

function keyOf({ run, taskId, attempt, fence }: Parameters<BenchWorker['accept']>[0]) {
  return { run, taskId, attempt, fence };
}
