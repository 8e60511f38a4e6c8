/**
 * The listing of a tree by `find`, which is four times as fast as asking for each entry from here. It writes into a
 * file that is read when it has ended: to take its words while it looks would cost it time, through a pipe as well.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { findRecord } from './listing-record.ts';
import { openNameless, readFiles } from './nameless-file.ts';
import { treeParts, wholeTree, type TreePart } from './tree-parts.ts';

export const gnuFind = '/usr/bin/find';
const format = '%y %m %n %i %s %T@ %C@\\0%p\\0%l\\0';
const tellOnly = ['-prune', '-printf', format, '-o'];

export interface TreeSearch {
  /** Of the folder that is looked through. */
  readonly descriptor: number;
  readonly exclude: ReadonlySet<string>;
}

interface Ways {
  readonly parts: readonly TreePart[];
  readonly open: () => number | undefined;
}

/**
 * Records as of `listing-record.ts`, in the order of the folders. Follows no link. Rejects with E_IO when `find` cannot
 * be started, or was killed before it told all. `since`: a listing of before, by which a large tree is shared out.
 */
export async function findListing(
  search: TreeSearch,
  since: Buffer | undefined,
  { parts = treeParts(search.descriptor, since), open = openNameless }: Partial<Ways> = {},
): Promise<Buffer> {
  const listing = await findParts(search, { parts, open });
  // A folder that was given to both became something else: what was found below it may be of another place.
  if (
    listing !== undefined &&
    hasFolders(
      listing,
      parts.flatMap(({ shallow }) => shallow),
    )
  )
    return listing;
  return findThroughPipe(search);
}

/** Undefined when one has failed: a folder vanished or may not be read, or the disk is full. Then nothing is sure. */
async function findParts(search: TreeSearch, { parts, open }: Ways): Promise<Buffer | undefined> {
  const outputs: { readonly part: TreePart; readonly file: number }[] = [];
  const files = (): number[] => outputs.map(({ file }) => file);
  try {
    for (const part of parts) {
      const file = open();
      if (file === undefined) return undefined;
      outputs.push({ part, file });
    }
    const codes = await Promise.all(
      outputs.map(async ({ part, file }) => ended(startFind(search, part, file))),
    );
    return codes.every((code) => code === 0) ? readFiles(files()) : undefined;
  } finally {
    for (const file of files()) closeSync(file);
  }
}

/** Whatever happens to single folders, and however full the disk is: what is there to be seen is told. */
async function findThroughPipe(search: TreeSearch): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const [part] = wholeTree;
  const find = startFind(search, part, 'pipe');
  find.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  await ended(find);
  return Buffer.concat(chunks);
}

function startFind(
  { descriptor, exclude }: TreeSearch,
  { starts, shallow }: TreePart,
  output: number | 'pipe',
): ChildProcess {
  const prune = [...exclude].flatMap((path) => ['-path', `./${escapeGlob(path)}`, '-prune', '-o']);
  // Every word is tried on each entry, and a pattern takes a third of a microsecond: most entries are no folders.
  const stop = shallow.flatMap((path) => ['-type', 'd', '-path', escapeGlob(path), ...tellOnly]);
  const skip = starts.includes('.') ? ['-mindepth', '1'] : [];
  return spawn(gnuFind, [...starts, ...skip, ...prune, ...stop, '-printf', format], {
    cwd: `/proc/self/fd/${descriptor}`,
    env: { LC_ALL: 'C' },
    stdio: ['ignore', output, 'ignore'],
  });
}

function ended(find: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    find.once('error', (error) =>
      reject(new AppError('E_IO', 'find could not be started', { cause: error })),
    );
    find.once('close', (code, signal) =>
      signal === null
        ? resolve(code)
        : reject(new AppError('E_IO', `find was ended by ${signal}: look again`)),
    );
  });
}

function hasFolders(listing: Buffer, paths: readonly string[]): boolean {
  return paths.every((path) => {
    const record = findRecord(listing, path);
    return record !== undefined && listing[record.at] === 'd'.charCodeAt(0);
  });
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&');
}
