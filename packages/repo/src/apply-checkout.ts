import { lstatSync } from 'node:fs';
import { AppError, type CommitId, type RunId } from '@switchyard/protocol';
import type { RawChange } from './changed-files.ts';
import { userEnvironment } from './git-environment.ts';
import { gitLimits } from './git-limits.ts';
import { Git } from './git-runner.ts';
import { bytesOf, isWithin, shownPath, splitNul, type RawPath } from './raw-path.ts';
import { withTemporaryIndex } from './temporary-index.ts';
import type { UserRepository } from './user-repository.ts';

/**
 * The user's checkout, moved by the user's own git: their configuration, filters and line ends hold, and git's own
 * refusal of repositories of other owners too; only hooks, monitors and maintenance do not run.
 */

interface Move {
  readonly target: CommitId;
  readonly changes: readonly RawChange[];
}

const safety = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=true',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
].flatMap((option) => ['-c', option]);

/** The user's own git in the user's checkout. */
export function userGit(user: UserRepository): Git {
  return new Git({
    safety,
    env: { ...userEnvironment(), GIT_LITERAL_PATHSPECS: '1' },
    cwd: user.workTree,
  });
}

/**
 * The files that would change and where the user has something uncommitted. What already is as the target wants it
 * does not count: so a move that was cut off can be made again.
 */
export async function dirtyPaths(user: UserRepository, head: CommitId, move: Move): Promise<string[]> {
  const git = userGit(user);
  const inIndex = await names(git, ['diff-index', '--cached', '--no-renames', '--name-only', '-z', head]);
  const inFiles = await names(git, ['diff-files', '--no-renames', '--name-only', '-z'], { refresh: true });
  const untracked = move.changes
    .filter(({ change }) => change === 'added')
    .flatMap(({ path }) => obstacles(user, path));
  const touched = move.changes.map(({ path }) => path);
  const isTouched = (path: RawPath) =>
    touched.some((other) => isWithin(path, other) || isWithin(other, path));
  const suspects = [...new Set([...inIndex, ...inFiles, ...untracked].filter(isTouched))];
  if (suspects.length === 0) return [];
  const differing = new Set(await differingFrom(git, move));
  const touchedSet = new Set<string>(touched);
  return suspects.filter((path) => !touchedSet.has(path) || differing.has(path)).map(shownPath);
}

/** What stands in the way of a file that the target adds: itself, or something that is no folder above it. */
function obstacles(user: UserRepository, path: RawPath): RawPath[] {
  const parts = path.split('/');
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const part = parts.slice(0, depth).join('/') as RawPath;
    const stat = lstatSync(placeOf(user, part), { throwIfNoEntry: false });
    if (stat === undefined) return [];
    if (depth === parts.length || !stat.isDirectory()) return [part];
  }
  return [];
}

function placeOf(user: UserRepository, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${user.workTree}/`), bytesOf(path)]);
}

/** Of the changed files, those that are not in the checkout as the target has them. */
function differingFrom(git: Git, { target, changes }: Move): Promise<RawPath[]> {
  return withTemporaryIndex(git, async (own) => {
    await own.run(['read-tree', target]);
    const differing = await names(own, ['diff-files', '--no-renames', '--name-only', '-z'], {
      refresh: true,
    });
    // Files that the target has no more are unlike it while something is there.
    const deleted = changes.filter(({ change }) => change === 'deleted').map(({ path }) => path);
    const cwd = (await own.line(['rev-parse', '--show-toplevel'])).trimEnd();
    const standing = deleted.filter(
      (path) =>
        lstatSync(Buffer.concat([Buffer.from(`${cwd}/`), bytesOf(path)]), {
          throwIfNoEntry: false,
        })?.isFile() === true,
    );
    return [...differing, ...standing];
  });
}

async function names(
  git: Git,
  args: readonly string[],
  options: { refresh?: boolean } = {},
): Promise<RawPath[]> {
  const read = async (own: Git) => splitNul((await own.run(args)).stdout);
  if (options.refresh === true) await git.run(['update-index', '-q', '--refresh'], { accept: [1] });
  return read(git);
}

/**
 * Moves files, index and head, in this order. After a crash before the last step the files are as the target wants
 * them, which `dirtyPaths` lets pass, so that the same call finishes. Throws AppError E_APPLY_DIRTY when the head or
 * a file changed in this moment.
 */
export async function moveCheckout(
  user: UserRepository,
  head: UserRepository['head'],
  { run, target, changes }: Move & { readonly run: RunId },
): Promise<void> {
  const git = userGit(user);
  await adoptFinished(git, { target, changes });
  const moved = await git.run(['read-tree', '-m', '-u', head.commit, target], {
    accept: [1, 128],
    timeoutMs: gitLimits.longTimeoutMs,
  });
  if (moved.exitCode !== 0) {
    throw new AppError(
      'E_APPLY_DIRTY',
      `git does not overwrite what is in your checkout: ${moved.stderr.trim()}`,
    );
  }
  const updated = await git.run(
    ['update-ref', '-m', `switchyard: apply ${run}`, head.branch ?? 'HEAD', target, head.commit],
    { accept: [1, 128] },
  );
  if (updated.exitCode === 0) return;
  await git.run(['read-tree', '-m', '-u', target, head.commit], { accept: [1, 128] });
  throw new AppError(
    'E_APPLY_DIRTY',
    `your branch was moved by somebody else in this moment, and nothing was applied; apply again (${updated.stderr.trim()})`,
  );
}

/** Tells the index about files that are as the target wants them already, left by a move that was cut off. */
async function adoptFinished(git: Git, { target, changes }: Move): Promise<void> {
  const inIndex = await treeDifference(git, target);
  const differing = new Set(await differingFrom(git, { target, changes }));
  const zero = '0'.repeat(target.length);
  const finished = changes.filter(({ path }) => inIndex.has(path) && !differing.has(path));
  const dirty = new Set(await names(git, ['diff-files', '--no-renames', '--name-only', '-z']));
  const added = new Set(changes.filter(({ change }) => change === 'added').map(({ path }) => path));
  const lines = finished
    .filter(({ path }) => dirty.has(path) || added.has(path))
    .map(({ path, mode, id, change }) =>
      Buffer.concat([
        Buffer.from(change === 'deleted' ? `0 ${zero}\t` : `${mode} ${id}\t`),
        bytesOf(path),
        Buffer.from([0]),
      ]),
    );
  if (lines.length === 0) return;
  await git.run(['update-index', '-z', '--index-info'], { stdin: Buffer.concat(lines) });
  await git.run(['update-index', '-q', '--refresh'], { accept: [1] });
}

async function treeDifference(git: Git, target: CommitId): Promise<ReadonlySet<string>> {
  return new Set(await names(git, ['diff-index', '--cached', '--no-renames', '--name-only', '-z', target]));
}
