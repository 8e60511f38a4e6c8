import { expect, test } from 'vitest';
import { scoreOf } from './compare-review.ts';
import { labelledPairs } from './labelled-pairs.ts';
import type { Side } from './review-sides.ts';

test('the labelled pairs are at least 150, over all specializations, each with an id of its own', () => {
  const pairs = labelledPairs();
  expect(pairs.length).toBeGreaterThanOrEqual(150);
  expect(new Set(pairs.map(({ specialization }) => specialization)).size).toBe(7);
  expect(new Set(pairs.map(({ id, specialization }) => `${specialization} ${id}`)).size).toBe(pairs.length);
  expect(pairs.filter(({ flawed, good }) => flawed === good)).toEqual([]);
});

test('recall is over flaws, precision over what was spoken on', () => {
  const side = (isFlawed: boolean): Side => ({ isFlawed }) as Side;
  const sides = [side(true), side(true), side(true), side(true), side(false), side(false)];
  const spoken = new Set([sides[0], sides[1], sides[2], sides[5]].filter((one) => one !== undefined));
  expect(scoreOf(spoken, sides)).toEqual({ precision: 0.75, recall: 0.75, found: 3, false: 1 });
  expect(scoreOf(new Set(), sides)).toMatchObject({ precision: 1, recall: 0 });
});
