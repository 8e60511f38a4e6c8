import { expect, test } from 'vitest';
import { runBareLoop } from './bare-loop.ts';
import { entries } from './main.ts';
import { runOurLoop } from './our-loop.ts';

// They start processes, which takes long on a busy machine; nothing here is judged by time.
test('the bare loop finishes every task of a wide plan, in fewer commits than tasks', async () => {
  const figures = await runBareLoop({ tasks: 200, slots: 10, chain: false });
  expect(figures.tasks).toBe(200);
  expect(figures.commits).toBeLessThan(200);
});

test('a hop of the bare chain is exactly one commit', async () => {
  const figures = await runBareLoop({ tasks: 20, slots: 10, chain: true });
  expect(figures.commits).toBe(20);
});

test('the real orchestrator completes a wide plan and a chain, whose hops commit at least once', async () => {
  expect((await runOurLoop({ tasks: 40, slots: 5, chain: false })).tasks).toBe(40);
  expect((await runOurLoop({ tasks: 5, slots: 5, chain: true })).commits).toBeGreaterThanOrEqual(5);
});

test('every entry that has a size prints a table', async () => {
  // These take minutes, whatever the size: the whole labelled set, and quotas of real minutes.
  const { review: _whole, 'gateway-quota': _minutes, 'agents-quota': _agents, ...sized } = entries;
  const ofGuard = { fuzzCases: 20, opens: 100, auditFiles: 100, raceTries: 50 };
  for (const entry of Object.values(sized)) {
    const size = { tasks: 20, hops: 3, slots: 2, rounds: 1, facts: 400, memoryTasks: 200 };
    const lines = await entry({ ...size, ...ofGuard });
    expect(lines.join('\n')).not.toMatch(/NaN|Infinity/);
    expect(lines.length).toBeGreaterThan(1);
  }
});
