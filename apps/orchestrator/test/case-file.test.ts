import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taskId } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchReviewer, BenchWorker, major } from './peers.ts';
import { FileReports } from '../src/report-writer.ts';

const failure = {
  class: 'io',
  code: 'E_COMMAND_FAILED',
  message: '`make` ended with exit code 7',
  outputTail: 'linking\ncannot reach `host`\n',
} as const;

/** A run whose only task fails the same way until it is parked. */
async function parked(before: (bench: Bench) => void = () => undefined) {
  const bench = new Bench();
  const task = buildTask({ id: 'build it', more: { retries: 9, instructions: 'Build the thing.' } });
  before(bench);
  const worker = await BenchWorker.connect(bench, 'worker-1');
  const run = await bench.submit({ ...buildPlan([task]), retryPolicy: { io: 9 } });
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    await bench.until(() => worker.assignments.at(-1)?.attempt === attempt);
    const assignment = worker.assignment('build it');
    worker.accept(assignment);
    const wip = bench.repository.handIn(assignment.base, [`${assignment.workspacePath}/half.ts`]);
    worker.fail(assignment, failure, attempt === 4 ? wip : undefined);
    await settle();
  }
  await bench.until(() => bench.phase(run, 'build it') === 'waiting');
  const file = `runs/${run}/case-1-build-it.md`;
  const answer = { run, taskId: taskId.parse('build it'), note: 'the host is back' } as const;
  return { bench, worker, run, file, answer };
}

describe('the case file of a parked task', () => {
  it('says why, what was tried, and what to do, and is named in event and view', async () => {
    const { bench, run, file } = await parked();
    await bench.until(() => bench.reports.cases.has(file));
    const text = bench.reports.cases.get(file) ?? '';
    expect(text).toContain('parked: attempts 1, 2, 3, 4 failed the same way');
    expect(text).toContain('Build the thing.');
    for (let attempt = 1; attempt <= 4; attempt += 1)
      expect(text).toContain(`### Attempt ${attempt}: failed (\`worker-1\``);
    expect(text.match(/cannot reach `host`/g)?.length).toBeGreaterThanOrEqual(4);
    expect(text).toContain('exit code 7');
    expect(text.match(/Given out .* UTC, ended .* UTC\./g)).toHaveLength(4);
    for (const command of [
      `switchyard answer ${run} 'build it' --action retry --note "what the next attempt should know"`,
      `switchyard answer ${run} 'build it' --action skip`,
      `switchyard answer ${run} 'build it' --action fail`,
      `switchyard salvage show ${run} 'build it' --attempt 4 --kind wip`,
      `switchyard salvage take ${run} 'build it' --attempt 4 --kind wip --next`,
      `switchyard logs --run ${run} --task 'build it'`,
    ])
      expect(text.split('\n')).toContain(command);
    expect(text).not.toContain('--action accept');
    expect(bench.events(run).find(({ kind }) => kind === 'task-waiting')?.text).toContain(file);
    const { api } = await bench.client('reader');
    expect((await api.run(run)).tasks[0]).toMatchObject({ phase: 'waiting', caseFile: file });
  });

  it('is written by the next life where the process ended between the decision and the file', async () => {
    const dead = new Promise<never>(() => undefined);
    const { bench, file } = await parked((made) => {
      made.reports.writeCase = () => dead;
    });
    expect(bench.reports.cases.size).toBe(0);
    Reflect.deleteProperty(bench.reports, 'writeCase');
    await bench.restart();
    await bench.until(() => bench.reports.cases.has(file));
    expect(bench.reports.cases.get(file)).toContain('### Attempt 4: failed');
    expect(bench.fatal).toEqual([]);
  });

  it('is written when the disk has room again, and once', async () => {
    let tries = 0;
    const { bench, file } = await parked(({ reports }) => {
      reports.before = () => {
        tries += 1;
        if (tries <= 2) throw new Error('the disk is full');
      };
    });
    await bench.clock.advance(10_000);
    expect(bench.reports.cases.has(file)).toBe(true);
    await BenchWorker.connect(bench, 'worker-2'); // every run is looked at again
    await bench.clock.advance(10_000);
    expect(tries).toBe(3);
  });

  it('tells the whole story when it is parked again, and stays named when the task is over', async () => {
    const { bench, worker, run, file, answer } = await parked();
    const { api } = await bench.client('person');
    await api.answerEscalation({ ...answer, action: 'retry' });
    await bench.until(() => worker.assignments.length === 5);
    worker.accept(worker.assignment('build it'));
    worker.fail(worker.assignment('build it'), failure);
    await bench.until(() => bench.reports.cases.get(file)?.includes('### Attempt 5') === true);
    await api.answerEscalation({ ...answer, action: 'fail' });
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.reports.written.get(run)?.view.tasks[0]).toMatchObject({ phase: 'failed', caseFile: file });
  });

  it('has the findings of the reviews, and lets a person accept, where the rounds are used up', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const review = { mode: 'required', specializations: ['style'], rounds: 1 } as const;
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a', review: { ...review, specializations: ['style'] } })]),
    );
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => reviewer.assignments.length === 1);
    reviewer.reject(reviewer.last());
    const file = `runs/${run}/case-1-a.md`;
    await bench.until(() => bench.reports.cases.has(file));
    const text = bench.reports.cases.get(file) ?? '';
    expect(text).toContain(major.description);
    expect(text).toContain('not like this');
    expect(text.split('\n')).toContain(`switchyard answer ${run} a --action accept`);
  });

  it('says how to look at what the run has changed so far, where it has', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const reviewer = await BenchReviewer.connect(bench, 'reviewer-1');
    const review = { mode: 'required', specializations: ['style'], rounds: 1 } as const;
    const run = await bench.submit(
      buildPlan([
        buildTask({ id: 'a' }),
        buildTask({ id: 'b', dependsOn: ['a'], review: { ...review, specializations: ['style'] } }),
      ]),
    );
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => worker.assignments.length === 2);
    worker.accept(worker.assignment('b'));
    worker.complete(worker.assignment('b'));
    await bench.until(() => reviewer.assignments.length === 1);
    reviewer.reject(reviewer.last());
    const file = `runs/${run}/case-2-b.md`;
    await bench.until(() => bench.reports.cases.has(file));
    const look = `git diff ${bench.repository.head.slice(0, 12)}...switchyard/${run}`;
    expect(bench.reports.cases.get(file)?.split('\n')).toContain(look);
    expect(bench.repository.published).toEqual([run]);
    const empty = await parked();
    await empty.bench.until(() => empty.bench.reports.cases.has(empty.file));
    expect(empty.bench.reports.cases.get(empty.file)).not.toContain('git diff');
  });

  it('lies in the state folder, whole, where only its owner reads it', async () => {
    const { bench, file } = await parked();
    await bench.until(() => bench.reports.cases.has(file));
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-cases-'));
    try {
      await new FileReports(join(folder, 'runs')).writeCase(file, bench.reports.cases.get(file) ?? '');
      expect(readFileSync(join(folder, file), 'utf8')).toBe(bench.reports.cases.get(file));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
