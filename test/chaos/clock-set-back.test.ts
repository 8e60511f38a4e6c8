import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { until } from '../scenarios/harness.ts';
import { CountedFleets, executions, ranFolder, waitMs } from './counted-fleet.ts';
import { readLog } from './daemon-logs.ts';
import { factsOf } from './journal-facts.ts';

const fleets = new CountedFleets();
afterEach(() => fleets.close());

it('the clock of the machine is set back an hour in the middle of a run: it ends as if nothing had happened', async () => {
  const tasks = ['a', 'b', 'c', 'd'].map((id) => ({ id, seconds: 1, review: id === 'c' }));
  let setBack = '';
  const fleet = await fleets.start(tasks, {
    leaseMs: 60_000,
    prepare: ({ env, folder }) => {
      setBack = join(folder, 'set-back');
      env['CLOCK_SET_BACK'] = setBack;
      env['NODE_OPTIONS'] = `--import ${new URL('set-back-clock.mjs', import.meta.url).href}`;
    },
  });
  const before = Date.now();
  const run = await fleet.submit('plan.yaml');
  const ran = join(ranFolder(fleet.scenario), 'a');
  await until('the first task', () => existsSync(ran) || undefined, waitMs);
  writeFileSync(setBack, '');
  const { facts, report } = await fleets.judgedEnd(fleet, run);
  expect(executions(fleet)).toEqual({ a: 1, b: 1, c: 1, d: 1 });
  expect(factsOf(facts, 'attempt-lost')).toEqual([]);
  // It was: the logs are written by the machine's clock.
  const logTimes = readLog(fleet.scenario.state, 'orchestrator').map(({ time }) => Date.parse(String(time)));
  expect(Math.min(...logTimes)).toBeLessThan(before);
  // The history of the run goes forward all the same.
  const times = facts.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
  for (const { leasedAt, endedAt } of report.tasks.flatMap(({ attempts }) => attempts))
    expect((endedAt ?? 0) - leasedAt).toBeGreaterThanOrEqual(900);
});
