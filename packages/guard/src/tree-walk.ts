/** Going through a tree by descriptors: no link is ever followed, and no rename leads out of the pinned start. */
import { closeSync, constants, fstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { O_PATH } from './descriptor.ts';
import { errnoOf } from './guard-error.ts';

export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface TreeEntry {
  /** Below the start. */
  readonly relative: string;
  readonly kind: EntryKind;
  readonly stat: Stats;
  /** O_PATH descriptor, open during the visit only. */
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
export function walkTree(start: number, options: WalkOptions): void {
  walkFolder(start, '', { ...options, depth: 0 });
}

function walkFolder(
  folder: number,
  prefix: string,
  options: WalkOptions & { readonly depth: number },
): boolean {
  for (const name of namesIn(folder)) {
    const descriptor = openEntry(folder, name);
    if (descriptor === undefined) continue;
    try {
      const stat = fstatSync(descriptor);
      const relative = prefix === '' ? name : `${prefix}/${name}`;
      const answer = options.visit({ relative, kind: kindOf(stat), stat, descriptor });
      if (answer === 'stop') return false;
      const enter = answer && options.recursive && stat.isDirectory() && options.depth < depthMax;
      if (enter && !walkFolder(descriptor, relative, { ...options, depth: options.depth + 1 })) return false;
    } finally {
      closeSync(descriptor);
    }
  }
  return true;
}

function namesIn(folder: number): string[] {
  try {
    return readdirSync(`/proc/self/fd/${folder}`).sort();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return []; // removed meanwhile, or not ours to read
  }
}

function openEntry(folder: number, name: string): number | undefined {
  try {
    return openSync(`/proc/self/fd/${folder}/${name}`, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined; // removed meanwhile
  }
}

export function kindOf(stat: Stats): EntryKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  return stat.isSymbolicLink() ? 'link' : 'other';
}
