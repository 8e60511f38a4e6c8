import { scenarioOf } from './scenario.ts';
import type { Plant } from './plants.ts';
import { play } from './simulation.ts';

/** One seed in this many is played twice, and must be the same. */
const twiceEvery = 20;

export interface Tally {
  seeds: number;
  events: number;
  virtualMs: number;
  /** The first seed that failed, and why. */
  failure?: { readonly seed: number; readonly why: string };
}

/** Plays seeds one after the other, until one fails. */
export async function playSeeds(
  seeds: Iterable<number>,
  { plant, tell }: { readonly plant?: Plant | undefined; readonly tell?: (tally: Tally) => void } = {},
): Promise<Tally> {
  const tally: Tally = { seeds: 0, events: 0, virtualMs: 0 };
  for (const seed of seeds) {
    const outcome = await play(scenarioOf(seed), { plant });
    tally.seeds += 1;
    tally.events += outcome.events;
    tally.virtualMs += outcome.virtualMs;
    const why =
      outcome.violation ?? (seed % twiceEvery === 0 ? await differs(seed, outcome.digest, plant) : undefined);
    if (why !== undefined) {
      tally.failure = { seed, why };
      return tally;
    }
    tell?.(tally);
  }
  return tally;
}

async function differs(seed: number, digest: string, plant: Plant | undefined): Promise<string | undefined> {
  const again = await play(scenarioOf(seed), { plant });
  return again.digest === digest ? undefined : '9: the same seed did not give the same trace';
}
