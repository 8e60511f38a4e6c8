/**
 * What is not the same in two listings of a tree. They are compared as bytes: what is alike is never taken apart.
 *
 * Two cursors go down the listings, each at the beginning of a record. Where the bytes part, records of the same path
 * are a pair; else what stands before the next path that both have is put aside. At the end what was put aside of the
 * two is paired by path, so that the order in which a tree is listed says nothing. Each step costs as much as it
 * goes forward in one of the two, or twice that: the whole is linear, however little they have in common.
 */
import { pathKey, pathOf, recordAt, recordsIn, recordStart, type RecordPlace } from './listing-record.ts';
import { entryAt, type SnapshotEntry } from './snapshot-entry.ts';

/** An entry that is not as it was: made where there is none before, removed where there is none now. */
export interface Difference {
  readonly path: string;
  readonly was: SnapshotEntry | undefined;
  readonly now: SnapshotEntry | undefined;
}

/** In the order of the listings, more or less. A path that one of them has twice may be told twice. */
export function differencesOf(before: Buffer, after: Buffer): Difference[] {
  const found: Difference[] = [];
  const aside: [number[], number[]] = [[], []];
  for (let a = 0, b = 0; a < before.length || b < after.length;) {
    [a, b] = skipEqual([before, a], [after, b]);
    const [nextA, nextB] = nextInBoth([before, a], [after, b]);
    for (const at of recordsIn(before, a, nextA)) aside[0].push(at);
    for (const at of recordsIn(after, b, nextB)) aside[1].push(at);
    if (nextA === before.length) break;
    const was = recordAt(before, nextA);
    const now = recordAt(after, nextB);
    if (!isSame([before, was], [after, now])) found.push(changed([before, was], [after, now]));
    [a, b] = [was.end, now.end];
  }
  return [...found, ...pairs([before, aside[0]], [after, aside[1]])];
}

type Cursor = readonly [bytes: Buffer, at: number];
type Place = readonly [bytes: Buffer, record: RecordPlace];

/** Large ones first: each comparison costs as much as some hundred bytes. */
const blockBytes = [65_536, 1_024];

/** Goes on to the records in which the first byte is that differs, or to the end of one of the listings. */
function skipEqual([before, a]: Cursor, [after, b]: Cursor): [number, number] {
  const most = Math.min(before.length - a, after.length - b);
  let same = 0;
  for (const bytes of blockBytes)
    while (same + bytes <= most && isEqual([before, a + same], [after, b + same], bytes)) same += bytes;
  while (same < most && before[a + same] === after[b + same]) same += 1;
  // A listing that ends here has no record that the end lies in: the other one tells where its last record ended.
  const start =
    b + same < after.length ? recordStart(after, b + same) - b : recordStart(before, a + same) - a;
  return [a + start, b + start];
}

function isEqual([before, a]: Cursor, [after, b]: Cursor, length: number): boolean {
  return before.compare(after, b, b + length, a, a + length) === 0;
}

function isSame([before, was]: Place, [after, now]: Place): boolean {
  const length = was.end - was.at;
  return length === now.end - now.at && isEqual([before, was.at], [after, now.at], length);
}

/** The nearest records of the same path; where there are none, both ends. */
function nextInBoth([before, a]: Cursor, [after, b]: Cursor): [number, number] {
  const seenBefore = new Map<string, number>();
  const seenAfter = new Map<string, number>();
  while (a < before.length || b < after.length) {
    if (a < before.length) {
      const record = recordAt(before, a);
      const path = pathKey(before, record);
      const met = seenAfter.get(path);
      if (met !== undefined) return [a, met];
      if (!seenBefore.has(path)) seenBefore.set(path, a);
      a = record.end;
    }
    if (b < after.length) {
      const record = recordAt(after, b);
      const path = pathKey(after, record);
      const met = seenBefore.get(path);
      if (met !== undefined) return [met, b];
      if (!seenAfter.has(path)) seenAfter.set(path, b);
      b = record.end;
    }
  }
  return [before.length, after.length];
}

/** What was put aside, by path: in both and not the same, only after, only before. */
function pairs(
  [before, olds]: readonly [Buffer, readonly number[]],
  [after, news]: readonly [Buffer, readonly number[]],
): Difference[] {
  const found: Difference[] = [];
  const known = new Map(
    olds.map((at): [string, RecordPlace] => {
      const record = recordAt(before, at);
      return [pathKey(before, record), record];
    }),
  );
  const removed = new Map(known);
  for (const at of news) {
    const now = recordAt(after, at);
    const path = pathKey(after, now);
    const was = known.get(path);
    removed.delete(path);
    if (was === undefined) found.push({ path: pathOf(after, now), was: undefined, now: entryAt(after, now) });
    else if (!isSame([before, was], [after, now])) found.push(changed([before, was], [after, now]));
  }
  for (const was of removed.values())
    found.push({ path: pathOf(before, was), was: entryAt(before, was), now: undefined });
  return found;
}

function changed([before, was]: Place, [after, now]: Place): Difference {
  return { path: pathOf(after, now), was: entryAt(before, was), now: entryAt(after, now) };
}
