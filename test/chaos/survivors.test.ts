import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../scenarios/harness.ts';
import { CountedFleets, executions, logged, ranFolder, waitMs } from './counted-fleet.ts';
import { readLog } from './daemon-logs.ts';
import type { Fleet, PeerName } from './fleet.ts';
import { factsOf, readRunFacts } from './journal-facts.ts';
import type { RelayOptions } from './relay.ts';
import { EnvelopeTap } from './report-taps.ts';

const fleets = new CountedFleets();
afterEach(() => fleets.close());

/** Which worker has taken the attempt up. */
async function workerOf(fleet: Fleet, task: string): Promise<PeerName> {
  const file = join(ranFolder(fleet.scenario), task);
  await until(`the execution of ${task}`, () => (existsSync(file) ? true : undefined), waitMs);
  const names = ['worker-1', 'worker-2'] as const;
  const isAt = (name: string): boolean =>
    readLog(fleet.scenario.state, name).some((line) => line.task === task && line.msg === 'attempt started');
  return until(`the worker of ${task}`, () => names.find(isAt), waitMs);
}

describe('a worker that stands still', () => {
  it('beyond the grace is fenced, shown dead and alive again; its late result is kept, and it is told', async () => {
    let held: { readonly name: PeerName; readonly fleet: () => Fleet } | undefined;
    const tapOf = (name: PeerName): RelayOptions['tap'] => {
      const tap = new EnvelopeTap();
      return (chunk, direction, passage) => {
        if (direction === 'down') return true;
        const hasResult = tap.read(chunk, passage).some(({ type }) => type === 'task-completed');
        if (!hasResult || held !== undefined) return true;
        // With its result on its way, it stands still, and nobody gets it.
        held = { name, fleet: () => fleet };
        fleet.member(name).pause();
        return false;
      };
    };
    const times = { leaseMs: 1_500, graceMs: 5_000 };
    const fleet: Fleet = await fleets.start([{ id: 'a', seconds: 0.1 }], { ...times, tap: tapOf });
    const run = await fleet.submit('plan.yaml');
    const facts = () => readRunFacts(fleet.scenario.state, run);
    await until('its death', () => factsOf(facts(), 'attempt-lost')[0], waitMs);
    const name = held?.name ?? 'worker-1';
    const shown = await fleet.scenario.cli('workers').ended;
    expect(shown.stdout).toMatch(new RegExp(`^${name} +worker +dead `, 'm'));
    await until('another result', () => factsOf(facts(), 'task-completed')[0], waitMs);
    fleet.member(name).resume();

    const told = await logged(fleet, name, ({ msg }) => msg === 'a result came too late');
    const [salvaged] = factsOf(facts(), 'attempt-salvaged');
    expect(told).toMatchObject({ run, task: 'a', attempt: 1, salvage: salvaged?.salvage });
    expect(salvaged).toMatchObject({ attempt: 1, worker: name });
    await logged(fleet, 'orchestrator', ({ msg, was }) => msg === 'peer is alive again' && was === 'dead');
    const evidence = await fleets.judgedEnd(fleet, run);
    expect(evidence.merges).toMatchObject([{ task: 'a', attempt: 2 }]);
    expect(executions(fleet)).toEqual({ a: 2 });
    const repository = join(fleet.scenario.state, 'repository.git');
    const ref = salvaged?.salvage.ref ?? '';
    expect(fleet.scenario.git('--git-dir', repository, 'rev-parse', ref).trim()).toBe(
      salvaged?.salvage.commit,
    );
  });

  it('within the grace keeps its attempt, over a killed orchestrator too: nothing runs twice', async () => {
    const tasks = ['a', 'b', 'c', 'd'].map((id) => ({ id, seconds: 3 }));
    const fleet = await fleets.start(tasks, { leaseMs: 1_500, graceMs: 240_000 });
    const run = await fleet.submit('plan.yaml');
    const name = await workerOf(fleet, 'a');
    fleet.member(name).pause();
    await logged(
      fleet,
      'orchestrator',
      (line) => line.msg === 'peer is unverifiable' && line['worker'] === name,
    );
    fleet.member(name).resume();
    await logged(
      fleet,
      'orchestrator',
      ({ msg, was }) => msg === 'peer is alive again' && was === 'unverifiable',
    );
    // The other two are at work when the orchestrator is killed.
    for (const task of ['c', 'd']) await workerOf(fleet, task);
    fleet.member('orchestrator').kill();
    const evidence = await fleets.judgedEnd(fleet, run);
    expect(executions(fleet)).toEqual({ a: 1, b: 1, c: 1, d: 1 });
    expect(factsOf(evidence.facts, 'attempt-lost')).toEqual([]);
    expect(evidence.merges.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    expect(fleet.member('orchestrator').lives).toBe(2);
  });
});

describe('a reviewer that is killed', () => {
  it('at the beginning of a review, and with a verdict that nobody has heard, reports what it held', async () => {
    let kills = 0;
    const verdicts = new Map<string, number>();
    const tap = new EnvelopeTap();
    const tapOf = (name: PeerName): RelayOptions['tap'] => {
      if (name !== 'reviewer-1') return undefined;
      return (chunk, direction, passage) => {
        if (direction === 'down') {
          if (kills > 0 || !chunk.includes('review-assignment')) return true;
          kills += 1;
          fleet.member(name).kill();
          return true;
        }
        const sent = tap.read(chunk, passage).filter(({ type }) => type === 'review-approved');
        const times = sent.map(({ id }) => (verdicts.get(id) ?? 0) + 1);
        sent.forEach(({ id }, at) => verdicts.set(id, times[at] ?? 0));
        // Cut off once, so that it is on the disk for long when it is sent again; then the sender dies.
        if (times.includes(2)) {
          kills += 1;
          fleet.member(name).kill();
        }
        return !times.includes(1) && !times.includes(2);
      };
    };
    const fleet: Fleet = await fleets.start([{ id: 'a', seconds: 0.1, review: true }], {
      leaseMs: 1_500,
      graceMs: 240_000,
      tap: tapOf,
    });
    const run = await fleet.submit('plan.yaml');
    await fleets.judgedEnd(fleet, run);
    expect(kills).toBe(2);
    expect(fleet.member('reviewer-1').lives).toBe(3);
    expect([...verdicts.values()]).toEqual([3]);
    const started = readLog(fleet.scenario.state, 'reviewer-1').filter(({ msg }) => msg === 'review started');
    // Again after the first death if it had begun, never after the second: the verdict was there.
    expect(started.length).toBeLessThanOrEqual(2);
    expect(started.at(-1)).toMatchObject({ run, task: 'a', attempt: 1 });
    const completed = readLog(fleet.scenario.state, 'reviewer-1').filter(
      ({ msg }) => msg === 'review completed',
    );
    expect(completed).toHaveLength(1);
    expect(executions(fleet)).toEqual({ a: 1 });
  });
});
