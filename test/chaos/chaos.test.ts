import { describe, expect, it } from 'vitest';
import { faultText, planFaults } from './faults.ts';
import { playRounds } from './rounds.ts';

describe('chaos with real processes', () => {
  it('three rounds of twelve tasks end as the undisturbed run, whatever is killed, paused or cut', async () => {
    const said: string[] = [];
    const results = await playRounds({
      rounds: 3,
      tasks: 12,
      faults: 3,
      seed: 7,
      convergeMs: 10 * 60_000,
      say: (line) => said.push(line),
    });
    expect(
      results.flatMap(({ violations }) => violations),
      said.join('\n'),
    ).toEqual([]);
    expect(results.every(({ faults }) => faults.length > 0)).toBe(true);
  }, 2_400_000);

  it('the same seed gives the same faults in the same order, however fast the machine is', () => {
    const texts = (seed: number, readyMs: number): string[] =>
      planFaults(seed, 20, readyMs).map(({ fault }) => faultText(fault));
    expect(texts(7, 1_000)).toEqual(texts(7, 9_000));
    expect(texts(7, 1_000)).not.toEqual(texts(8, 1_000));
  });

  it('leaves everything alone for five times the readiness between two faults', () => {
    for (const { afterMs } of planFaults(3, 50, 1_300)) expect(afterMs).toBeGreaterThanOrEqual(5 * 1_300);
  });
});
