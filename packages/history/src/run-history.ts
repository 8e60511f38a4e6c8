import { AppError, messageOf, type RunEvent, type RunId } from '@switchyard/protocol';
import {
  evolve as evolveReview,
  reviewFactVersion,
  type ReviewFact,
  type ReviewState,
} from '@switchyard/review';
import {
  eventsOf,
  evolve,
  factVersion,
  isRunFactKind,
  type RunFact,
  type RunState,
} from '@switchyard/scheduler';
import type { StoredFact } from '@switchyard/store';
import { EventLog, type LoadEvents } from './event-log.ts';

/** How the journal keeps a fact of a review, beside those of its run. */
export interface StoredReviewFact {
  readonly key: string;
  readonly fact: ReviewFact;
}

const reviewPrefix = 'review/';

/** A stored fact as what it is: one of the run, or one of a review. */
export type KnownFact =
  { readonly kind: 'run'; readonly fact: RunFact } | ({ readonly kind: 'review' } & StoredReviewFact);

/** What a history begins with: nothing, or what a snapshot has. */
export interface HistoryStart {
  readonly state?: RunState | undefined;
  readonly reviews?: Iterable<readonly [key: string, state: ReviewState]>;
  readonly facts?: number;
  readonly seq?: number;
  readonly events?: number;
  readonly loadEvents?: LoadEvents;
}

/**
 * What became of one run by its facts: its state, the reviews of its attempts, its events. Folds and never decides, so
 * that the facts of an older rule give what was decided then.
 */
export class RunHistory {
  readonly run: RunId;
  readonly reviews: Map<string, ReviewState>;
  readonly events: EventLog;
  /** How many facts are in it. */
  facts: number;
  /** The last stored fact that is in it; 0: none. */
  seq: number;
  private current: RunState | undefined;

  constructor(run: RunId, start: HistoryStart = {}) {
    this.run = run;
    this.current = start.state;
    this.reviews = new Map(start.reviews);
    this.facts = start.facts ?? 0;
    this.seq = start.seq ?? 0;
    this.events = new EventLog(start.events ?? 0, start.loadEvents ?? (() => []));
  }

  /** Undefined: nothing is known of the run yet. */
  get known(): RunState | undefined {
    return this.current;
  }

  get state(): RunState {
    if (this.current === undefined) throw new Error(`run ${this.run} has no facts`);
    return this.current;
  }

  get ended(): boolean {
    const { kind } = this.state.phase;
    return kind === 'completed' || kind === 'failed' || kind === 'cancelled';
  }

  /** Folds a fact of the run; the answer is what it tells watchers. */
  fold(fact: RunFact): readonly RunEvent[] {
    this.evolve(fact);
    return this.follow(fact);
  }

  /** The first half of `fold`: the state. */
  evolve(fact: RunFact): void {
    this.current = evolve(this.current, fact);
  }

  /** The other half, for a state that is after the fact already. */
  follow(fact: RunFact): readonly RunEvent[] {
    this.facts += 1;
    const told = eventsOf(this.state, fact, this.events.length + 1);
    for (const event of told) this.events.push(event);
    return told;
  }

  /** Folds a fact of a review. */
  foldReview(key: string, fact: ReviewFact): ReviewState {
    if (this.current === undefined) throw new Error('a review of a run that was never created');
    const state = evolveReview(this.reviews.get(key), fact);
    this.reviews.set(key, state);
    this.facts += 1;
    return state;
  }

  /** Folds a stored fact. Throws AppError E_STATE_NEWER and E_STATE_DAMAGED. */
  restore(stored: StoredFact): { readonly known: KnownFact; readonly events: readonly RunEvent[] } {
    const known = knownFact(stored);
    try {
      const events = known.kind === 'run' ? this.fold(known.fact) : [];
      if (known.kind === 'review') this.foldReview(known.key, known.fact);
      this.seq = stored.seq;
      return { known, events };
    } catch (cause) {
      throw new AppError(
        'E_STATE_DAMAGED',
        `fact ${stored.seq} of the journal (${stored.kind} of run ${this.run}) does not fit what stands before it: ${messageOf(cause)}`,
        { cause, details: { seq: stored.seq } },
      );
    }
  }
}

/** Reads a stored fact. Throws AppError E_STATE_NEWER for one that this program does not know. */
export function knownFact({ seq, kind, version, data }: StoredFact): KnownFact {
  const isReview = kind.startsWith(reviewPrefix);
  const isKnown = isReview || isRunFactKind(kind);
  if (version > (isReview ? reviewFactVersion : factVersion) || !isKnown)
    throw new AppError(
      'E_STATE_NEWER',
      `fact ${seq} of the journal (${kind}, version ${version}) is of a newer Switchyard; use that one`,
      { details: { seq } },
    );
  return isReview
    ? { kind: 'review', ...(data as StoredReviewFact) }
    : { kind: 'run', fact: data as RunFact };
}

/** The journal's name for a fact of a review. */
export function reviewFactKind(fact: ReviewFact): string {
  return reviewPrefix + fact.kind;
}
