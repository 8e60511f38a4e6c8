import { commitId, peerId, type CommitId, type RunId, type TaskId } from '@switchyard/protocol';
import { RunHistory, reviewFactKind, type KnownFact } from '@switchyard/history';
import {
  decide as decideReview,
  reviewFactVersion,
  type ReviewFact,
  type ReviewInput,
  type ReviewState,
} from '@switchyard/review';
import type { Random } from '@switchyard/runtime';
import { decide, factVersion, nextDeadline, owed, type Owed, type RunInput } from '@switchyard/scheduler';
import type { NewFact } from '@switchyard/store';
import { buildPlan, buildTask } from './build-plan.ts';
import { evidenceOf, receiptOf, usageOf, verdictOf } from './made-up-answers.ts';

export interface MadeUpRunOptions {
  readonly run: RunId;
  readonly tasks: number;
  readonly random: Random;
  /** What shares of attempts, reviews, merges and verifications go wrong; 0: nothing does. */
  readonly trouble?: number;
}

/** A fact as the journal takes it, and as what it is. */
export interface MadeUpFact extends NewFact {
  readonly known: KnownFact;
}

type Undated = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;
type UndatedReview = ReviewInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

const base = commitId.parse('0'.repeat(40));
const workers = ['w1', 'w2', 'w3'].map((name) => peerId.parse(name));
const reviewer = peerId.parse('r1');
const slots = 8;

/**
 * A run that nobody carries out: its decisions and facts are the production code's, and everything the world would
 * have answered is made up by chance. For tests and benches of what is made of facts.
 */
export class MadeUpRun {
  readonly history: RunHistory;
  at = 1_700_000_000_000;
  private readonly random: Random;
  private readonly trouble: number;
  private commits = 0;
  private made: MadeUpFact[] = [];

  constructor({ run, tasks, random, trouble = 0.05 }: MadeUpRunOptions) {
    this.history = new RunHistory(run);
    this.random = random;
    this.trouble = trouble;
    const plan = buildPlan(
      Array.from({ length: tasks }, (_, place) => this.taskOf(place)),
      {
        limits: { workers: workers.length * slots, rpm: 3800 },
        verify: { run: ['true'], when: 'batch', timeoutMs: 60_000 },
      },
    );
    this.input({ kind: 'create', run, plan, base });
    this.input({ kind: 'start' });
  }

  get ended(): boolean {
    return this.history.ended;
  }

  /** Facts made since the last call. */
  take(): MadeUpFact[] {
    const { made } = this;
    this.made = [];
    return made;
  }

  /** A turn of everybody's; time goes on when there is nothing to do but to wait. */
  step(): MadeUpFact[] {
    const { history } = this;
    const before = history.facts;
    this.at += 1 + Math.floor(this.random.next() * 500);
    if (history.state.paused !== undefined) this.input({ kind: 'resume' });
    this.input({ kind: 'tick' });
    this.offer();
    for (const effect of owed(history.state)) this.perform(effect);
    for (const taskId of [...history.state.index.active]) this.work(taskId);
    for (const [key, review] of history.reviews) if (review.outcome === undefined) this.review(key, review);
    if (history.facts === before) this.at = Math.max(this.at, nextDeadline(history.state) ?? this.at);
    return this.take();
  }

  /** All facts up to the end of the run. */
  finish(): MadeUpFact[] {
    const all: MadeUpFact[] = this.take();
    while (!this.ended) for (const fact of this.step()) all.push(fact);
    return all;
  }

  private taskOf(place: number): ReturnType<typeof buildTask> {
    const isLoose = place === 0 || this.random.next() < 0.4;
    const dependsOn = isLoose ? [] : [`t${Math.floor(this.random.next() * place)}`];
    const isReviewed = this.random.next() < 0.5;
    return buildTask({
      id: `t${place}`,
      dependsOn,
      review: isReviewed ? { mode: 'required', specializations: ['security', 'style'] } : {},
      more: { onFailure: 'continue' },
    });
  }

  private goesWrong(): boolean {
    return this.random.next() < this.trouble;
  }

  private input(undated: Undated): void {
    const { history } = this;
    const facts = decide(history.known, { ...undated, at: this.at } as RunInput);
    for (const fact of facts) {
      history.fold(fact);
      this.made.push({
        kind: fact.kind,
        version: factVersion,
        data: fact,
        known: { kind: 'run', fact },
      });
    }
  }

  private reviewInput(key: string, undated: UndatedReview): void {
    const { history } = this;
    const facts: readonly ReviewFact[] = decideReview(history.reviews.get(key), {
      ...undated,
      at: this.at,
    } as ReviewInput);
    for (const fact of facts) {
      history.foldReview(key, fact);
      const data = { key, fact };
      const known = { kind: 'review', key, fact } as const;
      this.made.push({ kind: reviewFactKind(fact), version: reviewFactVersion, data, known });
    }
  }

  private offer(): void {
    const { index, tasks } = this.history.state;
    const busy = new Map<string, number>();
    for (const id of index.active) {
      const phase = tasks.get(id)?.phase;
      if (phase !== undefined && 'lease' in phase)
        busy.set(phase.lease.worker, (busy.get(phase.lease.worker) ?? 0) + 1);
    }
    const offers = workers.map((worker) => ({
      worker,
      labels: [],
      freeSlots: slots - (busy.get(worker) ?? 0),
    }));
    this.input({ kind: 'offer', offers });
  }

  /** One word of the worker that has the task. */
  private work(taskId: TaskId): void {
    const phase = this.history.state.tasks.get(taskId)?.phase;
    if (phase === undefined || !('lease' in phase)) return;
    const { worker, fence, base: from } = phase.lease;
    if (phase.kind === 'leased') return;
    if (phase.kind === 'preparing')
      return this.input({ kind: 'progressed', taskId, fence, phase: 'running' });
    if (this.random.next() < 0.3) return;
    if (this.goesWrong()) return this.input({ kind: 'lost', taskId, fence, reason: `${worker} is gone` });
    if (this.goesWrong()) {
      const failure = { class: 'io', code: 'E_COMMAND_FAILED', message: 'the command failed' } as const;
      return this.input({ kind: 'attempt-failed', taskId, fence, failure });
    }
    const evidence = evidenceOf({ taskId, worker, base: from, commit: this.commit(), at: this.at });
    // One in ten was an agent's.
    if (taskId.endsWith('7')) this.input({ kind: 'used', taskId, fence, usage: [usageOf(fence)] });
    this.input({ kind: 'submitted', taskId, fence, evidence });
    if (!taskId.endsWith('7')) return;
    for (const sitting of ['first-sitting', 'second-sitting']) {
      const spent = { reviewer: worker, specialization: 'style', usage: [usageOf(fence)] } as const;
      this.input({ kind: 'review-used', taskId, fence, sitting, spent });
    }
  }

  private perform(effect: Owed): void {
    switch (effect.kind) {
      case 'assign':
        return this.input({ kind: 'accepted', taskId: effect.taskId, fence: effect.lease.fence });
      case 'review':
        return this.startReview(effect);
      case 'integrate':
        return this.merge(effect);
      case 'revert': {
        const { batch } = effect.decision;
        return this.input({ kind: 'reverted', batch, tip: this.commit(), isBase: false, conflicts: [] });
      }
      case 'verify': {
        const passed = !this.goesWrong();
        const receipts = [receiptOf(effect.commit, passed ? 0 : 1)];
        return this.input({ kind: 'verified', batch: effect.batch, passed, receipts });
      }
      case 'move':
        return this.input({ kind: 'moved', batch: effect.batch });
      case 'follow-ups':
      case 'case':
      case 'publish':
      case 'finish':
    }
  }

  private merge({ decision }: Owed & { kind: 'integrate' }): void {
    const merged: { taskId: TaskId; commit: CommitId }[] = [];
    const conflicts: { taskId: TaskId; findings: [] }[] = [];
    for (const { taskId } of decision.entries) {
      if (this.goesWrong()) conflicts.push({ taskId, findings: [] });
      else merged.push({ taskId, commit: this.commit() });
    }
    const tip = merged.at(-1)?.commit ?? decision.parent;
    this.input({ kind: 'merged', batch: decision.batch, tip, merged, conflicts });
  }

  private startReview({ taskId, submitted, round, files }: Owed & { kind: 'review' }): void {
    const key = `${taskId}#${submitted.fence}`;
    const task = this.history.state.tasks.get(taskId);
    if (task === undefined || this.history.reviews.has(key)) return;
    const { specializations, timeoutMs, onTimeout } = task.task.review;
    this.reviewInput(key, {
      kind: 'request',
      request: {
        run: this.history.run,
        taskId,
        attempt: submitted.attempt,
        fence: submitted.fence,
        commit: submitted.commit,
        base: submitted.base,
        round,
        files,
        description: task.task.instructions,
        acceptanceCriteria: [],
        specializations,
        reason: 'the plan names them',
        previousFindings: task.feedback,
        timeoutMs,
        onTimeout,
        mode: 'required',
      },
    });
  }

  /** One word of whoever has to speak next in a review. */
  private review(key: string, review: ReviewState): void {
    for (const { phase, specialization } of [...review.members.values()]) {
      if (phase.kind === 'requested') {
        const offers = [{ reviewer, specializations: [specialization], freeSlots: 1 }];
        this.reviewInput(key, { kind: 'offer', offers });
      } else if (phase.kind === 'assigned') {
        this.reviewInput(key, { kind: 'completing', reviewId: phase.reviewId, reviewer });
      } else if (phase.kind === 'completing') {
        const approved = !this.goesWrong();
        const of = { specialization, reviewId: phase.reviewId, reviewer, at: this.at };
        this.reviewInput(key, {
          kind: 'verdict',
          reviewer,
          verdict: verdictOf(review.request, of, approved),
        });
      }
    }
    const { outcome, request } = this.history.reviews.get(key) ?? review;
    if (outcome === undefined) return;
    const { kind, findings, text } = outcome;
    this.input({
      kind: 'reviewed',
      taskId: request.taskId,
      fence: request.fence,
      outcome: kind,
      findings,
      text,
    });
  }

  private commit(): CommitId {
    this.commits += 1;
    return commitId.parse(this.commits.toString(16).padStart(40, '0'));
  }
}
