import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal } from '@switchyard/store';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

const one = buildPlan([buildTask({ id: 'a' })]);

describe('nothing leaves before the journal has what it rests on', () => {
  it('no assignment, while the lease is on its way to the disk', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const client = await bench.client('client-1');
    bench.journal.hold();
    let run: string | undefined;
    void client.api.submit(one).then((given) => (run = given));
    await bench.clock.advance(5_000);
    expect(run).toBeUndefined();
    expect(worker.assignments).toEqual([]);
    bench.journal.release();
    await bench.until(() => worker.assignments.length === 1 && run !== undefined);
  });

  it('no acknowledgement, no event, no integration', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(one);
    const client = await bench.client('client-1');
    const handle = client.api.watch(run);
    await handle.opened;
    worker.accept(worker.assignment('a'));
    await settle();
    const eventsBefore = client.events().length;
    bench.journal.hold();
    worker.complete(worker.assignment('a'));
    await bench.clock.advance(5_000);
    expect(bench.phase(run, 'a')).toBe('integrating');
    expect(worker.count('ack')).toBe(0);
    expect(worker.link.unacknowledged).toBe(1);
    expect(bench.repository.integrations).toEqual([]);
    expect(client.events()).toHaveLength(eventsBefore);
    bench.journal.release();
    await bench.until(() => worker.link.unacknowledged === 0 && bench.phase(run, 'a') === 'completed');
    expect(client.events().length).toBeGreaterThan(eventsBefore);
    handle.close();
  });

  it('no acknowledgement but one for all reports of a worker in the turn', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 3 });
    const tasks = ['a', 'b', 'c'].map((id) => buildTask({ id, kind: 'verify' }));
    await bench.submit(buildPlan(tasks));
    for (const id of ['a', 'b', 'c']) worker.accept(worker.assignment(id));
    await settle();
    bench.journal.hold();
    for (const id of ['a', 'b', 'c']) worker.complete(worker.assignment(id));
    await bench.clock.advance(1_000);
    expect(worker.count('ack')).toBe(0);
    bench.journal.release();
    await bench.until(() => worker.link.unacknowledged === 0);
    expect(worker.count('ack')).toBe(1);
  });

  it('no view that is ahead of the events', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(one);
    const client = await bench.client('client-1');
    bench.journal.hold();
    worker.accept(worker.assignment('a'));
    await settle();
    const shown = client.api.run(run);
    await bench.clock.advance(1_000);
    worker.progress(worker.assignment('a'), 'running');
    worker.complete(worker.assignment('a'));
    await bench.clock.advance(1_000);
    expect(bench.phase(run, 'a')).toBe('integrating');
    bench.journal.release();
    expect((await shown).tasks[0]?.phase).toBe('preparing');
  });

  it('no effect of what was decided while an append was under way', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
    const run = await bench.submit(one);
    const keeper = bench.daemon.loop.keepers.get(run);
    bench.journal.hold();
    worker.accept(worker.assignment('a'));
    await bench.clock.advance(100);
    bench.journal.release();
    // In the turn in which the first append ends, the next input is already there.
    queueMicrotask(() => {
      if (keeper !== undefined)
        bench.daemon.loop.input(keeper, { at: bench.clock.now(), kind: 'cancel', reason: 'enough' });
      bench.journal.hold();
    });
    await bench.clock.advance(1_000);
    expect(bench.view(run).phase.kind).toBe('cancelled');
    expect(bench.reports.written.size).toBe(0);
    expect(worker.count('task-cancel')).toBe(0);
    bench.journal.release();
    await bench.until(() => bench.reports.written.has(run));
    expect(worker.count('task-cancel')).toBe(1);
  });
});

describe('a journal that fails', () => {
  it('ends the daemon, once, and nothing more is told', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(one);
    worker.accept(worker.assignment('a'));
    await settle();
    const error = new AppError('E_DISK_FULL', 'the disk is full');
    bench.journal.break(error);
    worker.complete(worker.assignment('a'));
    await bench.clock.advance(10_000);
    expect(bench.fatal).toEqual([error]);
    expect(worker.count('ack')).toBe(0);
    expect(bench.repository.integrations).toEqual([]);
    bench.daemon.loop.wake();
    await bench.clock.advance(1_000);
    expect(bench.fatal).toHaveLength(1);
    expect(bench.journal.streams()).toEqual([run]);
  });

  it('leaves a run that goes on from what the journal had', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(one);
    worker.accept(worker.assignment('a'));
    await settle();
    bench.journal.break(new AppError('E_DISK_FULL', 'the disk is full'));
    worker.complete(worker.assignment('a'));
    await bench.clock.advance(1_000);
    bench.journal.break(undefined);
    await bench.restart();
    await bench.until(() => bench.phase(run, 'a') === 'completed');
    expect(worker.link.unacknowledged).toBe(0);
  });
});

describe('a damaged or foreign journal', () => {
  it.each([
    ['of a newer version', { kind: 'run-started', version: 99, data: {} }, 'E_STATE_NEWER'],
    ['of an unknown kind', { kind: 'run-teleported', version: 1, data: {} }, 'E_STATE_NEWER'],
    [
      'out of its order',
      { kind: 'run-started', version: 1, data: { kind: 'run-started', at: 1 } },
      'E_STATE_DAMAGED',
    ],
  ])('is refused where a fact is %s', async (_name, fact, code) => {
    const bench = new Bench();
    await bench.journal.append('some-run', 1, [fact]);
    expect(() => bench.start()).toThrow(expect.objectContaining({ code }) as Error);
  });
});

it('works on a real journal, and goes on after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-orchestrator-'));
  const file = join(folder, 'journal.db');
  const logger = silentLogger();
  const bench = new Bench({ journal: openLibsqlJournal({ file, logger }) });
  try {
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })]),
    );
    worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment('a'));
    await bench.until(() => worker.assignments.length === 2);
    await bench.restart();
    worker.diligent = true;
    await bench.until(() => bench.reports.written.has(run));
    expect(bench.view(run).phase.kind).toBe('completed');
    expect(bench.fatal).toEqual([]);
  } finally {
    await bench.crash();
    await bench.journal.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
