import type { ChangedFile, CommitId } from '@switchyard/protocol';
import type { Included } from './attempt-include.ts';
import type { AttemptPlace } from './attempt-place.ts';
import type { Git } from './git-runner.ts';
import type { SandboxRun } from './sandbox-run.ts';

/** What an attempt starts from. */
export interface AttemptRequest {
  /** New or empty; nobody else's. */
  readonly folder: string;
  readonly base: CommitId;
  /** An earlier attempt's commit: its changes are laid onto the base, uncommitted, so that the work goes on. */
  readonly continueFrom?: CommitId;
  /** Work in progress to go on from: these paths are as in this commit, whatever the base has there. */
  readonly resumeFrom?: { readonly commit: CommitId; readonly workspace: readonly string[] };
  /**
   * All that the attempt may read, where that is not everything: its `.git` then holds one commit of these paths
   * alone, so that nobody finds the rest there. The files of `tree` are all there; mounts decide what is seen.
   */
  readonly readable?: readonly string[];
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

/** What to keep of an attempt that may still be at work. */
export interface SnapshotRequest extends CommitRequest {
  /** The attempt may read nothing beside its workspace, so neither may what reads its files while it can move them. */
  readonly workspaceOnly: boolean;
}

/** The work of an attempt as it stood at a moment. */
export interface Snapshot {
  readonly commit: CommitId;
  readonly files: readonly ChangedFile[];
  /** Changed paths that are not kept. */
  readonly outside: readonly string[];
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
   * outside `tree` needs to be readable inside. The attempt may do with it what it likes; nobody runs git with it.
   */
  readonly tree: string;
  /**
   * The commit of what stands in the tree. No process of the attempt may be alive. Rejects with AppError
   * E_TOO_LARGE, E_PATH_INVALID, E_SANDBOX, E_STORAGE.
   */
  buildCommit(request: CommitRequest): Promise<BuiltCommit>;
  /**
   * The workspace as it stands, commits of the attempt and uncommitted work alike, as a commit on the base; processes
   * of the attempt may be at work, and a file that is being written is kept as far as it is. Nothing: it is as the
   * base. Files that did not change give the same commit again. What cannot be kept is left out. Rejects with
   * AppError E_SANDBOX, E_STORAGE.
   */
  snapshot(request: SnapshotRequest): Promise<Snapshot | undefined>;
  /** Hands a built commit in; repeats are fine. Rejects as `ObjectCache.fetch` does, and with E_PROTOCOL. */
  push(ref: string, commit: CommitId): Promise<void>;
  /** Removes everything; twice is fine. */
  dispose(): Promise<void>;
}

/** What an attempt's clone needs of its cache. */
export interface AttemptContext {
  readonly cache: { readonly gitDir: string; readonly git: Git };
  readonly sandbox: SandboxRun;
  /** Takes a built commit into the cache from where it was built. */
  take(commit: CommitId, from: Git, base: CommitId): Promise<void>;
  push(ref: string, commit: CommitId): Promise<void>;
}

/** One attempt's files and what belongs to them. */
export interface AttemptParts {
  readonly place: AttemptPlace;
  readonly included: Included;
  readonly context: AttemptContext;
  /** Set while processes of the attempt may be at work: files vanish, and what they are changes under our hands. */
  readonly live?: LiveFiles;
}

/** What git may read of files that may change at any moment. */
export interface LiveFiles {
  readonly read: readonly string[];
}
