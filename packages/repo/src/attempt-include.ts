import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { appendFile, lstat, open, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptPlace } from './attempt-place.ts';
import { gitLimits } from './git-limits.ts';
import { bytesOf, splitNul, type RawPath } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';

/** An untracked file that was laid into an attempt's tree. */
export interface IncludedFile {
  readonly mode: string;
  readonly id: string;
}

/** The untracked files that were laid into an attempt's tree: their objects by path. */
export type Included = ReadonlyMap<RawPath, IncludedFile>;

/** Lays the plan's untracked files into the tree, where the attempt's own files leave room, and hides them from its git. */
export async function layInclude(place: AttemptPlace, include: CommitId | undefined): Promise<Included> {
  if (include === undefined) return new Map();
  const present = splitNul((await place.git.run(['ls-files', '-z'])).stdout);
  const taken = new Set(present.flatMap(withFolders));
  const files = new Set(present);
  const all = entriesOf((await place.git.run(['ls-tree', '-r', '-z', '--full-tree', include])).stdout);
  const wanted = all.filter(
    ([path]) => !taken.has(path) && !withFolders(path).some((folder) => files.has(folder)),
  );
  await withTemporaryIndex(place.freshTree, place.folder, async (git) => {
    await git.run(['read-tree', include]);
    const stdin = Buffer.concat(wanted.flatMap(([path]) => [bytesOf(path), Buffer.from([0])]));
    await git.run(['checkout-index', '-q', '-z', '--stdin'], { stdin });
  });
  const patterns = wanted.map(([path]) => path).filter((path) => !path.includes('\n'));
  const lines = patterns.map((path) => `/${path.replace(/[\\*?[\] \t\r]/g, '\\$&')}\n`).join('');
  await appendFile(join(place.tree, '.git/info/exclude'), Buffer.from(lines, 'latin1'));
  return new Map(wanted);
}

function withFolders(path: RawPath): RawPath[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/') as RawPath);
}

function entriesOf(listing: Buffer): [RawPath, { mode: string; id: string }][] {
  return splitNul(listing).map((line) => {
    const tab = line.indexOf('\t');
    const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
    return [line.slice(tab + 1) as RawPath, { mode, id }];
  });
}

/** Whether an included file stands in the tree as it was laid there. */
export async function isAsIncluded(tree: string, path: RawPath, included: Included): Promise<boolean> {
  const entry = included.get(path);
  if (entry === undefined) return false;
  const file = Buffer.concat([Buffer.from(`${tree}/`), bytesOf(path)]);
  const stat = await lstat(file);
  if (stat.size > gitLimits.includeBytes) return false;
  const mode = stat.isSymbolicLink() ? '120000' : (stat.mode & 0o100) === 0 ? '100644' : '100755';
  if (mode !== entry.mode || !(stat.isFile() || stat.isSymbolicLink())) return false;
  const content = stat.isSymbolicLink()
    ? await readlink(file, { encoding: 'buffer' })
    : await readPlain(file);
  if (content === undefined) return false;
  const hash = createHash(entry.id.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex') === entry.id;
}

/** A regular file's content; nothing if it has become something else, such as a pipe that nobody writes. */
async function readPlain(path: Buffer): Promise<Buffer | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = await file.stat();
    return stat.isFile() && stat.size <= gitLimits.includeBytes ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}
