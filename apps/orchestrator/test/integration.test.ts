import { AppError, taskId, type RunId } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

const verified = { verify: { run: ['npm test'], when: 'batch', timeoutMs: 60_000 } };

describe('an integration step that cannot be carried out', () => {
  it('is tried again, not at once, and goes on', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    const times: number[] = [];
    bench.verifier.judge = () => {
      times.push(bench.clock.now());
      if (times.length <= 2) throw new AppError('E_SANDBOX', 'the sandbox is busy');
      return true;
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })], verified));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(times).toHaveLength(3);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(5_000);
    expect(bench.events(run).filter(({ text }) => text.includes('tried again'))).toHaveLength(2);
  });

  it('ends the run when it fails every time, and says why', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    bench.repository.before = (method) => {
      if (method === 'integrate') throw new AppError('E_DISK_FULL', 'the disk is full');
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })], verified));
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.reports.written.get(run)?.view).toMatchObject({
      phase: 'failed',
      reason: 'integration failed: the disk is full',
    });
    expect(bench.fatal).toEqual([]);
  });

  it('stops the run when somebody else moved its branch', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    bench.verifier.judge = ({ commit }) => {
      for (const run of bench.repository.branches.keys()) bench.repository.branches.set(run, commit);
      for (const run of bench.repository.branches.keys())
        bench.repository.branches.set(run, bench.repository.handIn(commit, ['x']));
      return true;
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })], verified));
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.reports.written.get(run)?.view.reason).toContain('E_RUN_BRANCH_MOVED');
    expect(bench.repository.moves).toEqual([]);
  });
});

describe('a merged result that does not pass', () => {
  it('is bisected; the culprit goes back to its worker with the output, the others are integrated', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 3 });
    const run = await bench.submit(
      buildPlan(
        ['a', 'b', 'c'].map((id) => buildTask({ id })),
        { ...verified },
      ),
    );
    for (const id of ['a', 'b', 'c']) {
      worker.accept(worker.assignment(id));
      worker.complete(worker.assignment(id));
    }
    const culprit = () =>
      bench.repository.integrations.at(-1)?.entries.some(({ taskId }) => taskId === 'b') === true;
    bench.verifier.judge = () => !culprit() || worker.assignment('b').round > 1;
    await bench.until(() => worker.assignment('b').round === 2, 10_000);
    expect(worker.assignment('b').feedback).toMatchObject([
      {
        severity: 'major',
        category: 'integration',
        description: expect.stringContaining('one test fails') as string,
      },
    ]);
    worker.accept(worker.assignment('b'));
    worker.complete(worker.assignment('b'));
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.view(run).phase.kind).toBe('completed');
  });
});

describe('a conflict', () => {
  it('gives the task back with both sides of the files', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    const files = Array.from({ length: 60 }, (_, place) => ({
      path: `a/${place}.ts`,
      ours: 'one',
      theirs: 'two',
    }));
    bench.repository.conflicting.set('a', files);
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => worker.assignments.length === 2);
    const { feedback } = worker.assignment('a');
    expect(feedback).toHaveLength(51);
    expect(feedback[0]).toMatchObject({ category: 'integration', file: 'a/0.ts' });
    expect(feedback[0]?.description).toContain('integrated:\none\nyours:\ntwo');
    expect(feedback[50]?.description).toContain('10 more files conflict');
    bench.repository.conflicting.clear();
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
  });
});

describe('a verification', () => {
  it('runs once, whatever else happens to its run meanwhile', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })], verified));
    let finish: () => void = () => undefined;
    bench.verifier.judge = () => new Promise((resolve) => (finish = () => resolve(true)));
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.verifier.asked.length === 1);
    worker.accept(worker.assignment('b'));
    worker.progress(worker.assignment('b'), 'running');
    worker.complete(worker.assignment('b'));
    await bench.until(() => bench.phase(run, 'b') === 'integrating');
    expect(bench.verifier.asked).toHaveLength(1);
    finish();
    await bench.until(() => bench.verifier.asked.length === 2);
    finish();
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.repository.moves).toHaveLength(2);
  });
});

describe('a verification that is not wanted any more', () => {
  it('is ended when its run is cancelled', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    let aborted = false;
    bench.verifier.judge = ({ signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        }),
      );
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })], verified));
    await bench.until(() => bench.verifier.asked.length === 1);
    const client = await bench.client('client-1');
    await client.api.cancel(run, { reason: 'enough' });
    await bench.until(() => bench.reports.written.has(run));
    expect(aborted).toBe(true);
    expect(bench.view(run).phase.kind).toBe('cancelled');
    expect(bench.fatal).toEqual([]);
  });
});

describe('the branch at a gate', () => {
  const tasks = [
    buildTask({ id: 'a' }),
    buildTask({ id: 'deploy', kind: 'manual', dependsOn: ['a'] }),
    buildTask({ id: 'b', dependsOn: ['deploy'] }),
  ];

  /** A run whose gate behind its first task waits. */
  async function atTheGate(before: (bench: Bench) => void = () => undefined) {
    const bench = new Bench();
    before(bench);
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    const run = await bench.submit(buildPlan(tasks, verified));
    await bench.until(() => bench.phase(run, 'deploy') === 'waiting');
    await settle();
    return { bench, run, published: bench.repository.published };
  }

  async function approve(bench: Bench, run: RunId): Promise<void> {
    const { api } = await bench.client('person');
    await api.answerGate({ run, taskId: taskId.parse('deploy'), approve: true, note: '', inputs: {} });
  }

  it('is there for the person who is asked, once, and again at the end', async () => {
    const { bench, run, published } = await atTheGate();
    expect(published).toEqual([run]);
    await BenchWorker.connect(bench, 'worker-2'); // every run is looked at again
    await bench.clock.advance(10_000);
    expect(published).toEqual([run]);
    await approve(bench, run);
    await bench.until(() => bench.reports.written.has(run));
    expect(published).toEqual([run, run]);
    expect(bench.fatal).toEqual([]);
  });

  it('is there also where the process ended before it was', async () => {
    const never = new Promise<never>(() => undefined);
    const { bench, run, published } = await atTheGate(({ repository }) => {
      repository.before = (method) => (method === 'publish' ? never : undefined);
    });
    expect(published).toEqual([]);
    bench.repository.before = () => undefined;
    await bench.restart();
    await bench.until(() => published.length === 1);
    expect(bench.phase(run, 'deploy')).toBe('waiting');
  });

  it('follows what is integrated while somebody is asked', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'look', kind: 'manual' })], verified),
    );
    await bench.until(() => bench.phase(run, 'look') === 'waiting');
    await bench.clock.advance(1_000);
    expect(bench.repository.published).toEqual([]); // nothing is on it
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    await bench.until(() => bench.repository.published.length === 1);
  });

  it('that cannot be published stops nothing', async () => {
    let tries = 0;
    const { bench, run } = await atTheGate(({ repository }) => {
      repository.before = (method) => {
        if (method !== 'publish') return;
        tries += 1;
        throw new Error('the disk of the user is full');
      };
    });
    await bench.clock.advance(120_000);
    expect(tries).toBe(4);
    await approve(bench, run);
    await bench.until(() => bench.view(run).phase.kind === 'completed');
    expect(bench.fatal).toEqual([]);
  });
});

describe('the end of a run', () => {
  it('is kept as soon as that is possible', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    let tries = 0;
    bench.reports.before = () => {
      tries += 1;
      if (tries < 3) throw new AppError('E_DISK_FULL', 'the disk is full');
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.until(() => bench.reports.written.has(run));
    expect(tries).toBe(3);
    expect(bench.repository.published).toEqual([run]);
  });

  it('has its report also where the branch cannot be published', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    bench.repository.before = (method) => {
      if (method === 'publish') throw new AppError('E_RUN_BRANCH_MOVED', 'a branch is in the way');
    };
    const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.reports.unpublished).toBe('a branch is in the way');
    expect(bench.fatal).toEqual([]);
  });
});
