import type { StoredFact } from '@switchyard/store';
import { describe, expect, it } from 'vitest';
import { scenarioOf, type Scenario, type Version } from './scenario.ts';
import { playSeeds } from './seeds.ts';
import { failureText, shrink } from './shrink.ts';
import type { Plant } from './plants.ts';
import { play, Simulation } from './simulation.ts';
import { numberOf } from './violation.ts';

const fixed = Array.from({ length: 60 }, (_, index) => index + 1);

describe('the simulation', () => {
  it('finds nothing in a fixed set of seeds', async () => {
    const { failure, seeds } = await playSeeds(fixed);
    expect(failure).toBeUndefined();
    expect(seeds).toBe(fixed.length);
  });

  it('gives the same trace for the same seed, and another for another', async () => {
    const [one, again, other] = [
      await play(scenarioOf(3)),
      await play(scenarioOf(3)),
      await play(scenarioOf(4)),
    ];
    expect(again).toEqual(one);
    expect(other.digest).not.toBe(one.digest);
  });
});

/** Seeds that found each planted bug, and the invariant it breaks. */
const found: readonly { readonly plant: Plant; readonly seed: number; readonly breaks: string }[] = [
  { plant: 'acknowledge-before-journal', seed: 1, breaks: '1' },
  { plant: 'no-fence-check', seed: 16, breaks: '3' },
  { plant: 'outbox-cleared-on-send', seed: 77, breaks: '1' },
  { plant: 'lost-wake-up', seed: 1, breaks: '8' },
  { plant: 'careless-merge', seed: 1, breaks: '11' },
  { plant: 'no-owner-check', seed: 3, breaks: '3' },
];

describe('the tester', () => {
  it.each(found)('finds $plant', async ({ plant, seed, breaks }) => {
    expect(numberOf((await play(scenarioOf(seed), { plant })).violation)).toBe(breaks);
    expect((await play(scenarioOf(seed))).violation).toBeUndefined();
  });

  it('tells a failure with its seed and the fewest faults that still break it', async () => {
    const [plant, seed] = ['no-owner-check', 3] as const;
    const shrunk = await shrink(scenarioOf(seed), plant);
    expect(numberOf(shrunk.outcome.violation)).toBe('3');
    expect(shrunk.scenario.faults.length).toBeLessThan(scenarioOf(seed).faults.length);
    const text = await failureText(shrunk, plant);
    expect(text).toContain(`seed ${seed} breaks invariant 3: `);
    expect(text.match(/fault: /g)).toHaveLength(shrunk.scenario.faults.length);
  });
});

/** A seed's plan and peers, whose main loops stand still for longer than a lease and its grace, and nothing else. */
function heldUp(seed: number, version: Version): Scenario {
  const scenario = scenarioOf(seed);
  const peers = [...scenario.workers, ...scenario.reviewers];
  const faults = peers.flatMap(({ name: target }, index) =>
    [2_000, 60_000].map((atMs) => ({
      atMs: atMs + 500 * index,
      kind: 'held-up' as const,
      target,
      forMs: 45_000,
    })),
  );
  const workers = scenario.workers.map((shape) => ({ ...shape, version }));
  const reviewers = scenario.reviewers.map((shape) => ({ ...shape, version }));
  return {
    ...scenario,
    workers,
    reviewers,
    faults,
    acts: [],
    heartbeatMs: 1_000,
    graceMs: 12_000,
    hungMs: 120_000,
  };
}

/** What was assigned and not accepted in time goes to another; nobody had begun with it. */
function isLossOfWork({ kind, data }: StoredFact): boolean {
  return kind === 'attempt-lost' && !JSON.stringify(data).includes('did not accept the assignment');
}

describe('peers whose main loops stand still for work of their own', () => {
  const seeds = Array.from({ length: 10 }, (_, index) => index + 1);
  const losses = async (version: Version): Promise<number> => {
    let count = 0;
    for (const seed of seeds) {
      const simulation = new Simulation(heldUp(seed, version));
      expect((await simulation.play()).violation).toBeUndefined();
      count += simulation.journal.durable.filter(isLossOfWork).length;
    }
    return count;
  };

  it('lose nothing while their threads say that they live', async () => {
    expect(await losses('same')).toBe(0);
  });

  it('lose attempts where they are of a version that has no such thread', async () => {
    expect(await losses('older')).toBeGreaterThan(0);
  });
});
