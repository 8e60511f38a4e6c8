import { copyFile, lstat, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, commitId, type ChangedFile, type CommitId } from '@switchyard/protocol';
import { makeFolder } from '@switchyard/runtime';
import { checkoutTreeChanges } from './changed-files.ts';
import { checkoutHabits, comparingAttributes } from './checkout-habits.ts';
import { readCommitFile } from './commit-file.ts';
import { Git } from './git-runner.ts';
import { makeGitDir } from './plain-git-dir.ts';
import { bytesOf, shownPath, splitNul, textOf, type RawPath } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

/** A file of a checkout that is not as a commit has it. */
export interface CheckoutChange {
  readonly path: string;
  readonly change: ChangedFile['change'];
}

/** A checkout as it lies there, committed or not, beside the commits it came from. */
export interface CheckoutView {
  /** The commit that a person means by a name. Throws AppError E_BASE_UNKNOWN. */
  resolve(revision: string): Promise<CommitId>;
  /** Where the history of the checkout left that of another commit; that commit itself where they have nothing in common. */
  forkPoint(commit: CommitId): Promise<CommitId>;
  /** What differs from a commit: tracked files, and new ones that nothing ignores. */
  changesSince(commit: CommitId): Promise<CheckoutChange[]>;
  /** Every file that is tracked, or new and not ignored. */
  files(): Promise<string[]>;
  /** One file of a commit, at most 10 MB. Rejects with AppError E_NOT_FOUND, E_IS_DIRECTORY, E_TOO_LARGE. */
  readFile(commit: CommitId, path: string): Promise<Uint8Array>;
  /** Removes what it needed; the repository never had any of it. Closing twice is fine. */
  close(): Promise<void>;
}

/**
 * Looks at a user's checkout and changes nothing: through a git directory of our own that borrows the objects and has
 * a copy of the index, so that neither filters nor hooks or programs of the repository take part; line ends and the like do.
 */
export async function openCheckoutView(user: UserRepository): Promise<CheckoutView> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-view-'));
  try {
    const gitDir = join(folder, 'git');
    const config = await checkoutHabits(user);
    await makeGitDir(gitDir, { head: user.head.commit, format: user.objectFormat, config });
    await writeFile(join(gitDir, 'info/attributes'), comparingAttributes);
    await writeFile(join(gitDir, 'objects/info/alternates'), `${join(user.gitCommonDir, 'objects')}\n`);
    await copyIndex(user.gitDir, gitDir);
    await copyIfThere(join(user.gitCommonDir, 'info/exclude'), join(gitDir, 'info/exclude'));
    return new View(user, { folder, git: Git.at(gitDir, user.workTree) });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The index and, where it is split, the part that others share. None: nothing is tracked. */
async function copyIndex(from: string, to: string): Promise<void> {
  for (const name of await readdir(from))
    if (name === 'index' || name.startsWith('sharedindex.')) await copyAged(join(from, name), join(to, name));
}

/** With its time, by which git tells that a file may have changed after the index was written, in the same second. */
async function copyAged(from: string, to: string): Promise<void> {
  const { atime, mtimeMs } = await stat(from);
  await copyFile(from, to);
  await utimes(to, atime, new Date(Math.floor(mtimeMs)));
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await makeFolder(join(to, '..'));
  try {
    await copyFile(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

class View implements CheckoutView {
  private readonly user: UserRepository;
  private readonly folder: string;
  private readonly git: Git;

  constructor(user: UserRepository, own: { readonly folder: string; readonly git: Git }) {
    this.user = user;
    this.folder = own.folder;
    this.git = own.git;
  }

  async resolve(revision: string): Promise<CommitId> {
    // Names are the repository's own; everything else goes through our git directory.
    const { exitCode, stdout } = await Git.at(this.user.gitDir).run(
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
      { accept: [1, 128] },
    );
    const commit = commitId.safeParse(stdout.toString('utf8').trim());
    if (exitCode === 0 && commit.success) return commit.data;
    throw new AppError(
      'E_BASE_UNKNOWN',
      `${revision} is no branch, tag or commit of ${this.user.workTree}; \`git log\` shows what there is`,
    );
  }

  async forkPoint(commit: CommitId): Promise<CommitId> {
    const { stdout } = await this.git.run(['merge-base', commit, this.user.head.commit], { accept: [1] });
    return commitId.safeParse(stdout.toString('utf8').trim()).data ?? commit;
  }

  async changesSince(commit: CommitId): Promise<CheckoutChange[]> {
    // What has another time than the index knows, but the same bytes, is no change.
    await this.git.run(['update-index', '-q', '--refresh'], { accept: [1] });
    const tracked = await checkoutTreeChanges(this.git, commit);
    const found = new Map(tracked.map(({ path, change }) => [path, change]));
    for (const path of await this.untracked()) {
      // Taken out of the index and still there: it is as new as the commit finds it.
      const change = found.get(path) === 'deleted' ? 'modified' : 'added';
      found.set(path, change);
    }
    return [...found].flatMap(([path, change]) => {
      const text = textOf(path);
      return text === undefined ? [] : [{ path: text, change }];
    });
  }

  async files(): Promise<string[]> {
    const tracked = splitNul((await this.git.run(['ls-files', '-z', '--cached'])).stdout);
    const all = [...new Set([...tracked, ...(await this.untracked())])];
    const there: string[] = [];
    for (const path of all) if (await this.isFile(path)) there.push(shownPath(path));
    return there.sort();
  }

  readFile(commit: CommitId, path: string): Promise<Uint8Array> {
    return readCommitFile(this.git, commit, path);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A folder with a git directory of its own is listed with a slash, and is somebody else's. */
  private async untracked(): Promise<RawPath[]> {
    const { stdout } = await this.git.run(['ls-files', '-z', '--others', '--exclude-standard']);
    return splitNul(stdout).filter((path) => !path.endsWith('/'));
  }

  private async isFile(path: RawPath): Promise<boolean> {
    try {
      const place = Buffer.concat([Buffer.from(`${this.user.workTree}/`), bytesOf(path)]);
      return (await lstat(place)).isFile();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return false;
      throw error;
    }
  }
}
