import type { Executor } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { WorkerBench } from './worker-bench.ts';

let sandbox: Sandbox;
let bench: WorkerBench;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
afterEach(() => bench.close());

it('nothing of an attempt runs on when its executor is done, not even what was still to begin', async () => {
  const ends: string[] = [];
  /** Begins programs without end, and does not even wait until they are there. */
  const careless: Executor = {
    kind: 'command',
    execute: async (_task, context) => {
      const begin = () =>
        context.spawn(['sh', '-c', 'echo x > docs/new.md; sleep 1000'], { timeoutMs: 600_000, env: {} });
      const [first] = [await begin(), ...[begin(), begin()].map((late) => late.catch(() => undefined))];
      await new Promise((resolve) => {
        const look = (): void =>
          void context
            .run(['test', '-s', 'docs/new.md'], { timeoutMs: 60_000, env: {}, writes: 'workspace' })
            .then(({ exitCode }) => (exitCode === 0 ? resolve(undefined) : look()), look);
        look();
      });
      void first.ended.then(({ ended }) => ends.push(ended));
      return { kind: 'done', summary: 'done', outputTail: '' };
    },
  };
  bench = new WorkerBench(sandbox);
  bench.executors = [careless];
  bench.reopen();
  const base = bench.objects.commit({ 'docs/a.md': 'a\n' });
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
  bench.assign(base, ['true']);
  await bench.next('task-completed');
  expect(ends).toEqual(['killed']);
});
