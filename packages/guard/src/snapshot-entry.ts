import { textOf, type RecordPlace } from './listing-record.ts';
import type { EntryKind } from './tree-walk.ts';

export interface SnapshotEntry {
  /** Everything below but the target, in one text: equal texts are equal entries. */
  readonly facts: string;
  readonly kind: EntryKind;
  readonly inode: number;
  readonly size: number;
  /** Seconds with fractions, as text: they are only compared. */
  readonly modified: string;
  readonly changed: string;
  /** Permission bits. */
  readonly mode: number;
  readonly links: number;
  /** Of a link: where it leads. */
  readonly target: string | undefined;
  /** A file with one name and no set-id bits. */
  readonly isPlain: boolean;
}

/** How the facts of a plain file begin. */
const plainFacts = /^f 0?[0-7]{1,3} 1 /;

export const kinds: Readonly<Record<string, EntryKind>> = { f: 'file', d: 'folder', l: 'link' };

/** Takes its facts apart only when somebody asks: nearly all entries are compared as they are. */
export class Entry implements SnapshotEntry {
  readonly facts: string;
  readonly target: string | undefined;
  readonly isPlain: boolean;

  constructor(facts: string, target: string | undefined) {
    this.facts = facts;
    this.target = target;
    this.isPlain = plainFacts.test(facts);
  }
  get kind(): EntryKind {
    return kinds[this.facts.charAt(0)] ?? 'other';
  }
  get mode(): number {
    return parseInt(this.field(1), 8);
  }
  get links(): number {
    return Number(this.field(2));
  }
  get inode(): number {
    return Number(this.field(3));
  }
  get size(): number {
    return Number(this.field(4));
  }
  get modified(): string {
    return this.field(5);
  }
  get changed(): string {
    return this.field(6);
  }
  private field(index: number): string {
    return this.facts.split(' ')[index] ?? '';
  }
}

/** The entry that a record of a listing is. */
export function entryAt(bytes: Buffer, { at, factsEnd, pathEnd, end }: RecordPlace): SnapshotEntry {
  const facts = bytes.toString('latin1', at, factsEnd);
  return new Entry(facts, facts.startsWith('l') ? textOf(bytes.subarray(pathEnd + 1, end - 1)) : undefined);
}
