import { copyFile, mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type ChangedFile, type CommitId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { buildCommit } from './attempt-commit.ts';
import { AttemptPlace } from './attempt-place.ts';
import { layInclude } from './attempt-include.ts';
import { hostGit, mustGit } from './host-git.ts';
import { makeGitDir } from './plain-git-dir.ts';
import { removeFolder } from './remove-folder.ts';
import type { SandboxRun } from './sandbox-run.ts';

/** What an attempt starts from. */
export interface AttemptRequest {
  /** New or empty; nobody else's. */
  readonly folder: string;
  readonly base: CommitId;
  /** An earlier attempt's commit: its changes are laid onto the base, uncommitted, so that the work goes on. */
  readonly continueFrom?: CommitId;
  /** Untracked files that an attempt also needs, where the base has none; they stay uncommitted. */
  readonly include?: CommitId;
}

/** What to make of an attempt's files. */
export interface CommitRequest {
  /** The commit's only parent. */
  readonly base: CommitId;
  /** Folders and files that the attempt may change; `.` is everything. */
  readonly workspace: readonly string[];
  /** Patterns of places that stay as in the base: scratch, layers. */
  readonly exclude: readonly string[];
  readonly message: string;
  /** Milliseconds since the epoch; the commit's date. */
  readonly at: number;
}

/** What an attempt changed. */
export interface BuiltCommit {
  /** Absent where nothing changed in the workspace. */
  readonly commit?: CommitId;
  readonly files: ChangedFile[];
  /** Changed paths that are not in the workspace, or that no commit may hold; none of them is in the commit. */
  readonly outside: string[];
}

/** The files of one attempt. */
export interface AttemptClone {
  /**
   * The checkout. It has a throwaway `.git` of its own, on branch `attempt` at the base, complete in itself: nothing
   * outside `tree` needs to be readable. The attempt may do with it what it likes; nobody runs git with it.
   */
  readonly tree: string;
  /**
   * The commit of what stands in the tree. No process of the attempt may be alive. Rejects with AppError
   * E_TOO_LARGE, E_PATH_INVALID, E_SANDBOX, E_STORAGE.
   */
  buildCommit(request: CommitRequest): Promise<BuiltCommit>;
  /** Hands a built commit in; repeats are fine. Rejects as `ObjectCache.fetch` does, and with E_PROTOCOL. */
  push(ref: string, commit: CommitId): Promise<void>;
  /** Removes everything; twice is fine. */
  dispose(): Promise<void>;
}

/** What an attempt's clone needs of its cache. */
export interface AttemptContext {
  readonly cacheDir: string;
  readonly sandbox: SandboxRun;
  readonly logger: Logger;
  /** Takes a commit into the cache. */
  take(commit: CommitId, pack: Buffer): Promise<void>;
  push(ref: string, commit: CommitId): Promise<void>;
}

/** Makes the checkout and everything around it. What was made so far is removed when it fails. */
export async function prepareAttempt(
  request: AttemptRequest,
  context: AttemptContext,
): Promise<AttemptClone> {
  const place = new AttemptPlace(request.folder, context.cacheDir);
  const dispose = (): Promise<void> => removeFolder(request.folder, context.sandbox);
  try {
    await place.make(request.base);
    await layFiles(place, request);
    await makeThrowaway(place, request);
    const included = await layInclude(place, request.include);
    return {
      tree: place.tree,
      buildCommit: (asked) => buildCommit(asked, { place, included, context }),
      push: (ref, commit) => context.push(ref, commit),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function layFiles(place: AttemptPlace, { base, continueFrom }: AttemptRequest): Promise<void> {
  const tree = continueFrom === undefined ? `${base}^{tree}` : await continued(place, base, continueFrom);
  await place.git(['read-tree', tree]);
  await mustGit(['checkout-index', '-a', '-q', '-u'], place.options({ workTree: place.tree }));
}

/**
 * The earlier attempt's change on this base, which may have moved on since: others' work in it stays. Where both
 * changed the same lines, the file has both sides between markers, for the attempt to settle.
 */
async function continued(place: AttemptPlace, base: CommitId, from: CommitId): Promise<string> {
  const args = ['merge-tree', '--write-tree', '--allow-unrelated-histories', '--no-messages', '-z'];
  const merged = await hostGit([...args, base, from], place.options({}));
  const tree = /^[0-9a-f]+/.exec(merged.stdout.toString())?.[0];
  if (merged.exitCode > 1 || tree === undefined) {
    const said = merged.stderr.trim().slice(-500);
    throw new AppError('E_STORAGE', `the work of ${from} cannot be laid onto ${base}: ${said}`);
  }
  return tree;
}

/** The `.git` that the attempt sees: the base alone, in a pack of its own, since nothing else is mounted there. */
async function makeThrowaway(place: AttemptPlace, { base, continueFrom }: AttemptRequest): Promise<void> {
  const gitDir = join(place.tree, '.git');
  if (existsSync(gitDir)) throw new AppError('E_PATH_INVALID', `the commit ${base} holds a path .git`);
  await mkdir(gitDir);
  makeGitDir(gitDir, {
    head: 'ref: refs/heads/attempt',
    bare: false,
    objectFormat: base.length === 64 ? 'sha256' : 'sha1',
    config: '[user]\n\tname = Attempt\n\temail = attempt@localhost\n[gc]\n\tauto = 0\n',
  });
  const packed = join(gitDir, 'objects/pack/pack');
  await place.git(['pack-objects', '-q', '--revs', '--delta-base-offset', packed], {
    stdin: `--shallow ${base}\n${base}\n`,
  });
  await place.writeFiles(gitDir, {
    shallow: `${base}\n`,
    'refs/heads/attempt': `${base}\n`,
  });
  const index = join(gitDir, 'index');
  await copyFile(place.index, index);
  if (continueFrom !== undefined)
    await place.git(['read-tree', '-m', base], { env: { GIT_INDEX_FILE: index } });
}
