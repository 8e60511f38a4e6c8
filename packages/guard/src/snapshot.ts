/** What a tree holds, entry by entry, as the proof of what a command changed. */
import { findRecord, pathOf, recordAt, recordsIn, recordsOf } from './listing-record.ts';
import { entryAt, type SnapshotEntry } from './snapshot-entry.ts';

/** So many entries are looked for in the listing itself; to take all of it apart takes no longer than some more. */
const searchesMax = 32;

/**
 * A listing, and what it is asked for taken out of it: most are only ever compared with another, byte by byte, and
 * taking one apart costs as much time as making it.
 */
export class Snapshot {
  /** The kernel's name of the root. */
  readonly root: string;
  /** Records as of `listing-record.ts`. */
  readonly listing: Buffer;
  #entries: ReadonlyMap<string, SnapshotEntry> | undefined;
  #links: ReadonlyMap<string, SnapshotEntry> | undefined;
  #searches = 0;

  constructor(root: string, listing: Buffer) {
    this.root = root;
    this.listing = listing;
  }

  /** All by their paths, which are relative to the root. The first time it takes the whole listing apart. */
  get entries(): ReadonlyMap<string, SnapshotEntry> {
    this.#entries ??= this.#take(recordsIn(this.listing, 0, this.listing.length));
    return this.#entries;
  }

  /** The symbolic links among the entries. */
  get links(): ReadonlyMap<string, SnapshotEntry> {
    this.#links ??= this.#take(recordsOf(this.listing, 'l'));
    return this.#links;
  }

  countFolders(): number {
    return [...recordsOf(this.listing, 'd')].length;
  }

  /** One entry, without taking all apart as long as few are asked for. */
  get(path: string): SnapshotEntry | undefined {
    // A path with an escape in it is not what the listing has.
    if (this.#entries !== undefined || path.includes('\\x') || this.#searches >= searchesMax)
      return this.entries.get(path);
    this.#searches += 1;
    const record = findRecord(this.listing, `./${path}`);
    return record && entryAt(this.listing, record);
  }

  #take(records: Iterable<number>): Map<string, SnapshotEntry> {
    const entries = new Map<string, SnapshotEntry>();
    for (const at of records) {
      const record = recordAt(this.listing, at);
      entries.set(pathOf(this.listing, record), entryAt(this.listing, record));
    }
    return entries;
  }
}
