import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type CommitId } from '@switchyard/protocol';
import { writeCommit } from './commit-object.ts';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';
import { bytesOf, isWithin, rawOf, type RawPath } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';
import { isForbiddenName } from './workspace-check.ts';

interface Found {
  readonly path: RawPath;
  readonly file: string;
  readonly isExecutable: boolean;
  readonly size: number;
}

/**
 * A commit without parents that holds files of the checkout which git does not track, for attempts that need them.
 * Links are not followed. Nothing when there is nothing to hold. Throws AppError E_NOT_FOUND, E_PATH_INVALID,
 * E_TOO_LARGE.
 */
export async function commitIncludeFiles(
  git: Git,
  workTree: string,
  paths: readonly string[],
): Promise<CommitId | undefined> {
  const found: Found[] = [];
  for (const path of paths) await collect(workTree, path, found);
  const unique = [...new Map(found.map((entry) => [entry.path, entry])).values()];
  if (unique.length === 0) return undefined;
  const bytes = unique.reduce((sum, { size }) => sum + size, 0);
  if (bytes > gitLimits.includeBytes || unique.length > gitLimits.includeFiles) {
    throw new AppError(
      'E_TOO_LARGE',
      `the plan's include names ${unique.length} files of ${bytes} bytes; at most ${gitLimits.includeFiles} files and ${gitLimits.includeBytes} bytes are taken`,
    );
  }
  const lines: Buffer[] = [];
  for (const entry of unique) {
    const id = await git.line(['hash-object', '-w', '-t', 'blob', '--no-filters', '--stdin'], {
      stdin: await readPlain(entry.file),
    });
    const head = `${entry.isExecutable ? '100755' : '100644'} blob ${id}\t`;
    lines.push(Buffer.concat([Buffer.from(head), bytesOf(entry.path), Buffer.from([0])]));
  }
  const tree = await treeOf(git, Buffer.concat(lines));
  return writeCommit(git, { tree, parents: [], at: 0, message: 'Included files of the checkout' });
}

async function collect(workTree: string, path: string, found: Found[]): Promise<void> {
  const parts = path.split('/');
  const raw = rawOf(path);
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0') || isForbiddenName(raw)) {
    throw new AppError('E_PATH_INVALID', `include "${path}" is no path inside the repository`);
  }
  const file = join(workTree, path);
  await refuseLinksOnTheWay(workTree, parts);
  const stat = await lstat(file).catch(() => undefined); // not there: said below
  if (stat === undefined) {
    throw new AppError(
      'E_NOT_FOUND',
      `the plan includes "${path}", which is not in the checkout ${workTree}`,
    );
  }
  if (stat.isDirectory()) {
    for (const name of await readdir(file)) {
      const isGit = isForbiddenName(rawOf(name));
      if (!isGit && found.length <= gitLimits.includeFiles) await collect(workTree, join(path, name), found);
    }
    return;
  }
  if (!stat.isFile()) {
    throw new AppError('E_NOT_REGULAR', `the plan includes "${path}", which is no plain file`);
  }
  const clean = join(path);
  found.push({ path: rawOf(clean), file, isExecutable: (stat.mode & 0o100) !== 0, size: stat.size });
}

async function refuseLinksOnTheWay(workTree: string, parts: readonly string[]): Promise<void> {
  for (let depth = 1; depth < parts.length; depth += 1) {
    const stat = await lstat(join(workTree, ...parts.slice(0, depth))).catch(() => undefined); // said by the caller
    if (stat?.isSymbolicLink() === true) {
      throw new AppError('E_PATH_INVALID', `include "${parts.join('/')}" lies behind a link`);
    }
  }
}

async function readPlain(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function treeOf(git: Git, listing: Buffer): Promise<string> {
  return withTemporaryIndex(git, async (own) => {
    await own.run(['update-index', '-z', '--index-info'], { stdin: listing });
    return own.line(['write-tree']);
  });
}

/** Whether a path is one of the included ones or lies in one. */
export function isIncluded(path: RawPath, included: readonly RawPath[]): boolean {
  return included.some((place) => isWithin(path, place));
}
