import { existsSync } from 'node:fs';
import { AppError, commitId, type ChangedFile, type CommitId } from '@switchyard/protocol';
import { treeChanges } from './changed-files.ts';
import { readCommitFile } from './commit-file.ts';
import { gitLimits } from './git-limits.ts';
import { Git } from './git-runner.ts';
import { absent, copyObjects, refTips } from './object-transfer.ts';
import { shownPath } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

/** A commit of an attempt and what it rests on. */
export interface KeptRange {
  readonly commit: CommitId;
  readonly base: CommitId;
}

/**
 * What is kept of attempts beside their results, for people: reads the orchestrator's private repository and writes only
 * branches of the user's. An orchestrator may run meanwhile or not.
 */
export interface KeptWorkRepository {
  /** Those of these refs that are there; the others have expired. */
  standing(refs: readonly string[]): Promise<ReadonlySet<string>>;
  /** All refs of late results, work in progress and uploads of it, with the runs they are of. */
  refs(): Promise<readonly { readonly ref: string; readonly run: string }[]>;
  /** Forgets refs. The caller holds the state folder alone. */
  drop(refs: readonly string[]): Promise<void>;
  /** A commit of an attempt with what it rests on; undefined: it is not there any more. */
  attempt(commit: CommitId): Promise<KeptRange | undefined>;
  /** A file of a commit, at most 10 MB. Rejects with AppError E_NOT_FOUND, E_IS_DIRECTORY, E_TOO_LARGE. */
  file(commit: CommitId, path: string): Promise<Uint8Array>;
  /** What it changed. */
  changes(range: KeptRange): Promise<ChangedFile[]>;
  /** As a patch that git can apply. Throws AppError E_TOO_LARGE. */
  patch(range: KeptRange): Promise<Buffer>;
  /**
   * Makes a branch of it in the user's repository; there already with this commit is fine. The checkout stays. Throws
   * AppError E_USAGE for a name that is taken or none.
   */
  makeBranch(name: string, commit: CommitId): Promise<void>;
}

const keptPrefixes = ['salvage', 'wip', 'uploads'].map((kind) => `refs/switchyard/${kind}/`);

/** Opens what is there; undefined: the orchestrator has made no repository yet. */
export function openKeptWork(gitDir: string, user: UserRepository): KeptWorkRepository | undefined {
  return existsSync(gitDir) ? new PrivateKeptWork(Git.at(gitDir), Git.at(user.gitDir)) : undefined;
}

class PrivateKeptWork implements KeptWorkRepository {
  private readonly git: Git;
  private readonly theirs: Git;

  constructor(git: Git, theirs: Git) {
    this.git = git;
    this.theirs = theirs;
  }

  async standing(refs: readonly string[]): Promise<ReadonlySet<string>> {
    if (refs.length === 0) return new Set();
    const gone = new Set(
      await absent(
        this.git,
        refs.map((ref) => `${ref}^{commit}`),
      ),
    );
    return new Set(refs.filter((ref) => !gone.has(`${ref}^{commit}`)));
  }

  async refs(): Promise<{ ref: string; run: string }[]> {
    const out = await this.git.line(['for-each-ref', '--format=%(refname)', ...keptPrefixes]);
    const refs = out.split('\n').filter((ref) => ref !== '');
    return refs.map((ref) => ({ ref, run: ref.split('/')[3] ?? '' }));
  }

  async drop(refs: readonly string[]): Promise<void> {
    const stdin = refs.map((ref) => `delete ${ref}\n`).join('');
    await this.git.run(['update-ref', '--stdin'], { stdin });
  }

  async attempt(commit: CommitId): Promise<KeptRange | undefined> {
    const { exitCode, stdout } = await this.git.run(
      ['rev-parse', '--verify', '--quiet', `${commit}^1^{commit}`],
      { accept: [1, 128] },
    );
    if (exitCode !== 0) return undefined;
    return { commit, base: commitId.parse(stdout.toString('utf8').trim()) };
  }

  file(commit: CommitId, path: string): Promise<Uint8Array> {
    return readCommitFile(this.git, commit, path);
  }

  async changes({ base, commit }: KeptRange): Promise<ChangedFile[]> {
    const changes = await treeChanges(this.git, base, commit);
    return changes.map(({ path, change }) => ({ path: shownPath(path), change }));
  }

  async patch({ base, commit }: KeptRange): Promise<Buffer> {
    const how = ['-p', '-r', '--binary', '--full-index', '--no-ext-diff', '--no-textconv', '--no-renames'];
    const { stdout } = await this.git.run(['diff-tree', ...how, base, commit], {
      timeoutMs: gitLimits.longTimeoutMs,
    });
    return stdout;
  }

  async makeBranch(name: string, commit: CommitId): Promise<void> {
    const { git, theirs } = this;
    const branch = `refs/heads/${name}`;
    if (!(await theirs.holds(['check-ref-format', branch])) || name.startsWith('-'))
      throw new AppError('E_USAGE', `"${name}" is no name for a branch`);
    const { stdout } = await theirs.run(['rev-parse', '--verify', '--quiet', branch], { accept: [1] });
    const there = stdout.toString('utf8').trim();
    if (there === commit) return;
    if (there !== '')
      throw new AppError('E_USAGE', `a branch ${name} is there already; name another one with --branch`);
    await copyObjects({ from: git, to: theirs, commits: [commit], have: await refTips(theirs) });
    const { exitCode, stderr } = await theirs.run(
      ['update-ref', '-m', 'switchyard: kept work', branch, commit, '0'.repeat(commit.length)],
      { accept: [1, 128] },
    );
    if (exitCode !== 0) throw new AppError('E_USAGE', `the branch ${name} cannot be made: ${stderr.trim()}`);
  }
}
