import { silentLogger } from '@switchyard/runtime';
import { openMemoryJournal, openMemoryShelf } from '@switchyard/store';
import { settle } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historiesText } from './history-text.ts';
import { Keeping } from './keeping.ts';

type Act = 'decide' | 'commit' | 'step' | 'restart' | 'close';

const often: readonly Act[] = ['decide', 'decide', 'decide', 'commit', 'commit', 'step', 'step', 'step'];
const acts = fc.record({
  act: fc.constantFrom<Act[]>(...often, 'restart', 'close'),
  choice: fc.nat(10),
});

/** What is warned of; nothing may be where nothing is wrong. */
const warnings: object[] = [];
const logger = Object.assign(silentLogger(), { warn: (fields: object) => warnings.push(fields) });

async function keeping(seed: number, runs: number): Promise<Keeping> {
  const inner = openMemoryJournal();
  let last = 0;
  const journal = {
    ...inner,
    append: async (...args: Parameters<typeof inner.append>) => (last = await inner.append(...args)),
    read: (options?: Parameters<typeof inner.read>[0]) => inner.read(options),
  };
  const shelf = openMemoryShelf(() => last);
  const made = new Keeping({ journal, shelf, seed, runs, tasks: 12, logger });
  await settle();
  return made;
}

describe('snapshots, kept at any moment while runs go on', () => {
  it('give with the facts after them what all facts give', async () => {
    let fromSnapshots = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(100_000),
        fc.integer({ min: 1, max: 3 }),
        fc.array(acts, { minLength: 30, maxLength: 150, size: 'max' }),
        async (seed, runs, story) => {
          const world = await keeping(seed, runs);
          for (const { act, choice } of story) {
            if (act === 'decide') world.decide(choice);
            else if (act === 'commit') await world.commit(choice);
            else if (act === 'step') world.chore.step(choice === 0);
            else if (act === 'close') await world.chore.finish();
            else await world.restart();
            if (choice === 1) await settle();
          }
          const recovered = world.recovered();
          const folded = world.folded();
          expect(historiesText(recovered.histories)).toBe(historiesText(folded.histories));
          expect(recovered.seq).toBe(folded.seq);
          expect(warnings).toEqual([]);
          if (recovered.heads.length > 0) fromSnapshots += 1;
        },
      ),
      { numRuns: 60 },
    );
    expect(fromSnapshots).toBeGreaterThan(30);
  });

  it('leave nothing to fold when the process ends as it should', async () => {
    const world = await keeping(7, 2);
    while (!world.ended) {
      for (const choice of [0, 1]) {
        world.decide(choice);
        await world.commit(choice);
        world.chore.step(false);
      }
    }
    await world.chore.finish();
    const recovered = world.recovered();
    expect(recovered.folded).toBe(0);
    expect(historiesText(recovered.histories)).toBe(historiesText(world.folded().histories));
  });
});
