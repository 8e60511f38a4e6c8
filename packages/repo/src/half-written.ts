import { readFileSync, rmSync } from 'node:fs';
import type { CommitId, RunId } from '@switchyard/protocol';
import type { RawChange } from './changed-files.ts';
import { lstatOf, placeOf } from './checkout-place.ts';
import type { Git } from './git-runner.ts';
import { bytesOf } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

/**
 * A pin of ours that stands from before the first file of the user is touched until the branch has moved: what is
 * half written then is git's work for this target, not the user's.
 */
const begunRef = (run: RunId) => `refs/switchyard/pinned/${run}/applying`;

/** Says durably that a checkout is about to move to a commit. */
export async function beginMove(git: Git, run: RunId, target: CommitId): Promise<void> {
  await git.run(['update-ref', begunRef(run), target]);
}

/** The move is over, whichever way. */
export async function endMove(git: Git, run: RunId): Promise<void> {
  await git.run(['update-ref', '-d', begunRef(run)]);
}

/** Whether a move to this commit was begun and never seen to end. */
export async function hasBegun(git: Git, run: RunId, target: CommitId): Promise<boolean> {
  const found = await git.run(['rev-parse', '-q', '--verify', begunRef(run)], { accept: [1] });
  return found.stdout.toString('utf8').trim() === target;
}

/**
 * Of some changed files, those that a killed git left missing or with only the first bytes of what the target has:
 * git unlinks a file, makes it anew and writes it. Nothing that the target does not hold is in them.
 */
export async function halfWritten(
  git: Git,
  user: UserRepository,
  changes: readonly RawChange[],
): Promise<RawChange[]> {
  const half: RawChange[] = [];
  for (const change of changes) {
    if (change.change !== 'deleted' && (await isHalf(git, user, change))) half.push(change);
  }
  return half;
}

/** Removes what is left of them, so that git writes them whole. */
export function removeHalves(user: UserRepository, halves: readonly RawChange[]): void {
  for (const { path } of halves) rmSync(placeOf(user, path), { force: true });
}

async function isHalf(git: Git, user: UserRepository, { path, mode, id }: RawChange): Promise<boolean> {
  const found = lstatOf(user, path);
  if (found === undefined) return true;
  if (!found.isFile() || !mode.startsWith('100')) return false;
  const name = bytesOf(path).toString('utf8');
  const { stdout } = await git.run(['cat-file', '--filters', `--path=${name}`, id]);
  return (
    found.size < stdout.length && readFileSync(placeOf(user, path)).equals(stdout.subarray(0, found.size))
  );
}
