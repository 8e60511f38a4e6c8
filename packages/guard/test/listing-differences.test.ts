import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Snapshot } from '@switchyard/guard';
import { differencesOf } from '../src/listing-differences.ts';
import { recordAt, recordsIn, recordStart } from '../src/listing-record.ts';

/** Bytes of a field: none is NUL. */
interface Row {
  readonly facts: string;
  readonly path: Buffer;
  readonly target: string;
}

const rowBytes = ({ facts, path, target }: Row): Buffer =>
  Buffer.concat([Buffer.from(`${facts}\0./`), path, Buffer.from(`\0${target}\0`)]);
const listingOf = (rows: readonly Row[]): Buffer => Buffer.concat(rows.map(rowBytes));

/** Names of any bytes, short so that many meet, some of which only look like other fields. */
const name = fc.oneof(
  fc
    .constantFrom('a', 'b', 'c/d', 'f 644 1', './x', 'l 777 1', 'd', '.', 'ü')
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 2 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 1))),
);
const facts = fc.constantFrom(
  'f 644 1 7 0 1.5 2.5',
  'f 755 1 7 0 1.5 2.5',
  'd 755 2 8 0 1.5 2.5',
  'f 644 1 7 00',
);
const linkFacts = fc.constantFrom('l 777 1 9 1 1.5 2.5', 'l 777 1 9 1 1.5 2.6');
const target = fc.constantFrom('', './x', './a', 'f 644 1 7 0 1.5 2.5', 'l 777 1', 'd ', '..', 'a');
const row: fc.Arbitrary<Row> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ facts, path: name, target: fc.constant('') }) },
  { weight: 1, arbitrary: fc.record({ facts: linkFacts, path: name, target }) },
);
const rows = fc.uniqueArray(row, { maxLength: 40, selector: ({ path }) => path.toString('latin1') });

/** What happens to a listing between two looks: rows change, come, go and are told in another order. */
const pair = rows.chain((before) =>
  fc
    .record({
      kept: fc.shuffledSubarray(before),
      isInOrder: fc.boolean(),
      made: rows,
      places: fc.array(fc.nat(40), { minLength: 40, maxLength: 40 }),
    })
    .map(({ kept, isInOrder, made, places }) => {
      const after = isInOrder ? before.filter((each) => kept.includes(each)) : [...kept];
      for (const [index, each] of made.entries()) {
        const same = after.findIndex(({ path }) => path.equals(each.path));
        if (same >= 0) after[same] = each;
        else after.splice(places[index] ?? 0, 0, each);
      }
      return { before, after };
    }),
);

const textOf = (each: Row | undefined): string | undefined => each && rowBytes(each).toString('latin1');

/** The plain way: by a map of each. */
function expected(before: readonly Row[], after: readonly Row[]): string[] {
  const byPath = (all: readonly Row[]): Map<string, Row> =>
    new Map(all.map((each) => [each.path.toString('latin1'), each]));
  const [olds, news] = [byPath(before), byPath(after)];
  return [...new Set([...olds.keys(), ...news.keys()])]
    .filter((path) => textOf(olds.get(path)) !== textOf(news.get(path)))
    .map((path) => `${olds.get(path)?.facts} ${news.get(path)?.facts}`)
    .sort();
}

const found = (before: readonly Row[], after: readonly Row[]): string[] =>
  differencesOf(listingOf(before), listingOf(after))
    .map(({ was, now }) => `${was?.facts} ${now?.facts}`)
    .sort();

describe('the differences of two listings', () => {
  it('are those of their maps, whatever the order, the names and the targets', () => {
    fc.assert(
      fc.property(pair, ({ before, after }) => {
        expect(found(before, after)).toEqual(expected(before, after));
      }),
      { numRuns: 1000 },
    );
  });

  it('are none between a listing and the same in another order', () => {
    fc.assert(
      fc.property(
        rows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([before, after]) => {
          expect(found(before, after)).toEqual([]);
        },
      ),
    );
  });

  it('have what is told twice at least once', () => {
    const [was, now] = ['f 644 1 7 0 1 1', 'f 755 1 7 0 1 1'].map((each) => ({
      facts: each,
      path: Buffer.from('a'),
      target: '',
    }));
    if (was === undefined || now === undefined) throw new Error('no rows');
    const other = { ...was, path: Buffer.from('b') };
    for (const after of [
      [was, now],
      [now, was],
      [was, other, now],
      [now, other, was],
      [now, now],
    ])
      expect(differencesOf(listingOf([was, other]), listingOf(after)).map(({ path }) => path)).toContain('a');
  });

  it('are found beyond many equal blocks, at both ends, and in the last byte', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({
      facts: 'f 644 1 7 0 1.5 2.5',
      path: Buffer.from(`folder/file${index}`),
      target: '',
    }));
    for (const index of [0, 1, 2499, 4998, 4999]) {
      const after = many.with(index, {
        facts: 'f 644 1 7 0 1.5 2.6',
        path: Buffer.from(`folder/file${index}`),
        target: '',
      });
      expect(differencesOf(listingOf(many), listingOf(after)).map(({ path }) => path)).toEqual([
        `folder/file${index}`,
      ]);
      const without = many.toSpliced(index, 1);
      expect(differencesOf(listingOf(many), listingOf(without))).toMatchObject([
        { path: `folder/file${index}`, now: undefined },
      ]);
      expect(differencesOf(listingOf(without), listingOf(many))).toMatchObject([
        { path: `folder/file${index}`, was: undefined },
      ]);
    }
  });

  it('take as long as the listings are, though they have nothing in common', () => {
    const named = (word: string, count: number): Buffer =>
      listingOf(
        Array.from({ length: count }, (_, index) => ({
          facts: 'f 644 1 7 0 1.5 2.5',
          path: Buffer.from(`${word}${index}`),
          target: '',
        })),
      );
    const reversed = (bytes: Buffer): Buffer =>
      Buffer.concat(
        [...recordsIn(bytes, 0, bytes.length)]
          .reverse()
          .map((at) => bytes.subarray(at, recordAt(bytes, at).end)),
      );
    const [a, b] = [named('a', 50_000), named('b', 50_000)];
    const startedAt = performance.now();
    expect(differencesOf(a, b)).toHaveLength(100_000);
    expect(differencesOf(a, reversed(a))).toEqual([]);
    // A hundred times as long as it may take: one that is quadratic takes minutes.
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  }, 120_000);
});

describe('a record', () => {
  it('is found from any offset, whatever it holds', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const bytes = listingOf(all);
        const starts = [...recordsIn(bytes, 0, bytes.length)];
        for (let offset = 0; offset < bytes.length; offset += 1)
          expect(recordStart(bytes, offset)).toBe(starts.findLast((start) => start <= offset));
        expect(recordStart(bytes, bytes.length)).toBe(bytes.length);
      }),
    );
  });

  it('is found by its path as in the whole, taken apart', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom('a', 'x', './x', 'c/d', 'f 644 1', '\\xff', 'none'), (all, path) => {
        const listing = listingOf(all);
        const whole = new Snapshot('/tree', listing).entries;
        const snapshot = new Snapshot('/tree', listing);
        expect(snapshot.get(path)?.facts).toBe(whole.get(path)?.facts);
        const links = [...whole].filter(([, { kind }]) => kind === 'link');
        expect([...snapshot.links]).toEqual(links);
        expect(snapshot.countFolders()).toBe(
          [...whole.values()].filter(({ kind }) => kind === 'folder').length,
        );
      }),
    );
  });
});
