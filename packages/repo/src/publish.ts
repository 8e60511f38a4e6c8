import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId, RunId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { Git } from './git-runner.ts';
import { copyObjects, refTips } from './object-transfer.ts';
import type { UserRepository } from './user-repository.ts';

interface PublishContext {
  readonly git: Git;
  readonly user: UserRepository;
  readonly logger: Logger;
}

/**
 * Copies a run's commits into the user's repository and names them there. The branch is not moved where that could
 * cost the user something: it is checked out, or has commits of theirs; then only the private name is.
 */
export async function publishRun(context: PublishContext, run: RunId, tip: CommitId): Promise<void> {
  const { user, logger } = context;
  const theirs = Git.at(user.gitDir);
  await giveObjects(context, [tip]);
  const mark = `${marks}${run}`;
  const branch = `refs/heads/switchyard/${run}`;
  const at = await commitAt(theirs, branch);
  const obstacle = await obstacleTo(theirs, { branch, at, tip, published: await commitAt(theirs, mark) });
  dropStaleLock(context, mark);
  await theirs.run(['update-ref', mark, tip]);
  if (obstacle === undefined) {
    dropStaleLock(context, branch);
    // From where it was looked at (nothing: it is new): what the user does in between is not undone.
    await theirs.run(['update-ref', '-m', 'switchyard: publish', branch, tip, at ?? '']);
  } else {
    logger.warn({ run, branch, obstacle }, 'run branch not moved in the user repository');
  }
}

/** Where a run stands in the user's repository, whatever becomes of its branch there. */
const marks = 'refs/switchyard/runs/';

/** The commits that were published last in a repository, by run. */
export async function publishedTips(gitDir: string): Promise<ReadonlyMap<string, string>> {
  const rows = await Git.at(gitDir).line(['for-each-ref', '--format=%(objectname) %(refname)', marks]);
  return new Map(
    rows.split('\n').map((row) => {
      const [commit = '', ref = ''] = row.split(' ');
      return [ref.slice(marks.length), commit];
    }),
  );
}

/** By what name a run is found in the user's repository. */
export interface PublishedName {
  /** What git takes: the branch, else the private name, else the commit. */
  readonly name: string;
  /** Why it is not the branch. */
  readonly obstacle?: string;
}

/** By what name a user finds a commit of a run that was published in their repository. */
export async function publishedName(gitDir: string, run: RunId, tip: CommitId): Promise<PublishedName> {
  const git = Git.at(gitDir);
  const branch = `refs/heads/switchyard/${run}`;
  const mark = `${marks}${run}`;
  const [at, published] = await Promise.all([commitAt(git, branch), commitAt(git, mark)]);
  if (at === tip) return { name: `switchyard/${run}` };
  const obstacle = await obstacleTo(git, { branch, at, tip, published });
  const why = obstacle ?? (at === undefined ? 'there is none' : `it is at ${at.slice(0, 10)}`);
  return { name: published === tip ? mark : tip, obstacle: why };
}

/** No git holds a ref for longer; a publication that meets a younger lock is tried again. */
const lockMs = 2_000;

/** A git of ours that was killed in the middle may have left its lock; nobody else moves these refs. */
function dropStaleLock({ user, logger }: PublishContext, ref: string): void {
  const lock = join(user.gitCommonDir, `${ref}.lock`);
  const stat = statSync(lock, { throwIfNoEntry: false });
  if (stat === undefined || Date.now() - stat.mtimeMs < lockMs) return;
  rmSync(lock, { force: true });
  logger.warn({ lock }, 'a lock that was left on a ref of ours is removed');
}

/** Copies commits from our repository into the user's. */
export async function giveObjects(
  { git, user }: Pick<PublishContext, 'git' | 'user'>,
  commits: readonly CommitId[],
): Promise<void> {
  const to = Git.at(user.gitDir);
  // A detached head is named by no ref.
  const head = await commitAt(to, 'HEAD');
  const have = [...(await refTips(to)), ...(head === undefined ? [] : [head])];
  await copyObjects({ from: git, to, commits, have });
}

async function commitAt(git: Git, ref: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git.run(['rev-parse', '--verify', '--quiet', ref], { accept: [1] });
  return exitCode === 0 ? stdout.toString('utf8').trim() : undefined;
}

async function obstacleTo(
  git: Git,
  wanted: {
    readonly branch: string;
    /** Where it is now. */
    readonly at: string | undefined;
    readonly tip: CommitId;
    readonly published: string | undefined;
  },
): Promise<string | undefined> {
  const { branch, at, tip, published } = wanted;
  if (at === tip) return undefined;
  const worktrees = await git.line(['worktree', 'list', '--porcelain']);
  if (worktrees.split('\n').includes(`branch ${branch}`)) return 'it is checked out';
  const isOurs = at === undefined || at === published;
  if (!isOurs && !(await git.holds(['merge-base', '--is-ancestor', at, tip]))) {
    return 'it has commits of its own';
  }
  if ((await git.line(['for-each-ref', '--count=1', `${branch}/`])) !== '') return 'branches lie below it';
  const [, , ...parts] = branch.split('/');
  for (let depth = 1; depth < parts.length; depth += 1) {
    const name = `refs/heads/${parts.slice(0, depth).join('/')}`;
    if (await git.holds(['rev-parse', '--verify', '--quiet', name])) return `a branch ${name} is in its way`;
  }
  return undefined;
}
