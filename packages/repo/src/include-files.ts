import type { Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf, type CommitId } from '@switchyard/protocol';
import { writeCommit } from './commit-object.ts';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';
import { lstatIfThere } from './lstat-if-there.ts';
import { bytesOf, isWithin, rawOf, type RawPath } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';
import { isForbiddenName } from './workspace-check.ts';

interface Found {
  readonly path: RawPath;
  readonly size: number;
}

/**
 * A commit without parents that holds files of the checkout which git does not track, for attempts that need them.
 * Links are not followed. Nothing when there is nothing to hold. Throws AppError E_NOT_FOUND, E_PATH_INVALID, E_ACCESS,
 * E_TOO_LARGE.
 */
export async function commitIncludeFiles(
  { git, gitDir }: { readonly git: Git; readonly gitDir: string },
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
  const tree = await withTemporaryIndex(git, gitDir, async (own) => {
    // Git reads the files by their names; it refuses to go through links.
    const names = unique.flatMap(({ path }) => [bytesOf(path), Buffer.from([0])]);
    await own.run([`--work-tree=${workTree}`, 'update-index', '--add', '-z', '--stdin'], {
      stdin: Buffer.concat(names),
      timeoutMs: gitLimits.longTimeoutMs,
    });
    return own.line(['write-tree']);
  });
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
  const stat = await statOf(workTree, path);
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
  found.push({ path: rawOf(clean), size: stat.size });
}

async function statOf(workTree: string, path: string): Promise<Stats | undefined> {
  try {
    return await lstatIfThere(join(workTree, path));
  } catch (cause) {
    throw new AppError('E_ACCESS', `include "${path}" cannot be looked at: ${messageOf(cause)}`, { cause });
  }
}

async function refuseLinksOnTheWay(workTree: string, parts: readonly string[]): Promise<void> {
  for (let depth = 1; depth < parts.length; depth += 1) {
    const stat = await statOf(workTree, parts.slice(0, depth).join('/'));
    if (stat?.isSymbolicLink() === true) {
      throw new AppError('E_PATH_INVALID', `include "${parts.join('/')}" lies behind a link`);
    }
  }
}

/** Whether a path is one of the included ones or lies in one. */
export function isIncluded(path: RawPath, included: readonly RawPath[]): boolean {
  return included.some((place) => isWithin(path, place));
}
