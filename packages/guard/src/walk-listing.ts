/** The listing of a tree where there is no GNU `find`: the same records, entry by entry. */
import { readlinkSync } from 'node:fs';
import type { TreeSearch } from './find-listing.ts';
import { kinds } from './snapshot-entry.ts';
import { walkTree, type EntryKind, type TreeEntry } from './tree-walk.ts';

export function walkListing({ descriptor, exclude }: TreeSearch): Buffer {
  const records: string[] = [];
  walkTree(descriptor, {
    recursive: true,
    visit: (entry) => {
      if (exclude.has(entry.relative)) return false;
      const target = entry.kind === 'link' ? readLink(descriptor, entry.relative) : '';
      records.push(`${factsOf(entry)}\0./${entry.relative}\0${target}\0`);
      return true;
    },
  });
  return Buffer.from(records.join(''));
}

function factsOf({ kind, stat }: TreeEntry): string {
  const mode = (stat.mode & 0o7777).toString(8);
  const times = `${stat.mtimeMs / 1000} ${stat.ctimeMs / 1000}`;
  return `${letterOf(kind)} ${mode} ${stat.nlink} ${stat.ino} ${stat.size} ${times}`;
}

function letterOf(kind: EntryKind): string {
  return Object.entries(kinds).find(([, known]) => known === kind)?.[0] ?? 's';
}

function readLink(root: number, relative: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${root}/${relative}`);
  } catch {
    return ''; // replaced meanwhile: the next snapshot sees it
  }
}
