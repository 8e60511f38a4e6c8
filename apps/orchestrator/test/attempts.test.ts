import { AppError, commitId, fence, runId, type PlanTask } from '@switchyard/protocol';
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

  it('that comes after its attempt was lost is kept as a salvage commit, once, and the worker is told', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.holding = [];
    worker.cut();
    await bench.until(() => worker.assignments.length === 2);
    worker.complete(assignment);
    worker.complete(assignment);
    await bench.until(() => worker.link.unacknowledged === 0);
    const [ref, commit] = [...bench.repository.salvaged][0] ?? [];
    expect(ref).toBe(`refs/switchyard/salvage/${run}/a/1`);
    const [first, second] = bench.view(run).tasks.values().next().value?.history ?? [];
    expect(first).toMatchObject({ outcome: 'lost', salvage: { ref } });
    expect(second).toMatchObject({ outcome: 'running' });
    expect(bench.events(run).filter(({ kind }) => kind === 'task-salvaged')).toHaveLength(1);
    const told = worker.received.find(({ type }) => type === 'task-fenced');
    expect(told?.payload).toMatchObject({ attempt: 1, fence: 1, salvage: { ref } });
    expect(first?.salvage?.commit).toBe(commit);
    await bench.restart();
    expect(bench.view(run).tasks.values().next().value?.history[0]?.salvage).toEqual(first?.salvage);
  });

  it('that comes late is kept also when the repository is in trouble at first, and nothing ends', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.holding = [];
    worker.cut();
    await bench.until(() => worker.assignments.length === 2);
    const troubled = new Set(['checkAttempt', 'pinSalvage']);
    bench.repository.before = (method) => {
      if (troubled.delete(method)) throw new AppError('E_IO', 'the disk does not answer');
    };
    worker.complete(assignment);
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(troubled.size).toBe(0);
    expect([...bench.repository.salvaged.keys()]).toEqual([`refs/switchyard/salvage/${run}/a/1`]);
    expect(worker.count('task-fenced')).toBe(1);
    expect(bench.phase(run, 'a')).toBe('leased');
  });

  it('that comes late and cannot be kept at all stays in the outbox until it can', async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.holding = [];
    worker.cut();
    await bench.until(() => worker.assignments.length === 2);
    bench.repository.before = (method) => {
      if (method === 'pinSalvage') throw new AppError('E_DISK_FULL', 'the disk is full');
    };
    worker.complete(assignment);
    await bench.clock.advance(60_000);
    expect(worker.link.unacknowledged).toBe(1);
    bench.repository.before = () => undefined;
    worker.cut();
    await bench.until(() => worker.link.unacknowledged === 0);
    expect([...bench.repository.salvaged.keys()]).toEqual([`refs/switchyard/salvage/${run}/a/1`]);
  });

  it('whose commit cannot be looked at for a time counts when it can', async () => {
    const { bench, worker, run, assignment } = await atWork();
    let refusals = 2;
    bench.repository.before = (method) => {
      if (method !== 'checkAttempt' || refusals === 0) return;
      refusals -= 1;
      throw new AppError('E_IO', 'the disk does not answer');
    };
    worker.complete(assignment);
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(refusals).toBe(0);
    expect(bench.view(run).tasks.values().next().value?.history).toHaveLength(1);
  });

  it("that comes late and is not the attempt's own is not kept, and the worker is told why", async () => {
    const { bench, worker, run, assignment } = await atWork();
    worker.holding = [];
    worker.cut();
    await bench.until(() => worker.assignments.length === 2);
    worker.complete(assignment, { paths: ['elsewhere/x.ts'] });
    worker.complete(assignment, { evidence: { base: commitId.parse('f'.repeat(40)) } });
    worker.complete(assignment, { evidence: { commit: commitId.parse('e'.repeat(40)) } });
    await bench.until(() => worker.count('task-fenced') === 3);
    expect(worker.link.unacknowledged).toBe(0);
    expect(bench.repository.salvaged.size).toBe(0);
    expect(bench.phase(run, 'a')).toBe('leased');
  });

  it('that comes late from a worker that never had the attempt is not kept', async () => {
    const { bench, worker, assignment } = await atWork();
    worker.holding = [];
    worker.cut();
    await bench.until(() => worker.assignments.length === 2);
    const thief = await BenchWorker.connect(bench, 'worker-2');
    thief.complete(assignment);
    await bench.until(() => thief.link.unacknowledged === 0);
    expect(bench.repository.salvaged.size).toBe(0);
    expect(thief.count('task-fenced')).toBe(0);
  });

  it('that is taken away while its commit is looked at is kept, not lost', async () => {
    const { bench, worker, run, assignment } = await atWork();
    bench.repository.before = async (method) => {
      if (method === 'checkAttempt') await sleep(bench.clock, 500);
    };
    worker.complete(assignment);
    await settle();
    const keeper = bench.daemon.loop.keepers.get(run);
    if (keeper === undefined) throw new Error(`no run ${run}`);
    bench.daemon.loop.input(keeper, {
      at: bench.clock.now(),
      kind: 'lost',
      taskId: assignment.taskId,
      fence: assignment.fence,
      reason: 'no contact',
    });
    await bench.until(() => bench.repository.salvaged.size === 1);
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(worker.count('task-fenced')).toBe(1);
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
