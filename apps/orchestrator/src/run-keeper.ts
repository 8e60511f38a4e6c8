import { slugOf, type RunEvent, type RunId, type TaskId } from '@switchyard/protocol';
import {
  reviewFactKind,
  reviewKey,
  RunHistory,
  type EventLog,
  type KnownFact,
  type StoredReviewFact,
} from '@switchyard/history';
import {
  decide as decideReview,
  reviewFactVersion,
  type ReviewFact,
  type ReviewInput,
  type ReviewState,
} from '@switchyard/review';
import {
  advance,
  decide,
  factVersion,
  isWorldInput,
  type Lease,
  type RunFact,
  type RunInput,
  type RunState,
  type TaskState,
} from '@switchyard/scheduler';
import { RollbackWatch } from './rollback-watch.ts';
import { Holdings, ReviewHoldings } from './holdings.ts';

/** A fact on its way to the journal. */
export interface PendingFact {
  readonly kind: string;
  readonly version: number;
  readonly data: unknown;
  /** The same, as what it is. */
  readonly known: KnownFact;
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

/**
 * One run in memory: its state, the reviews of its attempts, its events, and the facts that the journal does not
 * have yet. Decides and evolves; performs nothing.
 */
export class RunKeeper {
  readonly run: RunId;
  readonly history: RunHistory;
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
  /** Those who wait for a rollback. */
  readonly rollback = new RollbackWatch();
  /** How many of `events` the journal has the facts of. */
  publishedEvents = 0;
  /** Appends under way. */
  uncommitted = 0;
  /** Grows with every fact. */
  version = 0;
  /** Grows with facts that may change which tasks are ready, but for those that are leased. */
  readyVersion = 0;
  private pending: PendingFact[] = [];
  private fresh: RunEvent[] = [];
  private endedLeases: EndedLease[] = [];

  /** `history`: what the journal has of the run; a new run has none. */
  constructor(run: RunId, history: RunHistory = new RunHistory(run)) {
    this.run = run;
    this.history = history;
    this.publishedEvents = history.events.length;
    for (const taskId of history.known?.tasks.keys() ?? []) this.trackLease(taskId);
    for (const [key, review] of history.reviews) this.trackReview(key, review);
    for (const [key, { outcome }] of history.reviews) if (outcome !== undefined) this.settledReviews.add(key);
  }

  get state(): RunState {
    return this.history.state;
  }

  get reviews(): ReadonlyMap<string, ReviewState> {
    return this.history.reviews;
  }

  get events(): EventLog {
    return this.history.events;
  }

  get ended(): boolean {
    return this.history.ended;
  }

  /** Memory knows facts that the journal does not have yet: effects wait. */
  get isAhead(): boolean {
    return this.uncommitted > 0 || this.pending.length > 0;
  }

  /** Decides, evolves, and keeps the facts for the journal. Throws AppError for requests that cannot be met. */
  input(input: RunInput): readonly RunFact[] {
    const tell = !workerReports.has(input.kind);
    const folded = (fact: RunFact): void => {
      const gone = this.follow(fact);
      if (gone !== undefined) this.endedLeases.push({ ...gone, tell });
      this.pending.push({ kind: fact.kind, version: factVersion, data: fact, known: { kind: 'run', fact } });
    };
    const facts = this.decide(input, folded);
    if (this.openReviews.size > 0)
      for (const fact of facts) if ('taskId' in fact) this.dropReview(fact.taskId, input.at);
    return facts;
  }

  /** What a client asks may be refused half-way, so it is decided on a copy first. */
  private decide(input: RunInput, folded: (fact: RunFact) => void): readonly RunFact[] {
    const { history } = this;
    if (history.known !== undefined && isWorldInput(input)) return advance(history.known, input, folded);
    const facts = decide(history.known, input);
    for (const fact of facts) {
      history.evolve(fact);
      folded(fact);
    }
    return facts;
  }

  /** The same for the review of one attempt. */
  review(key: string, input: ReviewInput): readonly ReviewFact[] {
    const facts = decideReview(this.reviews.get(key), input);
    for (const fact of facts) {
      this.foldReview(key, fact);
      this.pending.push({
        kind: reviewFactKind(fact),
        version: reviewFactVersion,
        data: { key, fact } satisfies StoredReviewFact,
        known: { kind: 'review', key, fact },
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

  /** Keeps what is beside the state, which is after the fact; the answer is the lease that the fact ended. */
  private follow(fact: RunFact): Omit<EndedLease, 'tell'> | undefined {
    this.version += 1;
    if (!courseOfAttempts.has(fact.kind)) this.readyVersion += 1;
    this.fresh.push(...this.history.follow(fact));
    this.rollback.follow(fact, this.state.rollback !== undefined);
    return 'taskId' in fact ? this.trackLease(fact.taskId) : undefined;
  }

  private trackLease(taskId: TaskId): Omit<EndedLease, 'tell'> | undefined {
    const before = this.held.get(taskId);
    const now = leaseOf(this.history.known?.tasks.get(taskId));
    if (before?.fence === now?.fence) return undefined;
    if (before !== undefined) this.heldBy.add(before.worker, -1);
    if (now === undefined) this.held.delete(taskId);
    else {
      this.held.set(taskId, now);
      this.heldBy.add(now.worker, 1);
    }
    return before === undefined ? undefined : { taskId, lease: before };
  }

  private foldReview(key: string, fact: ReviewFact): void {
    this.version += 1;
    this.trackReview(key, this.history.foldReview(key, fact));
  }

  private trackReview(key: string, state: ReviewState): void {
    this.reviewing.update(key, state);
    if (state.outcome === undefined) this.openReviews.add(key);
    else if (this.openReviews.delete(key)) this.settledReviews.add(key);
  }
}

/** Facts that make no task ready; another fact says so where something follows. */
const courseOfAttempts: ReadonlySet<RunFact['kind']> = new Set([
  'task-leased',
  'attempt-accepted',
  'attempt-progressed',
  'attempt-violated',
  'attempt-wip',
  'attempt-asked',
  'attempt-answered',
  'task-submitted',
  'task-completed',
]);

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
