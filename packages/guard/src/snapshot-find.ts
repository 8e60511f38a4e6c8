/**
 * The entries of a tree by `find`, which is four times as fast as asking for each from here. What it tells is taken
 * apart while it still looks.
 */
import { spawn } from 'node:child_process';
import { AppError } from '@switchyard/protocol';
import type { SnapshotEntry } from './snapshot-entry.ts';
import { EntryReader, type Entries } from './snapshot-reader.ts';
import { treeParts, wholeTree, type TreePart } from './snapshot-parts.ts';

export const gnuFind = '/usr/bin/find';
const format = '%y %m %n %i %s %T@ %C@\\0%p\\0%l\\0';

export interface FoundEntries {
  readonly entries: Entries;
  /** Paths of all entries that are not plain files. */
  readonly notable: readonly string[];
  /** Paths of the entries that were not the same before. */
  readonly differing: readonly string[];
}

interface Search {
  /** Of the folder that is looked through. */
  readonly descriptor: number;
  readonly exclude: ReadonlySet<string>;
  /** Entries of before; what is like them is taken from there. */
  readonly since: Entries;
}

/** Follows no link. Rejects with E_IO when `find` cannot be started, or was killed before it told all. */
export async function findEntries(
  search: Search,
  parts = treeParts(search.descriptor, search.since),
): Promise<FoundEntries> {
  const found = await findParts(parts, search);
  // A folder that was given to both became something else: what was found below it may be of another place.
  const isTrue = parts.every(({ shallow }) =>
    shallow.every((path) => found.entries.get(path.slice(2))?.kind === 'folder'),
  );
  return isTrue ? found : findParts(wholeTree, search);
}

async function findParts(parts: readonly TreePart[], search: Search): Promise<FoundEntries> {
  const entries = new Map<string, SnapshotEntry>();
  const notable: string[] = [];
  const differing: string[] = [];
  const take = (path: string, entry: SnapshotEntry, isKnown: boolean): void => {
    entries.set(path, entry);
    if (!entry.isPlain) notable.push(path);
    if (!isKnown) differing.push(path);
  };
  await Promise.all(parts.map((part) => findPart(part, search, new EntryReader(search.since, take))));
  return { entries, notable, differing };
}

async function findPart(
  { starts, shallow }: TreePart,
  { descriptor, exclude }: Search,
  reader: EntryReader,
): Promise<void> {
  const prune = [...exclude].flatMap((path) => ['-path', `./${escapeGlob(path)}`, '-prune', '-o']);
  const stop = shallow.flatMap((path) => ['-path', escapeGlob(path), '-prune', '-printf', format, '-o']);
  const words = [...prune, ...stop, '!', '-path', '.', '-printf', format];
  const child = spawn(gnuFind, [...starts, ...words], {
    cwd: `/proc/self/fd/${descriptor}`,
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.on('data', (chunk: Buffer) => reader.read(chunk));
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new AppError('E_IO', 'find could not be started', { cause: error })),
    );
    // A failure is a folder that vanished meanwhile, or may not be read; one that is killed has not told all.
    child.once('close', (_code, signal) =>
      signal === null ? resolve() : reject(new AppError('E_IO', `find was ended by ${signal}: look again`)),
    );
  });
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&');
}
