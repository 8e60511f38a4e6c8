import { buildPlan, buildTask } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

it('tells a task of the work before it, and of what judged that only where it stands right before', async () => {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1');
  const check = (id: string, before: string) =>
    buildTask({ id, dependsOn: [before], more: { kind: 'verify', workspace: [] } });
  await bench.submit(
    buildPlan([
      buildTask({ id: 'work' }),
      check('first', 'work'),
      check('second', 'first'),
      check('third', 'second'),
    ]),
  );
  for (const id of ['work', 'first', 'second']) {
    await bench.until(() => worker.assignments.some(({ taskId }) => taskId === id));
    worker.complete(worker.assignment(id));
  }
  await bench.until(() => worker.assignments.some(({ taskId }) => taskId === 'third'));
  expect(worker.assignment('third').upstream.map(({ taskId }) => taskId)).toEqual(['work', 'second']);
});
