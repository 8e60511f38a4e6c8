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
  /** Paths of all entries that are not plain files. */
  readonly notable: readonly string[];
  /** Where an earlier snapshot was given: the paths whose entries are not as they were in it, new ones too. */
  readonly differs?: { readonly from: WeakRef<Snapshot>; readonly paths: readonly string[] };
}

export interface SnapshotOptions {
  /** Paths below the root that are left out with all that is in them: layers, scratch places. */
  readonly exclude?: readonly string[];
  /** What it will be compared with: done while the tree is still being read, which costs no time of its own. */
  readonly since?: Snapshot;
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
    const { since } = options;
    if (!existsSync(gnuFind)) return byWalk(path, descriptor, exclude);
    const search = { descriptor, exclude, since: since?.entries ?? new Map<string, SnapshotEntry>() };
    const { differing, ...found } = await findEntries(search);
    if (since === undefined) return { root: path, ...found };
    return { root: path, ...found, differs: { from: new WeakRef(since), paths: differing } };
  } finally {
    closeSync(descriptor);
  }
}

function byWalk(root: string, descriptor: number, exclude: ReadonlySet<string>): Snapshot {
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
  const notable = [...entries].filter(([, entry]) => !entry.isPlain).map(([name]) => name);
  return { root, entries, notable };
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
