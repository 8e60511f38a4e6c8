import type { CommitId, PeerId, RunEvent, TaskCompleted, TaskId } from '@switchyard/protocol';
import type { ReviewFact, ReviewState } from '@switchyard/review';
import {
  eventsOf,
  type Accepted,
  type AttemptRecord,
  type RunFact,
  type RunState,
} from '@switchyard/scheduler';
import type { StoredFact } from '@switchyard/store';
import { ReviewChecker, RunChecker, type OfferedBy } from '@switchyard/testkit';
import type { GitDisk } from './git-disk.ts';
import { Violation } from './violation.ts';

interface Handed {
  readonly fence: number;
  ended: boolean;
}

const reviewPrefix = 'review/';

/** What the journal has of one run, and what must hold for it. */
export class RunWatch {
  readonly checker: RunChecker;
  readonly events: RunEvent[] = [];
  private readonly run: string;
  private readonly git: GitDisk;
  private readonly reviews = new Map<string, ReviewChecker>();
  private readonly leases = new Map<TaskId, Handed>();
  /** Attempts, as `task#fence`, that have come to an end, and those whose results counted. */
  private readonly settled = new Set<string>();
  private readonly submitted = new Set<string>();
  /** Attempt, as `task#attempt`, and its work in progress as the journal has it. */
  private readonly wip = new Map<string, CommitId>();
  /** Merges that a rollback was to take back. */
  readonly rolledBack = new Set<CommitId>();
  /** What a person let pass. */
  private readonly passedByPerson = new Set<TaskId>();
  private readonly verified = new Set<CommitId>();
  private readonly touched = new Set<RunChecker | ReviewChecker>();

  constructor(run: string, git: GitDisk, offeredBy: OfferedBy) {
    this.run = run;
    this.git = git;
    this.checker = new RunChecker(offeredBy);
  }

  get ended(): boolean {
    return this.checker.ended;
  }

  get state(): RunState {
    return this.checker.state;
  }

  /** One fact more. Throws Violation. */
  fold({ kind, data }: StoredFact): void {
    if (kind.startsWith(reviewPrefix)) this.foldReview(data as { key: string; fact: ReviewFact });
    else this.foldRun(data as RunFact);
  }

  /** Once all facts of a transaction are folded. */
  checkWhole(): void {
    this.checking('10', () => {
      for (const checker of this.touched) checker.checkAlive();
      this.touched.clear();
    });
    this.checking('12', () => this.checker.checkReasons());
  }

  /** A worker was told that its report is kept. */
  acknowledged(taskId: TaskId, fence: number): void {
    if (!this.settled.has(`${taskId}#${fence}`) && !this.ended)
      throw new Violation(`1: ${taskId}#${fence} was acknowledged, and the journal does not have it`);
  }

  /** The same of a result: one of an attempt that was taken from its worker is kept as it is. */
  acknowledgedResult(from: PeerId, { taskId, fence, evidence }: TaskCompleted): void {
    const task = this.state.tasks.get(taskId);
    const record = task?.history.find((one) => one.fence === fence);
    const { commit } = evidence;
    if (task === undefined || record?.worker !== from || commit === undefined) return;
    if (this.submitted.has(`${taskId}#${fence}`)) return;
    const isFenced = record.outcome === 'lost' || record.outcome === 'cancelled';
    if (!isFenced || evidence.base !== record.base || !this.isWithin(commit, task.task.workspace)) return;
    const kept = record.salvage;
    if (kept?.commit !== commit || this.git.salvaged.get(kept.ref) !== commit)
      throw new Violation(`13: the late result of ${taskId}#${fence} was acknowledged and is not kept`);
  }

  openReviews(): ReviewState[] {
    return [...this.reviews.values()]
      .map(({ state }) => state)
      .filter(({ outcome }) => outcome === undefined);
  }

  /** Why it is not further, for people. */
  waitsFor(): string {
    return `${this.run}: ${this.checker.phases()}; integration ${this.state.integration.kind}`;
  }

  private foldReview({ key, fact }: { key: string; fact: ReviewFact }): void {
    const checker = this.reviews.get(key) ?? new ReviewChecker();
    this.reviews.set(key, checker);
    this.touched.add(checker);
    this.checking('10', () => checker.fold(fact));
  }

  private foldRun(fact: RunFact): void {
    this.before(fact);
    this.touched.add(this.checker);
    this.checking('10', () => this.checker.fold(fact));
    for (const event of eventsOf(this.state, fact, this.events.length + 1)) this.events.push(event);
  }

  private before(fact: RunFact): void {
    switch (fact.kind) {
      case 'task-leased':
        this.resumed(fact.taskId, fact.lease.resumeFrom);
        return this.leased(fact.taskId, fact.lease.fence);
      case 'task-submitted':
        this.endLease(fact);
        this.submitted.add(`${fact.taskId}#${fact.fence}`);
        return this.checkMaker(fact);
      case 'attempt-failed':
      case 'attempt-lost':
      case 'attempt-escalated':
      case 'attempt-cancelled':
        return this.endLease(fact);
      case 'attempt-wip':
        return this.keptWip(fact);
      case 'attempt-salvaged':
        return this.checkMaker({ ...fact, evidence: fact.salvage });
      case 'wait-answered':
        if (fact.action === 'accept') this.passedByPerson.add(fact.taskId);
        return;
      case 'task-accepted-for-merge':
        return this.mayMerge(fact.taskId, fact.accepted);
      case 'batch-verified':
        if (fact.passed) this.verified.add(fact.commit);
        return;
      case 'rollback-decided':
        for (const { commit } of fact.reverts) this.rolledBack.add(commit);
        return;
      case 'branch-moved':
        if (this.state.plan.verify.run.length > 0 && !this.verified.has(fact.to))
          throw new Violation(`5: the branch of ${this.run} moved to what no verification passed`);
        return;
      case 'task-completed':
        return this.completed(fact.taskId, fact.merged);
      default:
    }
  }

  /** Pinned first, then told. */
  private keptWip({ taskId, fence, attempt, wip }: Extract<RunFact, { kind: 'attempt-wip' }>): void {
    if (this.git.wip.get(wip.ref) === undefined) throw new Violation(`1: ${wip.ref} is not there`);
    this.checkMaker({ taskId, fence, evidence: wip });
    this.wip.set(`${taskId}#${attempt}`, wip.commit);
  }

  /** An attempt goes on from what the journal has of an earlier one, as that was last told. */
  private resumed(taskId: TaskId, from: { attempt: number; commit: CommitId } | undefined): void {
    if (from !== undefined && this.wip.get(`${taskId}#${from.attempt}`) !== from.commit)
      throw new Violation(`1: ${taskId} goes on from what is not the last work of attempt ${from.attempt}`);
  }

  private leased(taskId: TaskId, fence: number): void {
    const before = this.leases.get(taskId);
    if (before !== undefined && (!before.ended || before.fence >= fence))
      throw new Violation(`2: ${taskId} was leased as ${fence} while ${before.fence} was out`);
    this.leases.set(taskId, { fence, ended: false });
  }

  private endLease({ taskId, fence }: { taskId: TaskId; fence: number }): void {
    const lease = this.leases.get(taskId);
    if (lease?.fence !== fence || lease.ended)
      throw new Violation(`3: ${taskId}: a word of fence ${fence} counted, which was not current`);
    lease.ended = true;
    this.settled.add(`${taskId}#${fence}`);
  }

  private checkMaker(about: {
    readonly taskId: TaskId;
    readonly fence: number;
    readonly evidence: { readonly commit?: CommitId | undefined };
  }): void {
    const { commit } = about.evidence;
    const name = `${this.run}/${about.taskId}#${about.fence}`;
    if (commit !== undefined && this.git.attemptOf.get(commit) !== name)
      throw new Violation(`3: ${about.taskId}: fence ${about.fence} took another attempt's result`);
  }

  private mayMerge(taskId: TaskId, { fence }: Accepted): void {
    const mode = this.state.tasks.get(taskId)?.task.review.mode;
    const outcome = this.reviews.get(`${taskId}#${fence}`)?.state.outcome?.kind;
    if (mode === 'required' && outcome !== 'approved' && !this.passedByPerson.has(taskId))
      throw new Violation(`5: ${taskId} was accepted without its review`);
  }

  /** Promise 6. */
  private completed(taskId: TaskId, merged: CommitId | undefined): void {
    const task = this.state.tasks.get(taskId);
    if (merged === undefined || task === undefined || task.phase.kind !== 'verifying') return;
    const { accepted } = task.phase;
    const record = task.history.find(({ fence }) => fence === accepted.fence);
    const missing = record === undefined ? 'an attempt' : this.missing(record, task.task, merged);
    if (missing !== undefined) throw new Violation(`11: ${taskId} completed without ${missing}`);
  }

  private missing(
    record: AttemptRecord,
    { acceptance, workspace }: RunState['plan']['tasks'][number],
    merged: CommitId,
  ): string | undefined {
    const { commit } = record;
    if (commit === undefined || !this.git.commits.has(commit)) return 'its commit';
    if (!this.isWithin(commit, workspace)) return 'keeping to its workspace';
    const proven = record.receipts.filter((one) => one.commit === commit && one.exitCode === 0);
    if (acceptance.some((item) => item.kind === 'run' && !proven.some(({ command }) => command === item.run)))
      return 'a receipt';
    const tip = this.git.branches.get(this.state.run);
    if (tip === undefined || !this.git.ancestry(tip).includes(merged)) return 'being on its branch';
    if (this.git.mergeOf.get(merged) !== commit) return 'its own merge';
    return undefined;
  }

  private isWithin(commit: CommitId, workspace: readonly string[]): boolean {
    const files = this.git.commits.get(commit)?.files;
    return (
      files?.every(({ path }) => workspace.some((place) => place === '.' || path.startsWith(`${place}/`))) ??
      false
    );
  }

  private checking(number: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      throw new Violation(
        `${number}: ${this.run}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
