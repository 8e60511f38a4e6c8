/** Takes the output of `find` apart as it comes: three fields an entry, each with a NUL behind it. */
import { isUtf8 } from 'node:buffer';
import { Entry, type SnapshotEntry } from './snapshot-entry.ts';

export type Entries = ReadonlyMap<string, SnapshotEntry>;

/** `isKnown`: the entry is as it was before, and the very one of there. */
type Take = (path: string, entry: SnapshotEntry, isKnown: boolean) => void;

export class EntryReader {
  readonly #since: Entries;
  readonly #take: Take;
  /** Of a field that is not whole yet. */
  #bytes: Buffer = Buffer.alloc(0);
  /** Fields of an entry that is not whole yet. */
  #fields = '';

  constructor(since: Entries, take: Take) {
    this.#since = since;
    this.#take = take;
  }

  read(chunk: Buffer): void {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const end = bytes.lastIndexOf(0) + 1;
    this.#bytes = bytes.subarray(end);
    const text = this.#fields + textOf(bytes.subarray(0, end));
    this.#fields = text.slice(this.#takeAll(text));
  }

  /** Takes the whole entries of a text; answers where the rest begins. */
  #takeAll(text: string): number {
    for (let at = 0; ;) {
      const factsEnd = text.indexOf('\0', at);
      const pathEnd = factsEnd < 0 ? -1 : text.indexOf('\0', factsEnd + 1);
      const end = pathEnd < 0 ? -1 : text.indexOf('\0', pathEnd + 1);
      if (end < 0) return at;
      this.#found(text, { at, factsEnd, pathEnd, end });
      at = end + 1;
    }
  }

  /** Nothing is cut out of the text for an entry that is as it was, but its path. */
  #found(text: string, { at, factsEnd, pathEnd, end }: Fields): void {
    const path = text.slice(factsEnd + 1 + './'.length, pathEnd);
    const target = text.startsWith('l', at) ? text.slice(pathEnd + 1, end) : undefined;
    const known = this.#since.get(path);
    if (
      known !== undefined &&
      known.facts.length === factsEnd - at &&
      text.startsWith(known.facts, at) &&
      known.target === target
    )
      this.#take(path, known, true);
    else this.#take(path, new Entry(text.slice(at, factsEnd), target), false);
  }
}

/** Where the fields of an entry begin and end in a text. */
interface Fields {
  readonly at: number;
  readonly factsEnd: number;
  readonly pathEnd: number;
  readonly end: number;
}

/** Names need not be UTF-8: bytes that are not are kept apart as `\\xff`, so that no two names become one. */
function textOf(output: Buffer): string {
  if (isUtf8(output)) return output.toString('utf8');
  const fields: string[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0, at);
    const field = output.subarray(at, end);
    fields.push(isUtf8(field) ? field.toString('utf8') : escapeBytes(field));
    at = end + 1;
  }
  return `${fields.join('\0')}\0`;
}

function escapeBytes(name: Buffer): string {
  return name.toString('latin1').replace(/[\x80-\xff]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
}
