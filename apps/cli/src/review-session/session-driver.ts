import { specialization, type Specialization } from '@switchyard/protocol';
import {
  decideSession,
  evolveSession,
  sessionStanding,
  type ReviewerResult,
  type SessionFact,
  type SessionInput,
  type SessionState,
  type SessionStep,
  type StepOutcome,
} from '@switchyard/review';
import type { Clock } from '@switchyard/runtime';
import { sleep } from '@switchyard/runtime';
import { troubleOf } from './session-trouble.ts';

/** What a reviewer is asked, and what it tells while it works. */
export interface ReviewOrder {
  readonly reviewer: string;
  readonly dimension: Specialization;
  readonly signal: AbortSignal;
  /** Percent of its work, and what it is at. */
  progress(this: void, percent: number, phase: string): void;
  /** First phase of completion: announces the result; resolves when the orchestrator is ready for it. */
  announce(this: void, preliminary: { readonly findings: number }): Promise<void>;
}

/** What a step came to. */
export interface StepResult {
  readonly outcome: StepOutcome;
  readonly warnings?: readonly string[];
}

export interface DriverPorts {
  readonly clock: Clock;
  /** Keeps the state after each fact, before anything follows from it. */
  keep(state: SessionState): void;
  step(step: Exclude<SessionStep, 'run_reviewers'>, state: SessionState): Promise<StepResult>;
  review(order: ReviewOrder): Promise<ReviewerResult>;
  saveResult(result: ReviewerResult): { readonly resultFile: string; readonly resultSha256: string };
  /** Told of each fact, after it was kept. */
  told(this: void, fact: SessionFact, state: SessionState): void;
  readonly signal: AbortSignal;
}

type Undated<Input> = Input extends unknown ? Omit<Input, 'at'> : never;

/** Percent by which a reviewer has to get on before that is worth a fact; so is a sign of life after so long. */
const progressStep = 5;
const heartbeatMs = 30_000;

/**
 * Carries a session out: asks the machine what is owed, does it, and tells it what came of it. Nothing is asked for again
 * and again: reviewers tell, and time does.
 *
 * Invariants: (1) a fact is kept before anything follows from it; (2) no reviewer works when `run` has ended; (3) every
 * reviewer that is due begins in the same turn.
 */
export class SessionDriver {
  state: SessionState;
  private readonly ports: DriverPorts;
  private readonly running = new Map<
    string,
    { readonly controller: AbortController; readonly ended: Promise<void> }
  >();
  private wake: () => void = () => undefined;
  private broken: Error | undefined;

  constructor(state: SessionState, ports: DriverPorts) {
    this.state = state;
    this.ports = ports;
  }

  /** Until the session has ended, or waits for a person. Rejects with the signal's reason, or what keeping a fact threw. */
  async run(): Promise<'ended' | 'person'> {
    try {
      for (;;) {
        this.ports.signal.throwIfAborted();
        const standing = sessionStanding(this.state);
        if (standing.kind === 'ended' || standing.kind === 'person') return standing.kind;
        if (standing.kind === 'reviewers') await this.letReviewersWork();
        else if ((await this.takeStep(standing.step)) === 'person') return 'person';
      }
    } finally {
      await this.endReviewers();
    }
  }

  input(input: Undated<SessionInput>): readonly SessionFact[] {
    const facts = decideSession(this.state, { ...input, at: this.ports.clock.now() });
    for (const fact of facts) {
      this.state = evolveSession(this.state, fact);
      this.ports.keep(this.state);
      this.ports.told(fact, this.state);
    }
    return facts;
  }

  private async takeStep(step: Exclude<SessionStep, 'run_reviewers'>): Promise<'done' | 'person'> {
    this.input({ kind: 'step-begin', step });
    let result: StepResult;
    try {
      result = await this.ports.step(step, this.state);
    } catch (error) {
      this.ports.signal.throwIfAborted();
      return this.afterTrouble(step, error);
    }
    this.input({ kind: 'step-done', ...result });
    return 'done';
  }

  private async afterTrouble(step: SessionStep, error: unknown): Promise<'done' | 'person'> {
    for (const fact of this.input({ kind: 'step-failed', step, trouble: troubleOf(error) })) {
      if (fact.kind !== 'step-erred') continue;
      if (fact.recovery.kind === 'guide') return 'person';
      if (fact.recovery.kind === 'retry')
        await sleep(this.ports.clock, fact.recovery.delayMs, this.ports.signal);
    }
    return 'done';
  }

  /** Begins who is due, and waits until one of them says something or a deadline has come. */
  private async letReviewersWork(): Promise<void> {
    this.input({ kind: 'step-begin', step: 'run_reviewers' });
    const woken = new Promise<void>((resolve) => (this.wake = resolve));
    for (const fact of this.input({ kind: 'launch' }))
      if (fact.kind === 'reviewer-launched') this.launch(fact.reviewer);
    const standing = sessionStanding(this.state);
    if (standing.kind !== 'reviewers') return;
    const { clock, signal } = this.ports;
    const waitMs = Math.max(0, (standing.deadline ?? clock.now()) - clock.now());
    const cancel = clock.after(waitMs, () => this.wake());
    const onAbort = (): void => this.wake();
    signal.addEventListener('abort', onAbort, { once: true });
    await woken;
    signal.removeEventListener('abort', onAbort);
    cancel();
    if (this.broken !== undefined) throw this.broken;
    signal.throwIfAborted();
    this.input({ kind: 'tick' });
    this.endThoseTakenBack();
  }

  private launch(reviewer: string): void {
    const attempt = this.attemptOf(reviewer);
    const controller = new AbortController();
    const ended = this.carryOut({ reviewer, attempt, controller })
      // Only what keeps a fact from being kept comes here.
      .catch((error: unknown) => this.breakOff(error))
      .finally(() => this.wake());
    this.running.set(`${reviewer} ${attempt}`, { controller, ended });
  }

  private async carryOut(launch: {
    readonly reviewer: string;
    readonly attempt: number;
    readonly controller: AbortController;
  }): Promise<void> {
    const { reviewer, attempt, controller } = launch;
    const { ports } = this;
    const tell = (input: Undated<SessionInput>): void => {
      if (controller.signal.aborted || ports.signal.aborted || this.broken !== undefined) return;
      try {
        if (this.input(input).length > 0) this.wake();
      } catch (error) {
        // Whoever told may not pass it on; the session must not go on with what is not kept.
        this.breakOff(error);
        throw error;
      }
    };
    let last = { percent: -progressStep, phase: '', at: 0 };
    try {
      const result = await ports.review({
        reviewer,
        dimension: specialization.parse(reviewer.slice('task-reviewer_'.length)),
        signal: AbortSignal.any([controller.signal, ports.signal]),
        progress: (percent, phase) => {
          const at = ports.clock.now();
          const isNews = phase !== last.phase || percent >= last.percent + progressStep;
          if (!isNews && at - last.at < heartbeatMs) return;
          last = { percent, phase, at };
          tell({ kind: 'reviewer-progress', reviewer, attempt, progress: percent, phase });
        },
        announce: async () => {
          // One that has nothing else to say of its work has begun all the same.
          tell({ kind: 'reviewer-progress', reviewer, attempt, progress: 0, phase: 'working' });
          tell({ kind: 'reviewer-completing', reviewer, attempt });
          tell({ kind: 'acknowledge', reviewer, attempt });
        },
      });
      if (controller.signal.aborted || ports.signal.aborted) return;
      requireSound(result, reviewer);
      if (this.find(reviewer)?.acknowledged_at === null)
        throw new Error(`${reviewer} handed in a result that it had not announced`);
      const kept = ports.saveResult(result);
      tell({ kind: 'reviewer-result', reviewer, attempt, findings: result.findings.length, ...kept });
    } catch (error) {
      tell({ kind: 'reviewer-error', reviewer, attempt, trouble: troubleOf(error) });
    }
  }

  private breakOff(error: unknown): void {
    this.broken ??= error instanceof Error ? error : new Error(String(error));
    this.wake();
  }

  private attemptOf(reviewer: string): number {
    return this.find(reviewer)?.attempt ?? 0;
  }

  private find(reviewer: string): SessionState['reviewers'][number] | undefined {
    return this.state.reviewers.find(({ reviewer_id }) => reviewer_id === reviewer);
  }

  /** Launches that the machine has given up, silent ones for example, work no longer. */
  private endThoseTakenBack(): void {
    for (const { reviewer_id, attempt, status } of this.state.reviewers) {
      if (status !== 'error' && status !== 'failed') continue;
      this.running.get(`${reviewer_id} ${attempt}`)?.controller.abort(new Error('it was given up'));
    }
  }

  private async endReviewers(): Promise<void> {
    for (const { controller } of this.running.values()) controller.abort(new Error('the session has ended'));
    await Promise.all([...this.running.values()].map(({ ended }) => ended));
  }
}

/** A result that speaks of what is outside the project, or in another's name, is a lie. */
function requireSound({ reviewer, findings }: ReviewerResult, name: string): void {
  if (reviewer !== name) throw new Error(`the result of ${name} speaks in the name of ${reviewer}`);
  const outside = findings.find(
    ({ file }) => file !== undefined && /^(\/|[A-Za-z]:)|(^|\/)\.\.(\/|$)/.test(file),
  );
  if (outside !== undefined) throw new Error(`a finding of ${name} is outside the project: ${outside.file}`);
}
