import { batchChecksum } from './checksum.ts';
import type { EncodedFact } from './group-commit.ts';
import type { StoredFact } from './journal.ts';

/** A row of `batches`, raw: facts of one stream and moment that stand one behind the other. */
export type BatchRow = [
  first: number,
  last: number,
  stream: string,
  at: number,
  data: string,
  checksum: number,
];

/** The columns of a row, in its order. */
export const batchColumns = 'first, last, stream, at, data, checksum';

/** More facts, or more characters of them, go into the next row: reading one is never more than a moment's work. */
const batchFacts = 1_000;
const batchCharacters = 1024 * 1024;

/** The rows of facts whose first has the number `first`. */
export function batchesOf(first: number, facts: readonly EncodedFact[]): BatchRow[] {
  const rows: BatchRow[] = [];
  let parts: string[] = [];
  let characters = 0;
  facts.forEach((fact, place) => {
    const part = `[${JSON.stringify(fact.kind)},${fact.version},${fact.data}]`;
    parts.push(part);
    characters += part.length;
    const next = facts[place + 1];
    const goesOn = next !== undefined && next.stream === fact.stream && next.at === fact.at;
    if (goesOn && parts.length < batchFacts && characters < batchCharacters) return;
    const last = first + place;
    const row = { first: last - parts.length + 1, last, stream: fact.stream, at: fact.at };
    const data = `[${parts.join()}]`;
    rows.push([row.first, last, row.stream, row.at, data, batchChecksum(row, data)]);
    parts = [];
    characters = 0;
  });
  return rows;
}

/** Whether a row is as it was written. */
export function isSoundBatch([first, last, stream, at, data, checksum]: BatchRow): boolean {
  return batchChecksum({ first, last, stream, at }, data) === checksum;
}

/** The facts of a sound row. */
export function factsOfBatch([first, , stream, at, data]: BatchRow): StoredFact[] {
  const list = JSON.parse(data) as [kind: string, version: number, data: unknown][];
  return list.map(([kind, version, value], place) => ({
    seq: first + place,
    stream,
    at,
    kind,
    version,
    data: value,
  }));
}

/** What people are told of a row that is not as it was written. `of`: what else names it. */
export function mismatchText([first, last]: BatchRow, of = ''): string {
  return first === last
    ? `fact ${first}${of} does not match its checksum`
    : `facts ${first} to ${last}${of} do not match their checksum`;
}
