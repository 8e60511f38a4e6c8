import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';
import { checkoutState, type Move } from './checkout-state.ts';
import { placeOf } from './checkout-place.ts';
import { gitError, type Git, type GitResult } from './git-runner.ts';
import { bytesOf, type RawPath } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

/** A checkout that git began to move and could not: it stops at the first file that it cannot write, and leaves the rest. */
export interface CutMove {
  readonly git: Git;
  readonly user: UserRepository;
  readonly move: Move;
  /** How git ended. */
  readonly ended: GitResult;
}

/**
 * Gives the files that git wrote before it stopped back to what the head has, and answers what to tell the user: the
 * index still names the head's. Files that are neither as the head nor as the target has them are not touched.
 */
export async function undoCutMove({ git, user, move, ended }: CutMove): Promise<AppError> {
  const failed = gitError(['read-tree'], ended);
  const why = ended.stderr.trim() || failed.message;
  try {
    await restoreFiles(git, user, move);
  } catch (cause) {
    return new AppError(
      failed.code,
      `git stopped while it wrote the files of the run into your checkout (${why}), and what it had written cannot be taken back (${messageOf(cause)}): mend that and apply again, which finishes it; your branch has not moved`,
      { cause },
    );
  }
  return new AppError(
    failed.code,
    `git cannot write the files of the run into your checkout, which is as it was: ${why}; mend that and apply again`,
  );
}

async function restoreFiles(git: Git, user: UserRepository, move: Move): Promise<void> {
  const { finished, half } = await checkoutState(git, user, { ...move, begun: true });
  const touched = [...finished, ...half];
  for (const { path, change } of touched) if (change === 'added') removeFile(user, path);
  const owed = touched.filter(({ change }) => change !== 'added').map(({ path }) => bytesOf(path));
  if (owed.length === 0) return;
  const stdin = Buffer.concat(owed.flatMap((path) => [path, Buffer.from([0])]));
  await git.run(['checkout-index', '-f', '-u', '-z', '--stdin'], { stdin });
}

/** Removes a file, and the folders that hold nothing without it, as git does. */
function removeFile(user: UserRepository, path: RawPath): void {
  rmSync(placeOf(user, path), { force: true });
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    try {
      rmdirSync(placeOf(user, folder as RawPath));
    } catch {
      return; // Something else is in it.
    }
  }
}
