import { commitId, fence, runId, type PlanTask } from '@switchyard/protocol';
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
  return { bench, worker, run, assignment };
}

/** How the task ended. */
function failureOf(bench: Bench, run: Parameters<Bench['view']>[0]) {
  const phase = [...bench.view(run).tasks.values()][0]?.phase;
  return phase?.kind === 'failed' ? phase.failure : undefined;
}

describe('a report', () => {
  it('that comes twice counts once, and is acknowledged twice', async () => {
    const { bench, worker, run, assignment } = await atWork();
    let checks = 0;
    bench.repository.before = async (method) => {
      if (method !== 'checkAttempt') return;
      checks += 1;
      await sleep(bench.clock, 500);
    };
    worker.complete(assignment);
    await settle();
    worker.cut(); // its outbox sends it again
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(worker.link.unacknowledged).toBe(0);
    expect(checks).toBe(1);
    expect(bench.repository.integrations).toHaveLength(1);
    expect(bench.view(run).tasks.values().next().value?.history).toHaveLength(1);
  });

  it('that comes after its attempt was lost changes nothing and is acknowledged', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.holding = [];
    worker.cut(); // as a worker that was restarted
    await bench.until(() => worker.assignments.length === 2);
    worker.complete(assignment);
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('leased');
    expect(bench.repository.integrations).toEqual([]);
  });

  it.each([
    ['with an old or invented fence', { fence: fence.parse(7) }],
    ['for a run that is not there', { run: runId.parse('another-run') }],
  ])('%s changes nothing', async (_name, over) => {
    const { bench, worker, run, assignment } = await atWork();
    worker.fail({ ...assignment, ...over });
    worker.complete({ ...assignment, ...over });
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('preparing');
  });

  it('of another worker changes nothing', async () => {
    const { bench, run, assignment } = await atWork();
    const thief = await BenchWorker.connect(bench, 'worker-2');
    thief.progress(assignment, 'running');
    thief.complete(assignment);
    thief.fail(assignment);
    await bench.until(() => thief.link.unacknowledged === 0);
    expect(bench.phase(run, 'a')).toBe('preparing');
  });

  it('is the last word: progress that comes after it does not bring the task back', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.complete(assignment);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    worker.progress(assignment, 'running');
    worker.accept(assignment);
    await settle();
    expect(bench.phase(run, 'a')).toBe('completed');
  });
});

describe('what an attempt hands in is looked at', () => {
  it('a base that is not the one of the lease is refused', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.complete(assignment, { evidence: { base: commitId.parse('f'.repeat(40)) } });
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(failureOf(bench, run)).toMatchObject({ code: 'E_PROTOCOL' });
    expect(worker.link.unacknowledged).toBe(0);
  });

  it('a commit that rests on another one is refused', async () => {
    const { bench, worker, run, assignment } = await atWork();
    const first = bench.repository.handIn(assignment.base, ['a/x.ts']);
    const commit = bench.repository.handIn(first, ['a/y.ts']);
    worker.complete(assignment, { evidence: { commit } });
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(failureOf(bench, run)).toMatchObject({ code: 'E_WORKSPACE_VIOLATION' });
  });

  it('paths outside the workspace are refused, by name', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.complete(assignment, { paths: ['a/index.ts', 'package.json', '.github/workflows/ci.yml'] });
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(failureOf(bench, run)).toMatchObject({
      code: 'E_WORKSPACE_VIOLATION',
      paths: ['package.json', '.github/workflows/ci.yml'],
    });
  });

  it('a commit that was never handed in is tried again', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.complete(assignment, { evidence: { commit: commitId.parse('e'.repeat(40)) } });
    await bench.until(() => worker.assignments.length === 2);
    expect(bench.view(run).tasks.values().next().value?.history[0]?.failure).toMatchObject({
      class: 'io',
      code: 'E_NOT_FOUND',
    });
  });

  it('a task that had to change something is not done by nothing', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.complete(assignment, { evidence: { commit: undefined } });
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(failureOf(bench, run)).toMatchObject({ code: 'E_NO_CHANGES' });
  });

  it.each([
    ['that is missing', () => []],
    [
      'of another commit',
      (receipts: readonly object[], base: string) => receipts.map((one) => ({ ...one, commit: base })),
    ],
    [
      'of a command that failed',
      (receipts: readonly object[]) => receipts.map((one) => ({ ...one, exitCode: 1 })),
    ],
    [
      'of a command that was killed',
      (receipts: readonly object[]) => receipts.map((one) => ({ ...one, ended: 'killed' })),
    ],
  ])('a receipt %s proves nothing', async (_name, forge) => {
    const { bench, worker, run, assignment } = await atWork({
      acceptance: [{ kind: 'run', run: 'npm test' }],
    });
    const commit = bench.repository.handIn(assignment.base, ['a/index.ts']);
    const receipts = [
      {
        criterion: 'npm test',
        command: 'npm test',
        commit,
        exitCode: 0,
        ended: 'exited' as const,
        durationMs: 1,
        startedAt: 1,
        outputTail: '',
        truncated: false,
      },
    ];
    const forged = forge(receipts, assignment.base) as typeof receipts;
    worker.complete(assignment, { evidence: { commit, receipts: forged } });
    await bench.until(() => bench.phase(run, 'a') === 'failed');
    expect(failureOf(bench, run)).toMatchObject({ code: 'E_ACCEPTANCE' });
  });

  it('what changed, and who did it, is what we see ourselves', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.complete(assignment, {
      evidence: { filesChanged: [{ path: 'a/lie.ts', change: 'added' }], worker: 'worker-9' as never },
    });
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    const facts = [...bench.journal.read()].filter(({ kind }) => kind === 'task-submitted');
    expect(facts[0]?.data).toMatchObject({
      evidence: { worker: 'worker-1', filesChanged: [{ path: 'a/index.ts', change: 'modified' }] },
    });
  });
});

describe('an attempt that fails', () => {
  it('is retried by its class, and its evidence is kept', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.fail(assignment, { class: 'io', message: 'the disk hiccups' });
    await bench.until(() => worker.assignments.length === 2);
    expect(worker.assignment('a').attempt).toBe(2);
    expect(bench.events(run).map(({ kind }) => kind)).toContain('task-retrying');
  });

  it('asks a person when it escalates, with what it tried', async () => {
    const { bench, worker, run, assignment } = await atWork();
    const { taskId, attempt } = assignment;
    worker.link.send('escalation', {
      run,
      taskId,
      attempt,
      fence: assignment.fence,
      reason: 'two ways',
      attemptedSolutions: ['one', 'two'],
      needsClarification: 'which?',
    });
    await bench.until(() => bench.phase(run, 'a') === 'waiting');
    const client = await bench.client('client-1');
    expect(await client.reason(run, 'a')).toBe('two ways — tried: one; two — which?');
    await client.api.answerEscalation({ run, taskId, action: 'retry', note: 'the first' });
    await bench.until(() => worker.assignments.length === 2);
    expect(worker.assignment('a').answer).toBe('the first');
  });
});
