import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type CommitId } from '@switchyard/protocol';
import type { RawChange } from './changed-files.ts';
import { lockedError, lockIn } from './checkout-lock.ts';
import { lstatOf } from './checkout-place.ts';
import type { Git } from './git-runner.ts';
import { halfWritten } from './half-written.ts';
import { bytesOf, shownPath, splitNul, type RawPath } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';
import type { UserRepository } from './user-repository.ts';

/** From where to where a checkout is to move, and the files that differ between the two. */
export interface Move {
  readonly head: UserRepository['head'];
  readonly target: CommitId;
  readonly changes: readonly RawChange[];
  /** A folder of ours, for an index beside the user's. */
  readonly aside: string;
  /** This very move was begun before and never seen to end. */
  readonly begun: boolean;
}

/** How a checkout stands to a move. */
export interface CheckoutState {
  /** Where the user has something uncommitted that the move would overwrite. */
  readonly dirty: string[];
  /** Files that are as the target wants them while the index does not know: a move was cut off. */
  readonly finished: RawChange[];
  /** Files that a move that was cut off left missing, or with their first bytes only. */
  readonly half: RawChange[];
}

/**
 * Compares each touched path in head, target, index and checkout. It may be overwritten if the index has the head's
 * or the target's and the file is as the index or the target has it; everything else is the user's. Throws AppError
 * E_APPLY_DIRTY where another git command is at work or waits for its end, E_ACCESS where git refuses its owner.
 */
export async function checkoutState(git: Git, user: UserRepository, move: Move): Promise<CheckoutState> {
  refuseUnfinished(user);
  await refresh(git, user);
  const [unlikeHead, unlikeTarget, unlikeIndex, tracked] = await Promise.all([
    names(git, ['diff-index', '--cached', '--no-renames', '--name-only', '-z', move.head.commit]),
    names(git, ['diff-index', '--cached', '--no-renames', '--name-only', '-z', move.target]),
    names(git, ['diff-files', '--no-renames', '--name-only', '-z']),
    names(git, ['ls-files', '-z']),
  ]);
  const isStanding = (change: RawChange) =>
    change.change === 'added' && !tracked.has(change.path) && stands(user, change.path);
  const suspects = move.changes.filter((change) => unlikeIndex.has(change.path) || isStanding(change));
  const differing = await unlike(git, user, { changes: suspects, aside: move.aside });
  const asHead = suspects.filter(({ path }) => differing.has(path) && !unlikeHead.has(path));
  const half = move.begun ? await halfWritten(git, user, asHead) : [];
  for (const { path } of half) differing.delete(path);
  const dirty = new Set<RawPath>();
  for (const { path } of move.changes) {
    if ((unlikeHead.has(path) && unlikeTarget.has(path)) || differing.has(path)) dirty.add(path);
  }
  for (const path of await obstacles(git, user, { changes: move.changes, tracked })) dirty.add(path);
  const halves = new Set(half);
  const finished = suspects.filter(
    (change) => unlikeTarget.has(change.path) && !differing.has(change.path) && !halves.has(change),
  );
  return { dirty: [...dirty].map(shownPath), finished, half };
}

const unfinished = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply'];

function refuseUnfinished(user: UserRepository): void {
  const found = unfinished.find((name) => statSync(join(user.gitDir, name), { throwIfNoEntry: false }));
  if (found === undefined) return;
  throw new AppError(
    'E_APPLY_DIRTY',
    `your checkout is in the middle of a merge, rebase or cherry-pick (${found}); finish or abort it and apply again`,
    { details: { paths: [] } },
  );
}

async function refresh(git: Git, user: UserRepository): Promise<void> {
  const { exitCode, stderr } = await git.run(['update-index', '-q', '--refresh'], { accept: [1, 128] });
  if (exitCode !== 128) return;
  if (stderr.includes('dubious ownership')) {
    throw new AppError(
      'E_ACCESS',
      `your own git does not work in this checkout of another user: ${stderr.trim()}`,
    );
  }
  // Quiet as it is told to be, git does not name the lock.
  const lock = join(user.gitDir, 'index.lock');
  throw (
    lockedError(lockIn(stderr) ?? (existsSync(lock) ? lock : undefined)) ??
    new AppError(
      'E_APPLY_DIRTY',
      `the index of your checkout cannot be updated; another git command may be at work there: ${stderr.trim()}`,
      { details: { paths: [] } },
    )
  );
}

/** Of some changes, those whose files are not in the checkout as the target has them, by the user's own filters. */
async function unlike(
  git: Git,
  user: UserRepository,
  { changes, aside }: Pick<Move, 'changes' | 'aside'>,
): Promise<Set<RawPath>> {
  if (changes.length === 0) return new Set();
  const wanted = changes.filter(({ change }) => change !== 'deleted');
  const differing = await withTemporaryIndex(git, aside, async (own) => {
    await own.run(['update-index', '-z', '--index-info'], { stdin: indexLines(wanted) });
    await own.run(['update-index', '-q', '--refresh'], { accept: [1] });
    return names(own, ['diff-files', '--no-renames', '--name-only', '-z']);
  });
  const left = changes.filter(({ path, change }) => change === 'deleted' && standsAsFile(user, path));
  return new Set([...differing, ...left.map(({ path }) => path)]);
}

/** Untracked things where the target adds a file: a folder with files in it, or a file where a folder is needed. */
async function obstacles(
  git: Git,
  user: UserRepository,
  { changes, tracked }: { readonly changes: readonly RawChange[]; readonly tracked: ReadonlySet<RawPath> },
): Promise<RawPath[]> {
  const found: RawPath[] = [];
  for (const { path } of changes.filter(({ change }) => change === 'added')) {
    const blocking = foldersAbove(path).find((folder) => standsAsFile(user, folder));
    if (blocking !== undefined && !tracked.has(blocking)) found.push(blocking);
    if (lstatOf(user, path)?.isDirectory() === true && blocking === undefined) {
      found.push(...(await names(git, ['ls-files', '--others', '-z', '--', bytesOf(path).toString('utf8')])));
    }
  }
  return found;
}

function foldersAbove(path: RawPath): RawPath[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/') as RawPath);
}

function stands(user: UserRepository, path: RawPath): boolean {
  return standsAsFile(user, path) && !foldersAbove(path).some((folder) => standsAsFile(user, folder));
}

function standsAsFile(user: UserRepository, path: RawPath): boolean {
  return lstatOf(user, path)?.isDirectory() === false;
}

/** Lines for `update-index --index-info` that make index entries as the changes want them. */
export function indexLines(changes: readonly RawChange[]): Buffer {
  const lines = changes.map(({ path, mode, id, change }) =>
    Buffer.concat([
      Buffer.from(change === 'deleted' ? `0 ${'0'.repeat(id.length)}\t` : `${mode} ${id}\t`),
      bytesOf(path),
      Buffer.from([0]),
    ]),
  );
  return Buffer.concat(lines);
}

async function names(git: Git, args: readonly string[]): Promise<Set<RawPath>> {
  return new Set(splitNul((await git.run(args)).stdout));
}
