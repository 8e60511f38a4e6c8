import type { PeerId, TaskId, Verdict } from '@switchyard/protocol';
import {
  chooseSpecializations,
  owed as owedReviews,
  type ReviewInput,
  type ReviewRequest,
  type ReviewerOffer,
} from '@switchyard/review';
import type { Owed } from '@switchyard/scheduler';
import { criteriaOf } from './assignment.ts';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import { reviewKey, type RunKeeper } from './run-keeper.ts';

interface ReviewDeskContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly send: Send;
}

/** Joins the review machine of each attempt with the reviewers that are there and with the run that waits. */
export class ReviewDesk {
  private readonly context: ReviewDeskContext;

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
    const choice = chooseSpecializations(task.task, effect.files);
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
      description: instructions,
      acceptanceCriteria: criteriaOf(task.task),
      specializations: choice.specializations,
      reason: choice.reason,
      previousFindings: task.feedback,
      timeoutMs: review.timeoutMs,
      onTimeout: review.onTimeout,
      mode: review.mode === 'optional' ? 'optional' : 'required',
    };
    this.input(keeper, key, { at, kind: 'request', request });
  }

  /** Gives open reviews to free reviewers, settled ones to their run. */
  dispatch(): void {
    const at = this.context.ports.clock.now();
    this.settle(at);
    this.countBusy();
    for (const keeper of this.context.loop.active()) {
      for (const key of keeper.openReviews) {
        const offers = this.offers();
        if (offers.length === 0) return;
        if (keeper.review(key, { at, kind: 'offer', offers }).length > 0) {
          this.context.loop.touch(keeper);
          this.countBusy();
        }
      }
    }
  }

  /** Tells reviewers (again) what to review; performed after the journal has it. */
  perform(keeper: RunKeeper, sent: Set<string>): void {
    for (const key of keeper.openReviews) {
      const review = keeper.reviews.get(key);
      if (review === undefined) continue;
      for (const effect of owedReviews(review)) {
        const reviewer = this.context.fleet.get(effect.reviewer);
        const once = `${effect.reviewId}@${reviewer?.session ?? 0}`;
        if (reviewer === undefined || sent.has(once)) continue;
        if (this.context.send(effect.reviewer, 'review-assignment', effect.assignment) !== undefined)
          sent.add(once);
      }
    }
  }

  /** A reviewer's verdict; the machine judges whether it counts. */
  verdict(keeper: RunKeeper, taskId: TaskId, reviewer: PeerId, verdict: Verdict): void {
    const key = reviewKey(taskId, verdict.fence);
    if (keeper.reviews.has(key))
      this.input(keeper, key, { at: this.now(), kind: 'verdict', reviewer, verdict });
  }

  input(keeper: RunKeeper, key: string, input: ReviewInput): void {
    keeper.review(key, input);
    this.context.loop.touch(keeper);
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
    for (const keeper of this.context.loop.active()) {
      for (const key of keeper.openReviews) {
        for (const member of keeper.reviews.get(key)?.members.values() ?? []) {
          if (member.phase.kind === 'requested') count += 1;
        }
      }
    }
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
    for (const reviewer of this.context.fleet.all('reviewer')) reviewer.busy = 0;
    for (const keeper of this.context.loop.active()) {
      for (const key of keeper.openReviews) {
        for (const member of keeper.reviews.get(key)?.members.values() ?? []) {
          if (member.phase.kind !== 'assigned' && member.phase.kind !== 'completing') continue;
          const reviewer = this.context.fleet.get(member.phase.reviewer);
          if (reviewer !== undefined) reviewer.busy += 1;
        }
      }
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
