/** What a tree holds, entry by entry, as the proof of what a command changed. */
import { closeSync, constants, existsSync, openSync, readlinkSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { O_PATH } from './descriptor.ts';
import { Entry, kinds, type SnapshotEntry } from './snapshot-entry.ts';
import { findEntries, gnuFind } from './snapshot-find.ts';
import { walkTree, type EntryKind } from './tree-walk.ts';

export interface Snapshot {
  /** The kernel's name of the root. */
  readonly root: string;
  readonly entries: ReadonlyMap<string, SnapshotEntry>;
}

export interface SnapshotOptions {
  /** Paths below the root that are left out with all that is in them: layers, scratch places. */
  readonly exclude?: readonly string[];
}

/** Takes a snapshot without following a link. Throws E_IO when the root cannot be read. */
export async function takeSnapshot(root: string, options: SnapshotOptions = {}): Promise<Snapshot> {
  let descriptor: number;
  try {
    descriptor = openSync(root, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw new AppError('E_IO', `The folder ${root} cannot be opened`, { cause: error });
  }
  try {
    const path = readlinkSync(`/proc/self/fd/${descriptor}`);
    const exclude = new Set(options.exclude ?? []);
    const entries = existsSync(gnuFind)
      ? await findEntries(descriptor, exclude)
      : byWalk(descriptor, exclude);
    return { root: path, entries };
  } finally {
    closeSync(descriptor);
  }
}

function byWalk(descriptor: number, exclude: ReadonlySet<string>): Map<string, SnapshotEntry> {
  const entries = new Map<string, SnapshotEntry>();
  walkTree(descriptor, {
    recursive: true,
    visit: ({ relative, kind, stat }) => {
      if (exclude.has(relative)) return false;
      const mode = (stat.mode & 0o7777).toString(8);
      const times = `${stat.mtimeMs / 1000} ${stat.ctimeMs / 1000}`;
      const facts = `${letterOf(kind)} ${mode} ${stat.nlink} ${stat.ino} ${stat.size} ${times}`;
      entries.set(relative, new Entry(facts, kind === 'link' ? readLink(descriptor, relative) : undefined));
      return true;
    },
  });
  return entries;
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
