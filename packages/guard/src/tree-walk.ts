/** Going through a tree by descriptors: no link is ever followed, and no rename leads out of the pinned start. */
import { closeSync, constants, fstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { O_PATH, pathOf } from './descriptor.ts';
import { errnoOf } from './guard-error.ts';

export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface TreeEntry {
  /** Below the start. */
  readonly relative: string;
  readonly kind: EntryKind;
  readonly stat: Stats;
  /** O_PATH descriptor, open until the walk goes on. */
  readonly descriptor: number;
}

export interface WalkOptions {
  readonly recursive: boolean;
  /** Called for each entry, folders before what is in them; false: do not go into it, 'stop': enough. */
  readonly visit: (entry: TreeEntry) => boolean | 'stop';
}

/** Deeper folders are not entered: each level holds a descriptor. */
const depthMax = 512;

/** Visits what is below a pinned folder, names in order. What vanishes meanwhile is left out. */
export function walkTree(start: number, { recursive, visit }: WalkOptions): void {
  const entries = entriesBelow(start);
  for (let next = entries.next(); next.done !== true;) {
    const answer = visit(next.value);
    if (answer === 'stop') break;
    next = entries.next(answer && recursive);
  }
  entries.return(undefined);
}

/** The same step by step; what is given back says whether to go into a folder. To be ended by `return`. */
export function* entriesBelow(start: number): Generator<TreeEntry, undefined, boolean> {
  yield* entriesIn(start, '', 0);
}

function* entriesIn(folder: number, prefix: string, depth: number): Generator<TreeEntry, undefined, boolean> {
  for (const name of namesIn(folder)) {
    const descriptor = openEntry(folder, name);
    if (descriptor === undefined) continue;
    try {
      const stat = fstatSync(descriptor);
      const relative = prefix === '' ? name : `${prefix}/${name}`;
      const enter = yield { relative, kind: kindOf(stat), stat, descriptor };
      if (enter && stat.isDirectory() && depth < depthMax) yield* entriesIn(descriptor, relative, depth + 1);
    } finally {
      closeSync(descriptor);
    }
  }
}

/** What a folder or file answers that is gone meanwhile, or not ours to read; anything else is no answer. */
const passedOver = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE']);

/** Whether an error only says that something is not there any more, or not ours to read. */
export function isPassedOver(error: unknown): boolean {
  return passedOver.has(errnoOf(error) ?? '');
}

function namesIn(folder: number): string[] {
  try {
    return readdirSync(pathOf(folder)).sort();
  } catch (error) {
    if (!isPassedOver(error)) throw error;
    return [];
  }
}

/** One name in a pinned folder, a link itself; undefined when it is gone. */
export function openEntry(folder: number, name: string): number | undefined {
  try {
    return openSync(`${pathOf(folder)}/${name}`, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (!isPassedOver(error)) throw error;
    return undefined;
  }
}

export function kindOf(stat: Stats): EntryKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  return stat.isSymbolicLink() ? 'link' : 'other';
}
