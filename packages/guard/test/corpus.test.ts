import { describe, expect, it } from 'vitest';
import { corpus } from './corpus/corpus.ts';
import { play } from './corpus/play.ts';

for (const [category, rows] of Object.entries(corpus))
  describe(category, () => {
    it.each(rows.map((row) => [row.title, row] as const))('%s', async (_, row) => {
      expect(await play(row)).toEqual([]);
    });
  });
