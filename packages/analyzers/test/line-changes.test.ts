import fc from 'fast-check';
import { changedLineRanges } from '@switchyard/analyzers';
import { describe, expect, it } from 'vitest';

/** Length of the longest common subsequence, by the textbook's table. */
function common(old: readonly string[], now: readonly string[]): number {
  let row = Array.from({ length: now.length + 1 }, () => 0);
  for (const left of old) {
    const next = [0];
    for (const [index, right] of now.entries())
      next.push(left === right ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0));
    row = next;
  }
  return row.at(-1) ?? 0;
}

describe('the lines that changed', () => {
  it.each([
    ['a\nb\nc\n', 'a\nb\nc\n', []],
    ['a\nb\nc\n', 'a\nx\nc\n', [[2, 2]]],
    ['a\nc\n', 'a\nb\nb2\nc\n', [[2, 3]]],
    ['a\nb\nc\n', 'a\nc\n', []],
    ['', 'a\nb\n', [[1, 2]]],
    ['a\r\nb\r\n', 'a\nb\n', []],
    ['a\nb\n', 'b\na\n', [[2, 2]]],
    ['x\n', '', []],
  ])('%j → %j', (before, after, ranges) => {
    expect(changedLineRanges(before, after)).toEqual(ranges);
  });

  it('are as few as can be, and the others stand in the old text in the same order', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });
    fc.assert(
      fc.property(text, text, (old, now) => {
        const ranges = changedLineRanges(
          old.map((line) => `${line}\n`).join(''),
          now.map((line) => `${line}\n`).join(''),
        );
        const changed = new Set(
          ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at)),
        );
        const kept = now.filter((_, index) => !changed.has(index + 1));
        let at = 0;
        for (const line of old) if (line === kept[at]) at += 1;
        expect(at).toBe(kept.length);
        expect(kept.length).toBe(common(old, now));
      }),
    );
  });

  it('are the whole middle where all of a huge text differs', () => {
    const many = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word}${index}\n`).join('');
    expect(changedLineRanges(`same\n${many('a')}end\n`, `same\n${many('b')}end\n`)).toEqual([[2, 20_001]]);
  });
});
