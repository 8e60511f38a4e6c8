import { buildPlan, buildTask } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

const hourMs = 3_600_000;

it('a clock that is set back an hour in the middle of a run delays no retry and loses no attempt', async () => {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1', { slots: 2 });
  const plan = buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })]);
  const run = await bench.submit(plan);
  for (const id of ['a', 'b']) worker.accept(worker.assignment(id));
  worker.fail(worker.assignment('a'), { class: 'io', code: 'E_IO', message: 'the disk is slow' });
  await bench.until(() => bench.phase(run, 'a') === 'ready');
  bench.clock.setWallForward(-hourMs);
  await bench.clock.advance(20_000);
  expect(bench.phase(run, 'b')).toBe('preparing');
  const ofA = worker.assignments.filter(({ taskId }) => taskId === 'a');
  expect(new Set(ofA.map(({ attempt }) => attempt))).toEqual(new Set([1, 2]));
  worker.diligent = true;
  for (const id of ['a', 'b']) {
    if (id === 'a') worker.accept(worker.assignment('a'));
    worker.complete(worker.assignment(id));
  }
  await bench.until(() => bench.view(run).phase.kind === 'completed');
  const facts = [...bench.journal.read()];
  expect(facts.map(({ seq }) => seq)).toEqual(facts.map((_, place) => place + 1));
});
