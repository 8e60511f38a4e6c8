import { AppError, type CommitId, type RunId } from '@switchyard/protocol';
import { MemoryRepository } from '@switchyard/testkit';
import { Life, Machine, type World } from './world.ts';

type Request = Parameters<MemoryRepository['integrate']>[0];
type Reverts = Parameters<MemoryRepository['revert']>[0];
type Entry = Request['entries'][number];
type Kept = Parameters<MemoryRepository['pinSalvage']>[0];

/** Of attempts whose ground has moved, how many conflict with it. */
const conflictShare = 0.1;
/** Of attempts, how many make the verification fail. */
const badShare = 0.06;

export interface GitOptions {
  /** Merges whatever is asked on whatever is there (a planted bug). */
  readonly careless: boolean;
}

/** The run repository on a disk: every step takes time, fails at times, and the process may end before or behind it. */
export class GitDisk extends MemoryRepository {
  /** Merge commit → the attempt's commit that it merges. */
  readonly mergeOf = new Map<CommitId, CommitId>();
  /** Commit of a rollback → the merge it takes back. */
  readonly revertOf = new Map<CommitId, CommitId>();
  /** Attempt's commit → the attempt's name. */
  readonly attemptOf = new Map<CommitId, string>();
  /** Steps fail, before or behind what they do. */
  isTroubled = false;
  private life = new Life(new Machine('nobody'));
  private readonly world: World;
  private readonly options: GitOptions;

  constructor(world: World, options: GitOptions) {
    super();
    this.world = world;
    this.options = options;
  }

  /** The same repository for one process: its steps end with it. */
  of(life: Life): GitDisk {
    const view = Object.create(this) as GitDisk;
    view.life = life;
    view.before = () => view.pass();
    return view;
  }

  /** What an attempt has pushed. `name`: `run/task#fence`. */
  push(base: CommitId, paths: readonly string[], name: string): CommitId {
    const commit = this.handIn(base, paths);
    this.attemptOf.set(commit, name);
    return commit;
  }

  /** The commits from a tip down to the first. */
  ancestry(tip: CommitId): CommitId[] {
    const line: CommitId[] = [];
    for (let at: CommitId | undefined = tip; at !== undefined; at = this.commits.get(at)?.parent)
      line.push(at);
    return line;
  }

  /** Commits of attempts that are merged below a tip. */
  attemptsIn(tip: CommitId): CommitId[] {
    return this.ancestry(tip).flatMap((commit) => this.mergeOf.get(commit) ?? []);
  }

  /** Merges that are taken back below a tip. */
  revertsIn(tip: CommitId): CommitId[] {
    return this.ancestry(tip).flatMap((commit) => this.revertOf.get(commit) ?? []);
  }

  /** Whether what is there passes its verification. */
  passes(tip: CommitId): boolean {
    const gone = new Set(this.revertsIn(tip).map((merge) => this.mergeOf.get(merge)));
    return !this.attemptsIn(tip).some((commit) => !gone.has(commit) && this.isBad(commit));
  }

  /** Whether an attempt's change makes the verification fail. */
  isBad(commit: CommitId): boolean {
    return this.world.fate(`bad ${unrun(this.attemptOf.get(commit) ?? commit)}`).next() < badShare;
  }

  override async integrate(request: Request): ReturnType<MemoryRepository['integrate']> {
    const parent = this.options.careless
      ? (this.branches.get(request.run) ?? request.parent)
      : request.parent;
    const result = await super.integrate({ ...request, parent });
    for (const { taskId, commit } of result.merged) {
      const entry = request.entries.find((one) => one.taskId === taskId);
      if (entry !== undefined) this.mergeOf.set(commit, entry.commit);
    }
    await this.pass();
    return result;
  }

  override async revert(request: Reverts): ReturnType<MemoryRepository['revert']> {
    const result = await super.revert(request);
    const line = this.ancestry(result.tip).slice(0, request.entries.length).toReversed();
    for (const [place, commit] of line.entries()) {
      const merge = request.entries[place]?.merge;
      if (merge !== undefined) this.revertOf.set(commit, merge);
    }
    await this.pass();
    return result;
  }

  override async moveRun(run: RunId, from: CommitId, to: CommitId): Promise<void> {
    await super.moveRun(run, this.options.careless ? (this.branches.get(run) ?? from) : from, to);
    this.world.note(`the branch moves to ${to.slice(0, 8)}`);
    await this.pass();
  }

  override async pinSalvage(kept: Kept): Promise<string> {
    const ref = await super.pinSalvage(kept);
    await this.pass();
    return ref;
  }

  override async pinWip(kept: Kept): Promise<string> {
    const ref = await super.pinWip(kept);
    await this.pass();
    return ref;
  }

  /** The same for the same request, however often it is asked. */
  protected override conflictOf(
    entry: Entry,
    { parent }: Request,
  ): ReturnType<MemoryRepository['conflictOf']> {
    if (entry.base === parent) return undefined;
    const conflicts = this.world.fate(`conflict ${entry.taskId}#${entry.fence}`).next() < conflictShare;
    return conflicts ? [{ path: `${entry.workspace[0] ?? ''}/index.ts`, ours: 'x', theirs: 'y' }] : undefined;
  }

  private async pass(): Promise<void> {
    const { world, life } = this;
    await world.pass(world.between(1, 15), '', life);
    if (this.isTroubled && world.random.next() < 0.5)
      throw new AppError('E_IO', 'git: the disk does not answer');
  }
}

/** An attempt's name without its run, whose name is random. */
function unrun(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}
