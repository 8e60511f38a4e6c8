import { AppError, type RunId } from '@switchyard/protocol';
import { undoCutMove, type CutMove } from './apply-undo.ts';
import { indexLines, type CheckoutState, type Move } from './checkout-state.ts';
import { userEnvironment } from './git-environment.ts';
import { gitLimits } from './git-limits.ts';
import { lockIn, lockedError } from './checkout-lock.ts';
import { lstatOf } from './checkout-place.ts';
import { Git } from './git-runner.ts';
import { shownPath, splitNul } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

const safety = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=true',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
].flatMap((option) => ['-c', option]);

/**
 * The user's own git in the user's checkout: their configuration, filters and line ends hold, and git's own refusal
 * of repositories of other owners too (a filter of theirs would run as us); only hooks, monitors and maintenance do
 * not run.
 */
export function userGit(user: UserRepository): Git {
  return new Git({
    safety,
    env: { ...userEnvironment(), LC_ALL: 'C.UTF-8', GIT_LITERAL_PATHSPECS: '1' },
    cwd: user.workTree,
    // Where its `.git` was found, wherever its configuration would lead.
    workTree: user.workTree,
  });
}

/**
 * Moves files, index and head, in this order. After a crash before the last step the files are as the target wants
 * them, which `checkoutState` lets pass, so that the same call finishes. Throws AppError E_APPLY_DIRTY when the head
 * or a file changed in this moment, E_DISK_FULL or E_IO when a file cannot be written.
 */
export async function moveCheckout(
  git: Git,
  move: Move,
  {
    run,
    user,
    finished,
  }: { readonly run: RunId; readonly user: UserRepository; readonly finished: CheckoutState['finished'] },
): Promise<void> {
  const { head, target } = move;
  if (finished.length > 0) {
    const told = await git.run(['update-index', '-z', '--index-info'], {
      stdin: indexLines(finished),
      accept: [128],
    });
    if (told.exitCode !== 0) throw refusal('the index of your checkout cannot be updated', told.stderr);
    await git.run(['update-index', '-q', '--refresh'], { accept: [1] });
  }
  const moved = await git.run(['read-tree', '-m', '-u', head.commit, target], {
    accept: [1, 128],
    timeoutMs: gitLimits.longTimeoutMs,
  });
  if (moved.exitCode !== 0) throw await unmoved({ git, user, move, ended: moved });
  const updated = await git.run(
    [
      'update-ref',
      '--no-deref',
      '-m',
      `switchyard: apply ${run}`,
      head.branch ?? 'HEAD',
      target,
      head.commit,
    ],
    { accept: [1, 128] },
  );
  if (updated.exitCode === 0) return;
  await git.run(['read-tree', '-m', '-u', target, head.commit], { accept: [1, 128] });
  throw (
    lockedError(lockIn(updated.stderr)) ??
    new AppError(
      'E_APPLY_DIRTY',
      `your branch was moved by somebody else in this moment, and nothing was applied; apply again (${updated.stderr.trim()})`,
    )
  );
}

/** What git says of files that it leaves alone before it has written any. */
const refusals = /not uptodate|would be (overwritten|removed)|would lose untracked/;

async function unmoved(cut: CutMove): Promise<AppError> {
  const { stderr } = cut.ended;
  if (lockIn(stderr) !== undefined || refusals.test(stderr)) {
    return (await hiddenError(cut)) ?? refusal('git does not overwrite what is in your checkout', stderr);
  }
  return undoCutMove(cut);
}

/** Changes that the user has git hide: `git status` shows nothing of them, and so it would not tell either. */
async function hiddenError({ git, user, move }: CutMove): Promise<AppError | undefined> {
  const listed = splitNul((await git.run(['ls-files', '-v', '-z'])).stdout);
  const marked = new Set(listed.filter((line) => /^[Sa-z] /.test(line)).map((line) => line.slice(2)));
  const hidden = move.changes.filter(({ path }) => marked.has(path) && lstatOf(user, path) !== undefined);
  if (hidden.length === 0) return undefined;
  const paths = hidden.map(({ path }) => shownPath(path));
  const shown = paths.slice(0, 10).join(', ');
  return new AppError(
    'E_APPLY_DIRTY',
    `the run changes files that you told git not to look at (skip-worktree or assume-unchanged), so that git status does not show what you changed there: ${shown}; \`git update-index --no-skip-worktree --no-assume-unchanged FILE\` ends that, then commit or stash them and apply again`,
    { details: { paths } },
  );
}

function refusal(what: string, stderr: string): AppError {
  return lockedError(lockIn(stderr)) ?? new AppError('E_APPLY_DIRTY', `${what}: ${stderr.trim()}`);
}
