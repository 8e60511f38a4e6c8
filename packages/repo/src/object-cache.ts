import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, commitId, type CommitId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { prepareAttempt, type AttemptClone, type AttemptRequest } from './attempt-clone.ts';
import { readChangedLines, type ChangedLines } from './changed-lines.ts';
import { Git } from './git-runner.ts';
import { hostGit, mustGit } from './host-git.ts';
import { HubRemote, type HubRemoteOptions } from './hub-remote.ts';
import { makeGitDir } from './plain-git-dir.ts';
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
  /** The files of a commit as they are stored, without `.git`, in a folder that is new or empty. */
  checkout(commit: CommitId, folder: string): Promise<void>;
  /** Which lines of which files a commit wrote. */
  changedLines(base: CommitId, commit: CommitId): Promise<ChangedLines[]>;
  /** Unified diff between two commits, at most 10 MB of it. */
  diff(base: CommitId, commit: CommitId): Promise<string>;
  /** One file of a commit, at most 10 MB. Rejects with AppError E_NOT_FOUND, E_IS_DIRECTORY, E_TOO_LARGE. */
  readFile(commit: CommitId, path: string): Promise<Uint8Array>;
  /** Ends transfers; the folder stays. Closing twice is fine. */
  close(): Promise<void>;
}

const textBytesMax = 10 * 1024 * 1024;

/** Opens the cache in a folder, making it if it is not there, or anew if it cannot be read. */
export async function openObjectCache(options: ObjectCacheOptions): Promise<ObjectCache> {
  const gitDir = join(options.folder, 'cache.git');
  await inTurn(gitDir, () => makeReady(gitDir, options.logger));
  return new BareCache(gitDir, options, await HubRemote.open(options));
}

class BareCache implements ObjectCache {
  private readonly gitDir: string;
  private readonly options: ObjectCacheOptions;
  private readonly remote: HubRemote;

  constructor(gitDir: string, options: ObjectCacheOptions, remote: HubRemote) {
    this.gitDir = gitDir;
    this.options = options;
    this.remote = remote;
  }

  fetch(commits: readonly CommitId[]): Promise<void> {
    const asked = [...new Set(commits)].map((commit) => commitId.parse(commit));
    return inTurn(this.gitDir, async () => {
      const missing = [];
      for (const commit of asked) if (!(await this.has(commit))) missing.push(commit);
      if (missing.length === 0) return;
      await this.remote.fetch(this.gitDir, missing, keptRef);
      this.options.logger.debug({ commits: missing }, 'objects fetched');
    });
  }

  /** Kept means whole: the ref is written after the objects of the commit and of its history. */
  private async has(commit: CommitId): Promise<boolean> {
    const found = await hostGit(['rev-parse', '-q', '--verify', keptRef(commit)], { gitDir: this.gitDir });
    return found.exitCode === 0;
  }

  prepareAttempt(request: AttemptRequest): Promise<AttemptClone> {
    return prepareAttempt(request, {
      cacheDir: this.gitDir,
      sandbox: this.options.sandbox,
      logger: this.options.logger,
      take: (commit, pack) => inTurn(this.gitDir, () => this.take(commit, pack)),
      push: (ref, commit) => this.remote.push(this.gitDir, ref, commit),
    });
  }

  /** Takes a commit built here into the cache, so that it can be checked out and pushed; git checks what it takes. */
  private async take(commit: CommitId, pack: Buffer): Promise<void> {
    const { gitDir } = this;
    const taken = await hostGit(['index-pack', '--stdin', '--fix-thin', '--strict'], { gitDir, stdin: pack });
    if (taken.exitCode !== 0) {
      const said = taken.stderr.trim().slice(-1000);
      throw new AppError('E_PATH_INVALID', `git refuses the files of the attempt: ${said}`);
    }
    await mustGit(['update-ref', keptRef(commit), commit], { gitDir });
  }

  async checkout(commit: CommitId, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await this.withIndex(async (index) => {
      const at = { gitDir: this.gitDir, workTree: folder, env: { GIT_INDEX_FILE: index } };
      await mustGit(['read-tree', `${commit}^{tree}`], at);
      await mustGit(['checkout-index', '-a', '-q'], at);
    });
  }

  private async withIndex<T>(work: (index: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.options.folder, 'index-'));
    try {
      return await work(join(folder, 'index'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  changedLines(base: CommitId, commit: CommitId): Promise<ChangedLines[]> {
    return readChangedLines(Git.at(this.gitDir), base, commit);
  }

  async diff(base: CommitId, commit: CommitId): Promise<string> {
    const { gitDir } = this;
    const args = 'diff-tree -p --no-color --no-ext-diff --no-textconv --no-renames --full-index'.split(' ');
    const result = await hostGit([...args, base, commit], { gitDir, outputBytesMax: textBytesMax });
    if (result.stdout.length > textBytesMax)
      return `${result.stdout.subarray(0, textBytesMax).toString()}\n(cut at 10 MB)\n`;
    if (result.exitCode !== 0)
      throw new AppError('E_NOT_FOUND', `${base}..${commit}: ${result.stderr.trim()}`);
    return result.stdout.toString();
  }

  async readFile(commit: CommitId, path: string): Promise<Uint8Array> {
    const { gitDir } = this;
    const name = `${commit}:${path}`;
    const described = await hostGit(['cat-file', '--batch-check=%(objecttype) %(objectsize)', '-z'], {
      gitDir,
      stdin: `${name}\0`,
    });
    const [kind, size] = described.stdout.toString().trim().split(' ');
    if (kind === 'tree') throw new AppError('E_IS_DIRECTORY', `${path} is a folder in ${commit}`);
    if (kind !== 'blob') throw new AppError('E_NOT_FOUND', `${path} is not in ${commit}`);
    if (Number(size) > textBytesMax)
      throw new AppError('E_TOO_LARGE', `${path} in ${commit} has ${size} bytes`);
    return mustGit(['cat-file', 'blob', name], { gitDir });
  }

  close(): Promise<void> {
    return this.remote.close();
  }
}

function keptRef(commit: CommitId): string {
  return `refs/switchyard/kept/${commit}`;
}

/** One writer at a time in each cache, also when it is opened anew while the one before still works. */
const turns = new Map<string, Promise<unknown>>();

function inTurn<T>(gitDir: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(gitDir) ?? Promise.resolve();
  const mine = before.then(work, work);
  turns.set(gitDir, mine);
  return mine;
}

async function makeReady(gitDir: string, logger: Logger): Promise<void> {
  if (existsSync(gitDir)) {
    const { exitCode } = await hostGit(['for-each-ref', '--count=1'], { gitDir });
    if (exitCode === 0) return removeLocks(gitDir);
    logger.warn({ gitDir }, 'the object cache cannot be read and is made anew');
    rmSync(gitDir, { recursive: true, force: true });
  }
  mkdirSync(gitDir, { recursive: true, mode: 0o700 });
  makeGitDir(gitDir, {
    head: 'ref: refs/heads/none',
    bare: true,
    objectFormat: 'sha1',
    config: '[fetch]\n\tfsckObjects = true\n[core]\n\tfsync = committed\n',
  });
}

/** What a process that was killed left locked: nobody else works here, and our own work waits for its turn. */
function removeLocks(gitDir: string): void {
  for (const entry of readdirSync(join(gitDir, 'refs'), { recursive: true, withFileTypes: true }))
    if (entry.name.endsWith('.lock')) rmSync(join(entry.parentPath, entry.name), { force: true });
  for (const name of ['packed-refs.lock', 'shallow.lock', 'config.lock'])
    rmSync(join(gitDir, name), { force: true });
}
