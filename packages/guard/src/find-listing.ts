/**
 * The listing of a tree by `find`, which is four times as fast as asking for each entry from here. It writes into a
 * file that is read when it has ended: to take its words while it looks would cost it time, through a pipe as well.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { AppError, shellWord } from '@switchyard/protocol';
import { findRecord } from './listing-record.ts';
import { openNameless, readFiles } from './nameless-file.ts';
import { treeParts, wholeTree, type TreePart } from './tree-parts.ts';
import { runInShell } from './waiting-shell.ts';

export const gnuFind = '/usr/bin/find';
const format = '%y %m %n %i %s %T@ %C@\\0%p\\0%l\\0';
/** Inside the shell. */
const FIRST_OUTPUT_FD = 3;
/** Of a tree that is looked at: several million entries. Names of many levels can be of any length. */
const listingBytesMax = 512 * 1024 * 1024;
const tellOnly = ['-prune', '-printf', format, '-o'];

export interface TreeSearch {
  /** Of the folder that is looked through. */
  readonly descriptor: number;
  readonly exclude: ReadonlySet<string>;
}

/** What one `find` looks at, and the file it writes to. */
interface Output {
  readonly part: TreePart;
  readonly file: number;
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

/**
 * All at once. The shell has no descriptors of ours, but the way to them: it opens each before any find starts, and
 * ends behind the last of them, since a number of ours may be another file's once we have closed it.
 */
function linesFor(search: TreeSearch, outputs: readonly Output[]): string {
  const own = `/proc/${process.pid}/fd`;
  const opens = outputs.map(({ file }, index) => `${FIRST_OUTPUT_FD + index}>${own}/${file}`);
  const finds = outputs.map(({ part }, index) => {
    const words = [gnuFind, ...wordsFor(search, part)].map(shellWord).join(' ');
    return `${words} </dev/null >&${FIRST_OUTPUT_FD + index} & p${index}=$!`;
  });
  const waits = outputs.map((_, index) => `wait "$p${index}" || code=1`);
  return [
    `cd ${own}/${search.descriptor} || exit 1`,
    `exec ${opens.join(' ')} || exit 1`,
    // Blocks of 512 bytes, as POSIX has them.
    `ulimit -f ${listingBytesMax / 512} || exit 1`,
    ...finds,
    'code=0',
    ...waits,
    'exit "$code"',
  ].join('\n');
}

/** Undefined when one has failed: a folder vanished or may not be read, or the disk is full. Then nothing is sure. */
async function findParts(search: TreeSearch, { parts, open }: Ways): Promise<Buffer | undefined> {
  const outputs: Output[] = [];
  const files = (): number[] => outputs.map(({ file }) => file);
  try {
    for (const part of parts) {
      const file = open();
      if (file === undefined) return undefined;
      outputs.push({ part, file });
    }
    return (await runInShell(linesFor(search, outputs))) === 0 ? readFiles(files()) : undefined;
  } finally {
    for (const file of files()) closeSync(file);
  }
}

/** Whatever happens to single folders, and however full the disk is: what is there to be seen is told. */
function findThroughPipe(search: TreeSearch): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const find: ChildProcess = spawn(gnuFind, wordsFor(search, wholeTree[0]), {
    cwd: `/proc/self/fd/${search.descriptor}`,
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve, reject) => {
    find.once('error', (error) =>
      reject(new AppError('E_IO', 'find could not be started', { cause: error })),
    );
    find.once('close', (_code, signal) =>
      signal === null
        ? resolve(Buffer.concat(chunks))
        : reject(new AppError('E_IO', `find was ended by ${signal}: look again`)),
    );
    find.stdout?.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= listingBytesMax) return;
      find.kill('SIGKILL');
      reject(new AppError('E_IO', `the tree holds more than can be listed in ${listingBytesMax} bytes`));
    });
  });
}

function wordsFor({ exclude }: TreeSearch, { starts, shallow }: TreePart): string[] {
  const prune = [...exclude].flatMap((path) => ['-path', `./${escapeGlob(path)}`, '-prune', '-o']);
  // Every word is tried on each entry, and a pattern takes a third of a microsecond: most entries are no folders.
  const stop = shallow.flatMap((path) => ['-type', 'd', '-path', escapeGlob(path), ...tellOnly]);
  const skip = starts.includes('.') ? ['-mindepth', '1'] : [];
  return [...starts, ...skip, ...prune, ...stop, '-printf', format];
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
