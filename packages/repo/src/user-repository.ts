import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError, commitId, type CommitId } from '@switchyard/protocol';
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
  /** What is checked out; no branch when the head is detached. */
  readonly head: { readonly branch?: string; readonly commit: CommitId };
}

/**
 * Finds the repository around a folder, reading only. Runs nothing that its configuration names, and also reads
 * repositories of other owners. Throws AppError E_NO_GIT, E_NOT_A_REPOSITORY, E_BARE_REPOSITORY, E_NO_COMMITS.
 */
export async function discoverRepository(cwd: string): Promise<UserRepository> {
  const folder = resolve(cwd);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new AppError('E_NOT_A_REPOSITORY', `${folder} is no folder`);
  }
  const gitDir = await findGitDir(folder);
  const git = new Git({ cwd: folder, options: anyBare });
  const facts = await git.line(['rev-parse', '--is-bare-repository', '--is-inside-git-dir']);
  if (facts.startsWith('true')) {
    throw new AppError(
      'E_BARE_REPOSITORY',
      `${gitDir} is a bare repository: it has no checkout; use a clone of it`,
    );
  }
  if (facts.endsWith('true')) {
    throw new AppError('E_NOT_A_REPOSITORY', `${folder} lies inside a git directory; go to the checkout`);
  }
  const places = await git.line([
    'rev-parse',
    '--path-format=absolute',
    '--show-toplevel',
    '--git-common-dir',
    '--show-object-format',
    '--is-shallow-repository',
  ]);
  const [workTree = folder, gitCommonDir = gitDir, format, shallow] = places.split('\n');
  return {
    workTree,
    gitDir,
    gitCommonDir,
    objectFormat: format === 'sha256' ? 'sha256' : 'sha1',
    isShallow: shallow === 'true',
    head: await readHead(gitDir, workTree),
  };
}

/** What a checkout has checked out now. Throws AppError E_NO_COMMITS. */
export async function readHead(gitDir: string, workTree: string): Promise<UserRepository['head']> {
  const git = Git.at(gitDir);
  const { exitCode, stdout } = await git.run(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    accept: [1, 128],
  });
  const commit = commitId.safeParse(stdout.toString('utf8').trim());
  if (exitCode !== 0 || !commit.success) {
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

/** The folder is named by the user, not met by chance, so that a bare one may be looked at. */
const anyBare = ['-c', 'safe.bareRepository=all'];

async function findGitDir(folder: string): Promise<string> {
  const git = new Git({ cwd: folder, options: anyBare });
  const { exitCode, stdout, stderr } = await git.run(['rev-parse', '--absolute-git-dir'], { accept: [128] });
  if (exitCode === 0) return stdout.toString('utf8').replace(/\n$/, '');
  if (/not a git repository/i.test(stderr)) {
    throw new AppError(
      'E_NOT_A_REPOSITORY',
      `${folder} is in no git repository; run \`git init\` and commit, or go to a repository`,
    );
  }
  throw new AppError(
    'E_NOT_A_REPOSITORY',
    `git cannot use the repository around ${folder}: ${stderr.trim()}`,
  );
}
