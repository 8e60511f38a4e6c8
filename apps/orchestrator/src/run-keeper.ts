import { AppError, messageOf, slugOf, type RunEvent, type RunId, type TaskId } from '@switchyard/protocol';
import {
  decide as decideReview,
  evolve as evolveReview,
  reviewFactVersion,
  type ReviewFact,
  type ReviewInput,
  type ReviewState,
} from '@switchyard/review';
import {
  decide,
  eventsOf,
  evolve,
  factVersion,
  isRunFactKind,
  type Lease,
  type RunFact,
  type RunInput,
  type RunState,
  type TaskState,
} from '@switchyard/scheduler';
import type { StoredFact } from '@switchyard/store';
import { Holdings, ReviewHoldings } from './holdings.ts';

/** A fact on its way to the journal. */
export interface PendingFact {
  readonly kind: string;
  readonly version: number;
  readonly data: unknown;
}

/** A lease that has ended. */
export interface EndedLease {
  readonly taskId: TaskId;
  readonly lease: Lease;
  /** It ended without a word of its worker, which has to be told. */
  readonly tell: boolean;
}

/** What a turn hands to the journal and, after it, to the world. */
export interface Pending {
  readonly facts: readonly PendingFact[];
  readonly events: readonly RunEvent[];
  readonly endedLeases: readonly EndedLease[];
}

interface StoredReviewFact {
  readonly key: string;
  readonly fact: ReviewFact;
}

const reviewPrefix = 'review/';

/** Names the review of one attempt within its run. */
export function reviewKey(taskId: TaskId, fence: number): string {
  return `${taskId}#${fence}`;
}

/**
 * One run in memory: its state, the reviews of its attempts, its events, and the facts that the journal does not
 * have yet. Decides and evolves; performs nothing.
 */
export class RunKeeper {
  readonly run: RunId;
  readonly reviews = new Map<string, ReviewState>();
  readonly events: RunEvent[] = [];
  /** Leases that are out, by task. */
  readonly held = new Map<TaskId, Lease>();
  /** How many of them each worker has. */
  readonly heldBy = new Holdings();
  /** What its open reviews ask of reviewers. */
  readonly reviewing = new ReviewHoldings();
  /** Reviews without an outcome. */
  readonly openReviews = new Set<string>();
  /** Reviews with an outcome that the run has not been told. */
  readonly settledReviews = new Set<string>();
  /** How many of `events` the journal has the facts of. */
  publishedEvents = 0;
  /** Appends under way. */
  uncommitted = 0;
  /** Grows with every fact. */
  version = 0;
  private current: RunState | undefined;
  private pending: PendingFact[] = [];
  private fresh: RunEvent[] = [];
  private endedLeases: EndedLease[] = [];

  constructor(run: RunId) {
    this.run = run;
  }

  get state(): RunState {
    if (this.current === undefined) throw new Error(`run ${this.run} has no facts`);
    return this.current;
  }

  get ended(): boolean {
    const { kind } = this.state.phase;
    return kind === 'completed' || kind === 'failed' || kind === 'cancelled';
  }

  /** Memory knows facts that the journal does not have yet: effects wait. */
  get isAhead(): boolean {
    return this.uncommitted > 0 || this.pending.length > 0;
  }

  /** Folds a stored fact; never decides. Throws AppError E_STATE_NEWER and E_STATE_DAMAGED. */
  restore(stored: StoredFact): void {
    const isReview = stored.kind.startsWith(reviewPrefix);
    if (
      stored.version > (isReview ? reviewFactVersion : factVersion) ||
      !(isReview || isRunFactKind(stored.kind))
    )
      throw new AppError(
        'E_STATE_NEWER',
        `fact ${stored.seq} of the journal (${stored.kind}, version ${stored.version}) is of a newer Switchyard; use that one`,
      );
    try {
      if (isReview) this.restoreReview(stored.data as StoredReviewFact);
      else this.fold(stored.data as RunFact);
    } catch (cause) {
      throw new AppError(
        'E_STATE_DAMAGED',
        `fact ${stored.seq} of the journal (${stored.kind} of run ${this.run}) does not fit what stands before it: ${messageOf(cause)}`,
        { cause },
      );
    }
    this.fresh = [];
    this.publishedEvents = this.events.length;
  }

  /** Decides, evolves, and keeps the facts for the journal. Throws AppError for requests that cannot be met. */
  input(input: RunInput): readonly RunFact[] {
    const facts = decide(this.current, input);
    const reportedByWorker = workerReports.has(input.kind);
    for (const fact of facts) {
      const gone = this.fold(fact);
      if (gone !== undefined) this.endedLeases.push({ ...gone, tell: !reportedByWorker });
      this.pending.push({ kind: fact.kind, version: factVersion, data: fact });
    }
    for (const fact of facts) if ('taskId' in fact) this.dropReview(fact.taskId, input.at);
    return facts;
  }

  /** The same for the review of one attempt. */
  review(key: string, input: ReviewInput): readonly ReviewFact[] {
    const facts = decideReview(this.reviews.get(key), input);
    for (const fact of facts) {
      this.foldReview(key, fact);
      this.pending.push({
        kind: reviewPrefix + fact.kind,
        version: reviewFactVersion,
        data: { key, fact } satisfies StoredReviewFact,
      });
    }
    return facts;
  }

  /** A review whose task has gone on without it (cancelled, built anew) is not worth a reviewer's time. */
  private dropReview(taskId: TaskId, at: number): void {
    const task = this.state.tasks.get(taskId);
    if (task === undefined || task.phase.kind === 'reviewing') return;
    const key = reviewKey(taskId, task.fence);
    if (!this.openReviews.has(key)) return;
    this.review(key, { at, kind: 'cancel', reason: `${taskId} is ${task.phase.kind}` });
    this.settledReviews.delete(key);
  }

  /** Hands over what the journal does not have yet. */
  takePending(): Pending {
    const taken = { facts: this.pending, events: this.fresh, endedLeases: this.endedLeases };
    this.pending = [];
    this.fresh = [];
    this.endedLeases = [];
    return taken;
  }

  /** Evolves by one fact; the answer is the lease that this ended. */
  private fold(fact: RunFact): Omit<EndedLease, 'tell'> | undefined {
    this.current = evolve(this.current, fact);
    this.version += 1;
    for (const event of eventsOf(this.current, fact, this.events.length + 1)) {
      const numbered = { ...event, seq: this.events.length + 1 };
      this.events.push(numbered);
      this.fresh.push(numbered);
    }
    return 'taskId' in fact ? this.trackLease(fact.taskId) : undefined;
  }

  private trackLease(taskId: TaskId): Omit<EndedLease, 'tell'> | undefined {
    const before = this.held.get(taskId);
    const now = leaseOf(this.current?.tasks.get(taskId));
    if (before?.fence === now?.fence) return undefined;
    if (before !== undefined) this.heldBy.add(before.worker, -1);
    if (now === undefined) this.held.delete(taskId);
    else {
      this.held.set(taskId, now);
      this.heldBy.add(now.worker, 1);
    }
    return before === undefined ? undefined : { taskId, lease: before };
  }

  private restoreReview({ key, fact }: StoredReviewFact): void {
    if (this.current === undefined) throw new Error('a review of a run that was never created');
    this.foldReview(key, fact);
  }

  private foldReview(key: string, fact: ReviewFact): void {
    const state = evolveReview(this.reviews.get(key), fact);
    this.reviews.set(key, state);
    this.reviewing.update(key, state);
    this.version += 1;
    if (state.outcome === undefined) this.openReviews.add(key);
    else if (this.openReviews.delete(key)) this.settledReviews.add(key);
  }
}

/** Inputs by which a worker ends its own lease; any other end has to be told to it. */
const workerReports: ReadonlySet<RunInput['kind']> = new Set(['submitted', 'attempt-failed', 'escalated']);

function leaseOf(task: TaskState | undefined): Lease | undefined {
  const phase = task?.phase;
  return phase?.kind === 'leased' || phase?.kind === 'preparing' || phase?.kind === 'running'
    ? phase.lease
    : undefined;
}

/** Makes a run's id from the plan's name: readable, and unique by its random end. */
export function newRunName(planName: string, random: string): string {
  return `${slugOf(planName).toLowerCase().slice(0, 40)}-${random}`;
}
