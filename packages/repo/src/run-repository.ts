import { createHash } from 'node:crypto';
import {
  AppError,
  commitId,
  slugOf,
  type CommitId,
  type RunId,
  type SourceRange,
  type TaskId,
} from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { applyRun, planApply, type ApplyPlan, type ApplyRequest, type ApplyResult } from './apply.ts';
import { checkBase } from './base-check.ts';
import { readChangedLines, type ChangedLines } from './changed-lines.ts';
import { treeChanges } from './changed-files.ts';
import { checkoutFiles } from './checkout.ts';
import { readFileLengths } from './file-lengths.ts';
import { readSourceLines } from './source-lines.ts';
import { Git } from './git-runner.ts';
import { commitIncludeFiles } from './include-files.ts';
import { integrateEntries, type IntegrationRequest, type IntegrationResult } from './integrate.ts';
import { absent, copyObjects, refTips } from './object-transfer.ts';
import { ObjectReader } from './object-reader.ts';
import { importShallow } from './shallow-history.ts';
import { openPrivateRepository } from './private-repository.ts';
import { publishRun } from './publish.ts';
import { revertEntries, type RevertRequest, type RevertResult } from './revert.ts';
import { splitNul, textOf } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';
import { checkChanges, type AttemptCheck } from './workspace-check.ts';

/** A commit of an attempt that is kept beside its result: handed in late, or its work in progress. */
export interface KeptCommit {
  readonly run: RunId;
  readonly taskId: TaskId;
  readonly fence: number;
  readonly commit: CommitId;
}

/** The orchestrator's private bare repository: everything a run needs of git, apart from the user's. */
export interface RunRepository {
  readonly gitDir: string;
  /**
   * The commit that a branch, tag or other revision of the user's repository names (default: its head), with all
   * its objects here and pinned. Throws AppError E_BASE_UNKNOWN, E_SUBMODULES, E_PATH_INVALID.
   */
  resolveBase(revision?: string): Promise<CommitId>;
  /** Names of the files at the root of a commit. */
  rootFiles(commit: CommitId): Promise<ReadonlySet<string>>;
  /** A pinned commit of untracked files of the user's checkout. Throws AppError E_NOT_FOUND, E_PATH_INVALID, E_TOO_LARGE. */
  importFiles(run: RunId, paths: readonly string[]): Promise<CommitId | undefined>;
  /** Makes the run's branch; once more with the same base is fine. Throws AppError E_RUN_BRANCH_MOVED. */
  createRun(run: RunId, base: CommitId): Promise<void>;
  /** Computes and pins what accepted attempts give; the same request gives the same commits. */
  integrate(request: IntegrationRequest): Promise<IntegrationResult>;
  /** Computes and pins what taking merges back gives; the same request gives the same commits. */
  revert(request: RevertRequest): Promise<RevertResult>;
  /** Moves the run's branch by compare-and-swap; already there is fine. Throws AppError E_RUN_BRANCH_MOVED. */
  moveRun(run: RunId, from: CommitId, to: CommitId): Promise<void>;
  /** Where the run's branch is; nothing for an unknown run. */
  runTip(run: RunId): Promise<CommitId | undefined>;
  /** What an attempt's commit changed, and what of it was not its to change. Throws AppError E_NOT_FOUND, E_WORKSPACE_VIOLATION for another parent than `base`. */
  checkAttempt(request: {
    readonly commit: CommitId;
    readonly base: CommitId;
    readonly workspace: readonly string[];
  }): Promise<AttemptCheck>;
  changedLines(base: CommitId, commit: CommitId): Promise<ChangedLines[]>;
  /**
   * How many lines the files have that a commit has among the paths; one that it lacks has no entry. 0: a folder;
   * Infinity: too large to be counted.
   */
  fileLengths(commit: CommitId, paths: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The lines of each range as a commit has them, cut where they are long; undefined where there is no such text. */
  sourceLines(
    commit: CommitId,
    ranges: readonly SourceRange[],
  ): Promise<readonly (readonly string[] | undefined)[]>;
  /** Writes the files of a commit into a new or empty folder, byte for byte, without a `.git`. */
  checkout(commit: CommitId, folder: string): Promise<void>;
  /** What `apply` would do now, without doing it. */
  planApply(run: RunId, commit: CommitId): Promise<ApplyPlan>;
  /** Puts the run onto the head of the user's checkout. Throws AppError E_APPLY_CONFLICT, E_APPLY_DIRTY, E_APPLY_UNVERIFIED. */
  apply(request: ApplyRequest): Promise<ApplyResult>;
  /** Copies the run's branch into the user's repository as `refs/heads/switchyard/<run>`; the checkout stays. One at a time. */
  publish(run: RunId): Promise<void>;
  /** Keeps a commit of an attempt from ever being collected, also when nobody pushed it by its name. */
  pinAttempt(run: RunId, name: string, commit: CommitId): Promise<void>;
  /** Pins the late commit of a fenced attempt; once more is fine. The answer is the ref. */
  pinSalvage(late: KeptCommit): Promise<string>;
  /** Pins the work in progress of an attempt, in the place of what it had before. The answer is the ref. */
  pinWip(work: KeptCommit): Promise<string>;
  /** Forgets all refs of a run here; the user's repository keeps what was published. */
  dropRun(run: RunId): Promise<void>;
}

/** Opens the private repository of a user's repository, making it if need be. The caller holds its folder alone. */
export async function openRunRepository(options: {
  readonly gitDir: string;
  readonly user: UserRepository;
  readonly logger: Logger;
}): Promise<RunRepository> {
  const git = await openPrivateRepository(options.gitDir, options.user.objectFormat);
  return new PrivateRunRepository(git, options);
}

/** The ref of a run's branch, in our repository and the user's. */
export function runBranch(run: RunId): string {
  return `refs/heads/switchyard/${run}`;
}

/** What a run has below `refs/switchyard/`. */
const refKinds = ['include', 'candidates', 'attempts', 'pinned', 'salvage', 'wip', 'uploads'] as const;

/** Where a commit of an attempt is kept; the task's name is readable, and unique by a digest. */
function keptRef(
  kind: 'salvage' | 'wip' | 'uploads',
  { run, taskId, fence }: Omit<KeptCommit, 'commit'>,
): string {
  const digest = createHash('sha256').update(taskId).digest('hex').slice(0, 8);
  return `refs/switchyard/${kind}/${run}/${slugOf(taskId)}-${digest}/${fence}`;
}

class PrivateRunRepository implements RunRepository {
  readonly gitDir: string;
  private readonly git: Git;
  private readonly user: UserRepository;
  private readonly logger: Logger;
  /** The last publication: they take turns, so that an older tip never follows a newer one. */
  private published: Promise<void> = Promise.resolve();

  constructor(git: Git, options: { gitDir: string; user: UserRepository; logger: Logger }) {
    this.git = git;
    this.gitDir = options.gitDir;
    this.user = options.user;
    this.logger = options.logger;
  }

  async resolveBase(revision = 'HEAD'): Promise<CommitId> {
    const { user, git } = this;
    const from = Git.at(user.gitDir);
    const { exitCode, stdout } = await from.run(
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
      { accept: [1, 128] },
    );
    const base = commitId.safeParse(stdout.toString('utf8').trim());
    if (exitCode !== 0 || !base.success) {
      throw new AppError(
        'E_BASE_UNKNOWN',
        `the base "${revision}" is no branch, tag or commit of ${user.workTree}`,
      );
    }
    // A repository with a cut history has commits whose parents it lacks; ours then lacks the same ones.
    await importShallow(user.gitCommonDir, this.gitDir);
    await copyObjects({ from, to: git, commits: [base.data], have: await refTips(git) });
    await checkBase(git, base.data);
    await git.run(['update-ref', `refs/switchyard/bases/${base.data}`, base.data]);
    return base.data;
  }

  async rootFiles(commit: CommitId): Promise<ReadonlySet<string>> {
    const { stdout } = await this.git.run(['ls-tree', '-z', '--full-tree', commit]);
    const files = splitNul(stdout).filter((line) => line.startsWith('100'));
    return new Set(files.map((line) => textOf(line.slice(line.indexOf('\t') + 1) as typeof line) ?? ''));
  }

  async importFiles(run: RunId, paths: readonly string[]): Promise<CommitId | undefined> {
    const commit = await commitIncludeFiles(
      { git: this.git, gitDir: this.gitDir },
      this.user.workTree,
      paths,
    );
    if (commit !== undefined) await this.git.run(['update-ref', `refs/switchyard/include/${run}`, commit]);
    return commit;
  }

  async createRun(run: RunId, base: CommitId): Promise<void> {
    const tip = await this.runTip(run);
    if (tip === base) return;
    if (tip !== undefined) throw this.moved(run, base, tip);
    await this.git.run(['update-ref', runBranch(run), base, '0'.repeat(base.length)]);
  }

  async integrate(request: IntegrationRequest): Promise<IntegrationResult> {
    const result = await integrateEntries(this.git, request);
    await this.git.run(['update-ref', `refs/switchyard/candidates/${request.run}`, result.tip]);
    return result;
  }

  async revert(request: RevertRequest): Promise<RevertResult> {
    const result = await revertEntries(this.git, request);
    await this.git.run(['update-ref', `refs/switchyard/candidates/${request.run}`, result.tip]);
    return result;
  }

  async moveRun(run: RunId, from: CommitId, to: CommitId): Promise<void> {
    const tip = await this.runTip(run);
    if (tip === to) return;
    if (tip !== from) throw this.moved(run, from, tip);
    const { exitCode } = await this.git.run(['update-ref', runBranch(run), to, from], { accept: [1, 128] });
    if (exitCode === 0) return;
    throw this.moved(run, from, await this.runTip(run));
  }

  async runTip(run: RunId): Promise<CommitId | undefined> {
    const { stdout } = await this.git.run(['rev-parse', '--verify', '--quiet', runBranch(run)], {
      accept: [1],
    });
    return commitId.safeParse(stdout.toString('utf8').trim()).data;
  }

  async checkAttempt(request: {
    readonly commit: CommitId;
    readonly base: CommitId;
    readonly workspace: readonly string[];
  }): Promise<AttemptCheck> {
    const { commit, base, workspace } = request;
    if ((await absent(this.git, [commit, base])).length > 0) {
      throw new AppError('E_NOT_FOUND', `the commit ${commit} or its base ${base} was never handed in`);
    }
    const parents = (await this.git.line(['rev-list', '--parents', '-1', commit])).split(' ').slice(1);
    if (parents.length !== 1 || parents[0] !== base) {
      throw new AppError(
        'E_WORKSPACE_VIOLATION',
        `the commit ${commit} rests on ${parents.join(', ') || 'nothing'}, not on ${base} alone`,
      );
    }
    const changes = await treeChanges(this.git, base, commit);
    return ObjectReader.use(this.git, (reader) =>
      checkChanges(changes, workspace, async ({ mode, id }) =>
        (await reader.blob({ mode, id })).toString('utf8'),
      ),
    );
  }

  changedLines(base: CommitId, commit: CommitId): Promise<ChangedLines[]> {
    return readChangedLines(this.git, base, commit);
  }

  fileLengths(commit: CommitId, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return readFileLengths(this.git, commit, paths);
  }

  sourceLines(
    commit: CommitId,
    ranges: readonly SourceRange[],
  ): Promise<readonly (readonly string[] | undefined)[]> {
    return readSourceLines(this.git, commit, ranges);
  }

  checkout(commit: CommitId, folder: string): Promise<void> {
    return checkoutFiles(this.gitDir, commit, folder);
  }

  planApply(run: RunId, commit: CommitId): Promise<ApplyPlan> {
    return planApply({ git: this.git, gitDir: this.gitDir, user: this.user }, run, commit);
  }

  apply(request: ApplyRequest): Promise<ApplyResult> {
    return applyRun({ git: this.git, gitDir: this.gitDir, user: this.user }, request);
  }

  publish(run: RunId): Promise<void> {
    const publication = async (): Promise<void> => {
      const tip = await this.runTip(run);
      if (tip !== undefined)
        await publishRun({ git: this.git, user: this.user, logger: this.logger }, run, tip);
    };
    const mine = this.published.then(publication, publication);
    this.published = mine;
    return mine;
  }

  async pinAttempt(run: RunId, name: string, commit: CommitId): Promise<void> {
    await this.git.run(['update-ref', `refs/switchyard/pinned/${run}/${name}`, commit]);
  }

  async pinSalvage(late: KeptCommit): Promise<string> {
    const ref = keptRef('salvage', late);
    await this.git.run(['update-ref', ref, late.commit]);
    return ref;
  }

  async pinWip(work: KeptCommit): Promise<string> {
    const ref = keptRef('wip', work);
    const format = '--format=delete %(refname)';
    const uploads = await this.git.line(['for-each-ref', format, keptRef('uploads', work)]);
    const stdin = `update ${ref} ${work.commit}\n${uploads === '' ? '' : `${uploads}\n`}`;
    await this.git.run(['update-ref', '--stdin'], { stdin });
    return ref;
  }

  async dropRun(run: RunId): Promise<void> {
    const refs = await this.git.line([
      'for-each-ref',
      '--format=delete %(refname)',
      runBranch(run),
      ...refKinds.map((kind) => `refs/switchyard/${kind}/${run}`),
    ]);
    if (refs !== '') await this.git.run(['update-ref', '--stdin'], { stdin: `${refs}\n` });
  }

  private moved(run: RunId, expected: CommitId, tip: CommitId | undefined): AppError {
    return new AppError(
      'E_RUN_BRANCH_MOVED',
      `the branch switchyard/${run} is at ${tip ?? 'nothing'} instead of ${expected}; somebody else moved it`,
    );
  }
}
