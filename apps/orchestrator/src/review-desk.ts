import { isAppError, type PeerId, type PlanTask, type ReviewId } from '@switchyard/protocol';
import { reviewKey } from '@switchyard/history';
import {
  chooseSpecializations,
  owed as owedReviews,
  type OwedReview,
  type ReviewFact,
  type ReviewInput,
  type ReviewRequest,
  type ReviewState,
  type ReviewerOffer,
} from '@switchyard/review';
import type { Owed } from '@switchyard/scheduler';
import { criteriaOf } from './assignment.ts';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

interface ReviewDeskContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly send: Send;
}

/** Joins the review machine of each attempt with the reviewers that are there and with the run that waits. */
export class ReviewDesk {
  private readonly context: ReviewDeskContext;
  /** Of each review: which of its parts reviewers were told of, and in which of their connections. */
  private readonly told = new WeakMap<ReviewState, Map<ReviewId, number>>();
  /** When each run was last given a reviewer, counted in reviews given. */
  private readonly served = new WeakMap<RunKeeper, number>();
  private given = 0;

  constructor(context: ReviewDeskContext) {
    this.context = context;
  }

  /** Begins the review that a run owes; a review that has begun is left alone. */
  start(keeper: RunKeeper, effect: Owed & { kind: 'review' }): void {
    const { ports, loop } = this.context;
    const { taskId, submitted } = effect;
    const key = reviewKey(taskId, submitted.fence);
    const task = keeper.state.tasks.get(taskId);
    if (task === undefined || keeper.reviews.has(key)) return;
    const at = ports.clock.now();
    const reads = readsOf(task.task);
    const looked = reads === undefined ? effect.files : reads.map((path) => ({ path }));
    const choice = chooseSpecializations(task.task, looked);
    if (choice.skip) {
      const text = `no review needed: ${choice.reason}`;
      loop.input(keeper, {
        at,
        kind: 'reviewed',
        taskId,
        fence: submitted.fence,
        outcome: 'approved',
        findings: [],
        text,
      });
      return;
    }
    const { review, instructions } = task.task;
    const request: ReviewRequest = {
      run: keeper.run,
      taskId,
      attempt: submitted.attempt,
      fence: submitted.fence,
      commit: submitted.commit,
      base: submitted.base,
      round: effect.round,
      worker: task.affinity,
      files: effect.files,
      ...(reads === undefined ? {} : { reads }),
      description: instructions,
      acceptanceCriteria: criteriaOf(task.task),
      specializations: choice.specializations,
      reason: choice.reason,
      previousFindings: task.feedback,
      timeoutMs: review.timeoutMs,
      onTimeout: review.onTimeout,
      ...(review.quorum === undefined ? {} : { quorum: review.quorum }),
      mode: review.mode === 'optional' ? 'optional' : 'required',
    };
    this.input(keeper, key, { at, kind: 'request', request });
  }

  /** Gives open reviews to free reviewers, settled ones to their run. */
  dispatch(): void {
    const at = this.now();
    this.settle(at);
    this.countBusy();
    let offers = this.offers();
    if (offers.length === 0) return;
    for (const { keeper, key } of this.inTurn()) {
      if (keeper.review(key, { at, kind: 'offer', offers }).length === 0) continue;
      this.served.set(keeper, (this.given += 1));
      this.context.loop.touch(keeper);
      this.countBusy();
      offers = this.offers();
      if (offers.length === 0) return;
    }
  }

  /** What waits for a reviewer: one of each run in turn, first the run that was given one least lately. */
  private inTurn(): { readonly keeper: RunKeeper; readonly key: string }[] {
    const runs = [...this.context.loop.active()]
      .filter(({ reviewing }) => reviewing.waiting.size > 0)
      .toSorted((a, b) => (this.served.get(a) ?? 0) - (this.served.get(b) ?? 0));
    return runs
      .flatMap((keeper) => [...keeper.reviewing.waiting.keys()].map((key, turn) => ({ keeper, key, turn })))
      .toSorted((a, b) => a.turn - b.turn);
  }

  /** Tells reviewers (again) what to review; performed after the journal has it. */
  perform(keeper: RunKeeper): void {
    for (const key of keeper.openReviews) {
      const review = keeper.reviews.get(key);
      if (review === undefined) continue;
      const told = this.told.get(review) ?? new Map<ReviewId, number>();
      this.told.set(review, told);
      for (const effect of owedReviews(review)) this.tell({ keeper, key, told }, effect);
    }
  }

  private tell(
    { keeper, key, told }: { keeper: RunKeeper; key: string; told: Map<ReviewId, number> },
    { reviewId, reviewer, assignment }: OwedReview,
  ): void {
    const { fleet, send } = this.context;
    const session = fleet.get(reviewer)?.session;
    if (session === undefined || told.get(reviewId) === session) return;
    try {
      if (send(reviewer, 'review-assignment', assignment) !== undefined) told.set(reviewId, session);
    } catch (error) {
      if (!isAppError(error)) throw error;
      const reason = `the review cannot be told to a reviewer: ${error.message}`;
      this.input(keeper, key, { at: this.now(), kind: 'review-failed', reviewId, reviewer, reason });
    }
  }

  /** Hands an input to a review: what follows from it; nothing: it changes nothing. */
  input(keeper: RunKeeper, key: string, input: ReviewInput): readonly ReviewFact[] {
    const facts = keeper.review(key, input);
    if (facts.length > 0) this.context.loop.touch(keeper);
    return facts;
  }

  /** A reviewer is gone: what it held is given to others. */
  lost(reviewer: PeerId): void {
    for (const keeper of this.context.loop.active()) {
      for (const key of keeper.openReviews)
        this.input(keeper, key, { at: this.now(), kind: 'reviewer-lost', reviewer });
    }
  }

  /** How many reviews wait for a reviewer. */
  waiting(): number {
    let count = 0;
    for (const keeper of this.context.loop.active()) count += keeper.reviewing.waitingCount();
    return count;
  }

  private settle(at: number): void {
    for (const keeper of this.context.loop.active()) {
      for (const key of keeper.settledReviews) {
        keeper.settledReviews.delete(key);
        const review = keeper.reviews.get(key);
        if (review?.outcome === undefined) continue;
        const { taskId, fence } = review.request;
        const { kind, findings, text } = review.outcome;
        this.context.loop.input(keeper, {
          at,
          kind: 'reviewed',
          taskId,
          fence,
          outcome: kind,
          findings,
          text,
        });
      }
    }
  }

  private countBusy(): void {
    for (const reviewer of this.context.fleet.all('reviewer')) {
      reviewer.busy = 0;
      for (const keeper of this.context.loop.active())
        reviewer.busy += keeper.reviewing.held.of(reviewer.peer);
    }
  }

  private offers(): ReviewerOffer[] {
    return this.context.fleet
      .ready('reviewer')
      .map((entry) => ({
        reviewer: entry.peer,
        specializations: entry.hello.specializations,
        freeSlots: Math.max(0, entry.hello.slots - entry.busy),
      }))
      .filter((offer) => offer.freeSlots > 0);
  }

  private now(): number {
    return this.context.ports.clock.now();
  }
}

/** What a task that reviews names in its plan, to be reviewed as it stands. */
function readsOf({ kind, reads }: PlanTask): readonly string[] | undefined {
  return kind === 'review' && typeof reads !== 'string' ? reads : undefined;
}
