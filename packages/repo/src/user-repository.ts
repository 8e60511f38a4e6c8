import { closeSync, opendirSync, openSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError, commitId, messageOf, type CommitId } from '@switchyard/protocol';
import { findGit } from './git-program.ts';
import { Git } from './git-runner.ts';

/** The user's repository, as it was when it was looked at. */
export interface UserRepository {
  /** Top folder of the checkout. */
  readonly workTree: string;
  /** The git directory of this checkout; a linked worktree has one of its own. */
  readonly gitDir: string;
  /** The git directory that all linked worktrees share. */
  readonly gitCommonDir: string;
  readonly objectFormat: 'sha1' | 'sha256';
  readonly isShallow: boolean;
  /** What is checked out; `branch` is the full name of its ref, absent when the head is detached. */
  readonly head: { readonly branch?: string; readonly commit: CommitId };
}

/**
 * Finds the repository around a folder by its `.git`, reading only: whatever its configuration or the environment
 * claims, the checkout is where the `.git` lies. Runs nothing that its configuration names, and also reads
 * repositories of other owners. Throws AppError E_NO_GIT, E_NOT_A_REPOSITORY, E_BARE_REPOSITORY, E_NO_COMMITS,
 * E_REPOSITORY_UNREADABLE.
 */
export async function discoverRepository(cwd: string): Promise<UserRepository> {
  await findGit();
  const workTree = findWorkTree(realFolder(cwd));
  const git = Git.at(join(workTree, '.git'), workTree);
  const { exitCode, stdout, stderr } = await git.run(
    [
      'rev-parse',
      '--path-format=absolute',
      ...['--absolute-git-dir', '--git-common-dir', '--show-object-format', '--is-shallow-repository'],
    ],
    { accept: [128] },
  );
  if (exitCode !== 0) {
    requireReadable(join(workTree, '.git'));
    throw new AppError('E_NOT_A_REPOSITORY', `git cannot use the repository ${workTree}: ${stderr.trim()}`);
  }
  const [gitDir = '', gitCommonDir = '', format, shallow] = stdout.toString('utf8').split('\n');
  await refuseBare(git, workTree, { isLinked: gitDir !== gitCommonDir });
  return {
    workTree,
    gitDir,
    gitCommonDir,
    objectFormat: format === 'sha256' ? 'sha256' : 'sha1',
    isShallow: shallow === 'true',
    head: await readHead(gitDir, workTree),
  };
}

/** What a checkout has checked out now. Throws AppError E_NO_COMMITS, E_REPOSITORY_UNREADABLE. */
export async function readHead(gitDir: string, workTree: string): Promise<UserRepository['head']> {
  const git = Git.at(gitDir);
  const { exitCode, stdout } = await git.run(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    accept: [1, 128],
  });
  const commit = commitId.safeParse(stdout.toString('utf8').trim());
  if (exitCode !== 0 || !commit.success) {
    requireReadable(gitDir);
    throw new AppError(
      'E_NO_COMMITS',
      `the repository ${workTree} has no commit on its current branch; commit something, so that a run has a base`,
    );
  }
  const branch = await git.run(['symbolic-ref', '--quiet', 'HEAD'], { accept: [1, 128] });
  const name = branch.stdout.toString('utf8').trim();
  return branch.exitCode === 0 && name !== ''
    ? { branch: name, commit: commit.data }
    : { commit: commit.data };
}

function realFolder(cwd: string): string {
  const folder = resolve(cwd);
  if (standsAt(folder)?.isDirectory() !== true) {
    throw new AppError('E_NOT_A_REPOSITORY', `${folder} is no folder`);
  }
  return realpathSync(folder);
}

function findWorkTree(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isGitEntry(join(folder, '.git'))) return folder;
    if (isGitDir(folder) && basename(folder) !== '.git') throw bareError(folder);
    if (folder !== dirname(folder)) continue;
    throw new AppError(
      'E_NOT_A_REPOSITORY',
      `${start} is in no git repository; run \`git init\` and commit, or go to a repository`,
    );
  }
}

/** What stands at a path; undefined: nothing. Throws AppError E_REPOSITORY_UNREADABLE where that may not be known. */
function standsAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    // A file stands where a folder would be.
    if (codeOf(cause) === 'ENOTDIR') return undefined;
    throw unreadable(path, cause);
  }
}

/** git tells what it may not read as what is not there. Throws AppError E_REPOSITORY_UNREADABLE. */
function requireReadable(gitDir: string): void {
  for (const name of ['HEAD', 'objects', 'refs', 'packed-refs']) {
    const path = join(gitDir, name);
    const stat = standsAt(path);
    if (stat === undefined) continue;
    try {
      if (stat.isDirectory()) opendirSync(path).closeSync();
      else closeSync(openSync(path, 'r'));
    } catch (cause) {
      // Whatever else there is, such as too few descriptors, git has told.
      if (codeOf(cause) === 'EACCES' || codeOf(cause) === 'EPERM') throw unreadable(path, cause);
    }
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

function unreadable(path: string, cause: unknown): AppError {
  const user = process.getuid?.();
  const who = user === undefined ? '' : ` by user ${user}`;
  return new AppError(
    'E_REPOSITORY_UNREADABLE',
    `${path} cannot be read${who}: ${messageOf(cause)}; have its owner let you read the repository (chmod, chown), or work in a clone of your own`,
    { cause },
  );
}

/** A git directory, or the file that a linked worktree has in its place. */
function isGitEntry(path: string): boolean {
  const stat = standsAt(path);
  return stat?.isDirectory() === true ? isGitDir(path) : stat?.isFile() === true;
}

function isGitDir(folder: string): boolean {
  const stands = (name: string) => standsAt(join(folder, name)) !== undefined;
  return stands('HEAD') && stands('objects') && stands('refs');
}

/**
 * What `.git` is or names may be bare too, as a home of linked worktrees; the folder around it is no checkout then.
 * A linked worktree shares its configuration, and is one.
 */
async function refuseBare(
  git: Git,
  workTree: string,
  { isLinked }: { readonly isLinked: boolean },
): Promise<void> {
  const place = join(workTree, '.git');
  if (isLinked && !statSync(place).isDirectory()) return;
  const bare = await git.run(['config', '--type=bool', '--get', 'core.bare'], { accept: [1, 128] });
  if (bare.stdout.toString('utf8').trim() === 'true') throw bareError(place);
}

function bareError(folder: string): AppError {
  return new AppError(
    'E_BARE_REPOSITORY',
    `${folder} is a bare repository: it has no checkout; go to one of its worktrees (git worktree list), or use a clone of it`,
  );
}
