/**
 * The records of a listing, as `find` prints them: `facts\0./path\0target\0`, the target empty but for links.
 *
 * A record is found from any offset: a path begins with `./`, facts never do, and behind a target come facts. So the
 * one field that does not begin with `./` and stands before one that does is the facts, whatever a target holds.
 */
import { isUtf8 } from 'node:buffer';

/** Where the fields of a record begin and end. */
export interface RecordPlace {
  readonly at: number;
  readonly factsEnd: number;
  readonly pathEnd: number;
  /** Of the next record. */
  readonly end: number;
}

/** `at`: where a record begins. */
export function recordAt(bytes: Buffer, at: number): RecordPlace {
  const factsEnd = bytes.indexOf(0, at);
  const pathEnd = bytes.indexOf(0, factsEnd + 1);
  return { at, factsEnd, pathEnd, end: bytes.indexOf(0, pathEnd + 1) + 1 };
}

/** Where the record begins that an offset lies in; behind the last record: the end. */
export function recordStart(bytes: Buffer, offset: number): number {
  if (offset >= bytes.length) return bytes.length;
  let field = fieldStart(bytes, offset);
  while (!isFacts(bytes, field)) field = fieldStart(bytes, field - 1);
  return field;
}

/** `at`: where a field begins. */
function isFacts(bytes: Buffer, at: number): boolean {
  return !isPath(bytes, at) && isPath(bytes, bytes.indexOf(0, at) + 1);
}

/** Where the field begins that an offset lies in, its NUL included. */
function fieldStart(bytes: Buffer, offset: number): number {
  return offset <= 0 ? 0 : bytes.lastIndexOf(0, offset - 1) + 1;
}

function isPath(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0x2e && bytes[at + 1] === 0x2f;
}

/** Where all records begin from one to another. */
export function* recordsIn(bytes: Buffer, from: number, to: number): Generator<number> {
  for (let at = from; at < to; at = recordAt(bytes, at).end) yield at;
}

/** Where all records begin whose facts begin with a letter, that is those of one kind. */
export function* recordsOf(bytes: Buffer, letter: string): Generator<number> {
  const facts = Buffer.from(`\0${letter} `);
  if (bytes.length > 0 && bytes[0] === facts[1]) yield 0;
  for (let at = bytes.indexOf(facts); at >= 0; at = bytes.indexOf(facts, at + 1))
    if (isFacts(bytes, at + 1)) yield at + 1;
}

/** `path`: with its `./`. Of a path that is there twice the first. */
export function findRecord(bytes: Buffer, path: string): RecordPlace | undefined {
  const field = Buffer.from(`\0${path}\0`);
  for (let at = bytes.indexOf(field); at >= 0; at = bytes.indexOf(field, at + 1)) {
    const before = fieldStart(bytes, at);
    // Else it is the target of a link that looks like the path.
    if (isFacts(bytes, before)) return recordAt(bytes, before);
  }
  return undefined;
}

/** The path without its `./`: as text. */
export function pathOf(bytes: Buffer, { factsEnd, pathEnd }: RecordPlace): string {
  return textOf(bytes.subarray(factsEnd + 1 + './'.length, pathEnd));
}

/** The path as what it is, byte for byte: equal keys are equal paths. */
export function pathKey(bytes: Buffer, { factsEnd, pathEnd }: RecordPlace): string {
  return bytes.toString('latin1', factsEnd + 1, pathEnd);
}

/** Names need not be UTF-8: bytes that are not are kept apart as `\\xff`, so that no two names become one. */
export function textOf(field: Buffer): string {
  return isUtf8(field) ? field.toString('utf8') : escapeBytes(field);
}

function escapeBytes(name: Buffer): string {
  return name.toString('latin1').replace(/[\x80-\xff]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
}
