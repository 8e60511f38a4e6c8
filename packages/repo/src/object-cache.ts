import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { commitId, type CommitId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { findAttempt, prepareAttempt } from './attempt-clone.ts';
import type { AttemptClone, AttemptContext, AttemptRequest } from './attempt-request.ts';
import { tidyCache } from './cache-upkeep.ts';
import { readChangedLines, readDiff, type ChangedLines } from './changed-lines.ts';
import { checkoutFiles } from './checkout.ts';
import { readCommitFile } from './commit-file.ts';
import { findGit } from './git-program.ts';
import type { Git } from './git-runner.ts';
import { HubRemote, type HubRemoteOptions } from './hub-remote.ts';
import { copyObjects } from './object-transfer.ts';
import { formatOf, type ObjectFormat } from './plain-git-dir.ts';
import { openPrivateRepository } from './private-repository.ts';
import type { SandboxRun } from './sandbox-run.ts';

/** How to open a worker's or reviewer's cache. */
export interface ObjectCacheOptions extends HubRemoteOptions {
  /** Nobody else's; made if it is not there. */
  readonly folder: string;
  readonly logger: Logger;
  /** For git on files that an attempt wrote. */
  readonly sandbox: SandboxRun;
}

/** A daemon's own copy of the orchestrator's objects. */
export interface ObjectCache {
  /**
   * Makes commits and their history available here; what is here already is not asked for again. Rejects with
   * AppError E_UNREACHABLE, E_TOKEN, E_FINGERPRINT, E_NOT_FOUND, E_DISK_FULL.
   */
  fetch(commits: readonly CommitId[]): Promise<void>;
  /** A checkout that an attempt may work in, and the way from it to a commit. */
  prepareAttempt(request: AttemptRequest): Promise<AttemptClone>;
  /**
   * The clone that `prepareAttempt` made in a folder before this process began, as the attempt left it; nothing if it
   * was not made to its end. No process of the attempt may be alive.
   */
  findAttempt(folder: string, base: CommitId): Promise<AttemptClone | undefined>;
  /** Hands in a commit that was built here; repeats are fine. Rejects as `fetch` does, and with E_PROTOCOL. */
  push(ref: string, commit: CommitId): Promise<void>;
  /** The files of a commit as they are stored, without `.git`, in a folder that is new or empty. */
  checkout(commit: CommitId, folder: string): Promise<void>;
  /** Which lines of which files a commit wrote. */
  changedLines(base: CommitId, commit: CommitId): Promise<ChangedLines[]>;
  /** Unified diff between two commits, cut with a note where it is very long. */
  diff(base: CommitId, commit: CommitId): Promise<string>;
  /** One file of a commit, at most 10 MB. Rejects with AppError E_NOT_FOUND, E_IS_DIRECTORY, E_TOO_LARGE. */
  readFile(commit: CommitId, path: string): Promise<Uint8Array>;
  /** Ends the way to the orchestrator; the folder stays. Closing twice is fine. */
  close(): Promise<void>;
}

/** Opens the cache in a folder, making it if it is not there. Throws AppError E_NO_GIT, E_FINGERPRINT. */
export async function openObjectCache(options: ObjectCacheOptions): Promise<ObjectCache> {
  await findGit();
  return new BareCache(options, await HubRemote.open(options));
}

interface Bare {
  readonly gitDir: string;
  readonly git: Git;
}

class BareCache implements ObjectCache {
  private readonly options: ObjectCacheOptions;
  private readonly remote: HubRemote;
  private readonly opened = new Map<ObjectFormat, Promise<Bare>>();

  constructor(options: ObjectCacheOptions, remote: HubRemote) {
    this.options = options;
    this.remote = remote;
  }

  /** The repository that holds a commit: one for each object format. */
  private bareOf(commit: CommitId): Promise<Bare> {
    const format = formatOf(commit);
    const known = this.opened.get(format);
    if (known !== undefined) return known;
    const gitDir = join(this.options.folder, `${format}.git`);
    const opening = inTurn(gitDir, () => openBare(gitDir, format, this.options.logger));
    this.opened.set(format, opening);
    opening.catch(() => this.opened.delete(format));
    return opening;
  }

  async fetch(commits: readonly CommitId[]): Promise<void> {
    const asked = [...new Set(commits)].map((commit) => commitId.parse(commit));
    const [first] = asked;
    if (first === undefined) return;
    const { gitDir, git } = await this.bareOf(first);
    await inTurn(gitDir, async () => {
      const missing = [];
      for (const commit of asked) if (!(await isKept(git, commit))) missing.push(commit);
      if (missing.length === 0) return;
      await this.remote.fetch(gitDir, missing, keptRef);
      this.options.logger.debug({ commits: missing }, 'objects fetched');
    });
  }

  async prepareAttempt(request: AttemptRequest): Promise<AttemptClone> {
    return prepareAttempt(request, await this.attemptContext(request.base));
  }

  async findAttempt(folder: string, base: CommitId): Promise<AttemptClone | undefined> {
    return findAttempt(folder, await this.attemptContext(base));
  }

  async push(ref: string, commit: CommitId): Promise<void> {
    await this.remote.push((await this.bareOf(commit)).gitDir, ref, commit);
  }

  private async attemptContext(base: CommitId): Promise<AttemptContext> {
    const cache = await this.bareOf(base);
    return {
      cache,
      sandbox: this.options.sandbox,
      take: (commit, from, on) => inTurn(cache.gitDir, () => take(cache.git, { commit, from, base: on })),
      push: (ref, commit) => this.push(ref, commit),
    };
  }

  async checkout(commit: CommitId, folder: string): Promise<void> {
    await checkoutFiles((await this.bareOf(commit)).gitDir, commit, folder);
  }

  async changedLines(base: CommitId, commit: CommitId): Promise<ChangedLines[]> {
    return readChangedLines((await this.bareOf(base)).git, base, commit);
  }

  async diff(base: CommitId, commit: CommitId): Promise<string> {
    return readDiff((await this.bareOf(base)).git, base, commit);
  }

  async readFile(commit: CommitId, path: string): Promise<Uint8Array> {
    return readCommitFile((await this.bareOf(commit)).git, commit, path);
  }

  close(): Promise<void> {
    return this.remote.close();
  }
}

function keptRef(commit: CommitId): string {
  return `refs/switchyard/kept/${commit}`;
}

/** Kept means whole: the ref is written after the objects of the commit and of its history. */
function isKept(git: Git, commit: CommitId): Promise<boolean> {
  return git.holds(['rev-parse', '-q', '--verify', keptRef(commit)]);
}

/** Takes a commit that was built here, so that it can be checked out and pushed. */
async function take(
  git: Git,
  built: { readonly commit: CommitId; readonly from: Git; readonly base: CommitId },
): Promise<void> {
  const { commit, from, base } = built;
  await copyObjects({ from, to: git, commits: [commit], have: [base] });
  await git.run(['update-ref', keptRef(commit), commit]);
}

/** One writer at a time in each cache, also when it is opened anew while the one before still works. */
const turns = new Map<string, Promise<unknown>>();

function inTurn<T>(gitDir: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(gitDir) ?? Promise.resolve();
  const mine = before.then(work, work);
  turns.set(gitDir, mine);
  return mine;
}

/** It is only a cache: what cannot be read any more is made anew. */
async function openBare(gitDir: string, format: ObjectFormat, logger: Logger): Promise<Bare> {
  const git = await openPrivateRepository(gitDir, format);
  if (await git.holds(['for-each-ref', '--count=1'])) {
    await tidyCache(git, gitDir, logger);
    return { gitDir, git };
  }
  logger.warn({ gitDir }, 'the object cache cannot be read and is made anew');
  rmSync(gitDir, { recursive: true, force: true });
  return { gitDir, git: await openPrivateRepository(gitDir, format) };
}
