import { createHash } from 'node:crypto';
import {
  AppError,
  commitId,
  type ChangedFile,
  type CommitId,
  type RunId,
  type SourceRange,
} from '@switchyard/protocol';
import type {
  ApplyPlan,
  ApplyRequest,
  ApplyResult,
  AttemptCheck,
  ConflictFile,
  IntegrationRequest,
  IntegrationResult,
  KeptCommit,
  RevertRequest,
  RevertResult,
  RunRepository,
} from '@switchyard/repo';

interface StoredCommit {
  readonly parent: CommitId | undefined;
  readonly files: readonly ChangedFile[];
}

/**
 * A run repository without git: commits are names and lists of changed files. What it promises it keeps: integration
 * is a function of its request, branches move by compare-and-swap, an attempt is judged by its commit alone.
 */
export class MemoryRepository implements RunRepository {
  readonly gitDir = '/nowhere';
  readonly head: CommitId;
  readonly commits = new Map<CommitId, StoredCommit>();
  /** Where each run's branch is. */
  readonly branches = new Map<RunId, CommitId>();
  readonly published: RunId[] = [];
  /** Integrations carried out, oldest first. */
  readonly integrations: IntegrationRequest[] = [];
  /** Rollbacks carried out, oldest first. */
  readonly reverts: RevertRequest[] = [];
  /** Tasks whose merge later changes are mixed with, with the files. */
  readonly mixed = new Map<string, ConflictFile[]>();
  readonly moves: { readonly run: RunId; readonly from: CommitId; readonly to: CommitId }[] = [];
  readonly applied: ApplyRequest[] = [];
  /** Late commits by their refs. */
  readonly salvaged = new Map<string, CommitId>();
  /** Work in progress by its refs. */
  readonly wip = new Map<string, CommitId>();
  /** Names of the files at the root of every commit. */
  rootNames = new Set<string>(['README.md']);
  /** Tasks whose change conflicts, with the files that do. */
  readonly conflicting = new Map<string, ConflictFile[]>();
  /** How many lines files have, 0 for none: every commit has every other path, with a thousand of them. */
  readonly lengths = new Map<string, number>();
  /** The user's head has moved since the run began. */
  headMoved = false;
  /** Called before a method does its work; throws or waits in its stead. */
  before: (method: keyof RunRepository) => void | Promise<void> = () => undefined;

  constructor() {
    this.head = this.commit('base', undefined, []);
  }

  /** A commit as a worker hands it in. */
  handIn(base: CommitId, paths: readonly string[]): CommitId {
    return this.commit(
      `attempt ${this.commits.size}`,
      base,
      paths.map((path) => ({ path, change: 'modified' })),
    );
  }

  async resolveBase(revision = 'HEAD'): Promise<CommitId> {
    await this.before('resolveBase');
    if (revision === 'HEAD') return this.head;
    throw new AppError('E_BASE_UNKNOWN', `the base "${revision}" is no branch, tag or commit`);
  }

  rootFiles(): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.rootNames);
  }

  importFiles(run: RunId, paths: readonly string[]): Promise<CommitId | undefined> {
    return Promise.resolve(this.commit(`include ${run} ${paths.join()}`, undefined, []));
  }

  async createRun(run: RunId, base: CommitId): Promise<void> {
    await this.before('createRun');
    this.branches.set(run, base);
  }

  async integrate(request: IntegrationRequest): Promise<IntegrationResult> {
    await this.before('integrate');
    this.integrations.push(request);
    const result: IntegrationResult = { tip: request.parent, merged: [], conflicts: [] };
    let { tip } = result;
    for (const entry of request.entries) {
      const { taskId, commit } = entry;
      const files = this.conflictOf(entry, request);
      if (files !== undefined) {
        result.conflicts.push({ taskId, files });
        continue;
      }
      tip = this.commit(`merge ${tip} ${commit} ${request.at}`, tip, this.commits.get(commit)?.files ?? []);
      result.merged.push({ taskId, commit: tip });
    }
    return { ...result, tip };
  }

  async revert(request: RevertRequest): Promise<RevertResult> {
    await this.before('revert');
    this.reverts.push(request);
    const result: RevertResult = { tip: request.parent, isBase: false, conflicts: [] };
    let { tip } = result;
    for (const { taskId, merge } of request.entries) {
      const files = this.mixed.get(taskId);
      if (files !== undefined) result.conflicts.push({ taskId, files });
      else tip = this.commit(`revert ${tip} ${merge} ${request.at}`, tip, []);
    }
    return { ...result, tip };
  }

  /** The files in which an entry conflicts; undefined: it does not. */
  protected conflictOf(
    { taskId }: IntegrationRequest['entries'][number],
    _request: IntegrationRequest,
  ): ConflictFile[] | undefined {
    return this.conflicting.get(taskId);
  }

  async moveRun(run: RunId, from: CommitId, to: CommitId): Promise<void> {
    await this.before('moveRun');
    const tip = this.branches.get(run);
    if (tip === to) return;
    if (tip !== from)
      throw new AppError('E_RUN_BRANCH_MOVED', `the branch of ${run} is at ${tip ?? 'nothing'}`);
    this.branches.set(run, to);
    this.moves.push({ run, from, to });
  }

  runTip(run: RunId): Promise<CommitId | undefined> {
    return Promise.resolve(this.branches.get(run));
  }

  async checkAttempt(request: Parameters<RunRepository['checkAttempt']>[0]): Promise<AttemptCheck> {
    await this.before('checkAttempt');
    const found = this.commits.get(request.commit);
    if (found === undefined)
      throw new AppError('E_NOT_FOUND', `the commit ${request.commit} was never handed in`);
    if (found.parent !== request.base)
      throw new AppError('E_WORKSPACE_VIOLATION', `the commit ${request.commit} rests on another one`);
    const outside = found.files.map(({ path }) => path).filter((path) => !isInside(path, request.workspace));
    return { files: [...found.files], outside };
  }

  changedLines(): Promise<[]> {
    return Promise.resolve([]);
  }

  async fileLengths(_commit: CommitId, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
    await this.before('fileLengths');
    const known = paths.map((path): [string, number] => [path, this.lengths.get(path) ?? 1_000]);
    return new Map(known.filter(([, lines]) => lines > 0));
  }

  sourceLines(_commit: CommitId, ranges: readonly SourceRange[]): Promise<readonly undefined[]> {
    return Promise.resolve(ranges.map(() => undefined));
  }

  checkout(): Promise<void> {
    return Promise.resolve();
  }

  planApply(): Promise<ApplyPlan> {
    return Promise.resolve({ head: this.head, fastForward: true, files: [], conflicts: [], dirty: [] });
  }

  async apply(request: ApplyRequest): Promise<ApplyResult> {
    await this.before('apply');
    if (this.headMoved && (await request.verify(request.commit)) !== undefined)
      throw new AppError('E_APPLY_UNVERIFIED', 'the merged result does not pass');
    this.applied.push(request);
    const files = this.commits.get(request.commit)?.files.map(({ path }) => path) ?? [];
    return { commit: request.commit, fastForward: !this.headMoved, files };
  }

  async publish(run: RunId): Promise<void> {
    await this.before('publish');
    this.published.push(run);
  }

  pinAttempt(): Promise<void> {
    return Promise.resolve();
  }

  async pinSalvage({ run, taskId, fence, commit }: KeptCommit): Promise<string> {
    await this.before('pinSalvage');
    const ref = `refs/switchyard/salvage/${run}/${taskId}/${fence}`;
    this.salvaged.set(ref, commit);
    return ref;
  }

  async pinWip({ run, taskId, fence, commit }: KeptCommit): Promise<string> {
    await this.before('pinWip');
    const ref = `refs/switchyard/wip/${run}/${taskId}/${fence}`;
    this.wip.set(ref, commit);
    return ref;
  }

  dropRun(run: RunId): Promise<void> {
    this.branches.delete(run);
    return Promise.resolve();
  }

  private commit(name: string, parent: CommitId | undefined, files: readonly ChangedFile[]): CommitId {
    const id = commitId.parse(createHash('sha1').update(name).digest('hex'));
    this.commits.set(id, { parent, files });
    return id;
  }
}

function isInside(path: string, workspace: readonly string[]): boolean {
  return workspace.some((place) => place === '.' || path === place || path.startsWith(`${place}/`));
}
