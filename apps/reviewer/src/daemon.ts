import {
  AppError,
  messageOf,
  type Envelope,
  type Failure,
  type Hello,
  type ReviewAssignment,
  type ReviewId,
} from '@switchyard/protocol';
import { permitWire, WorkTime } from '@switchyard/agents';
import { Absence, logIgnored, pendingReports } from '@switchyard/peer';
import { operatingError, within, type Logger } from '@switchyard/runtime';
import type { Link } from '@switchyard/transport';
import type { ReviewerPorts } from './ports.ts';
import { reviewRef, verdictOf, type VerdictMessage } from './verdict.ts';

/** Reviews remembered so that an assignment that is told twice is not carried out twice. */
const reportedMax = 1_000;

interface Running {
  readonly controller: AbortController;
  /** Ends when nothing of the review is left on this machine; never rejects. */
  readonly ended: Promise<void>;
}

/**
 * The reviewer's loop: assignments in, reviews carried out, verdicts out.
 *
 * Invariants:
 * 1. A review is carried out at most once by this process, and at most `slots` at the same time.
 * 2. A review ends in exactly one of `review-approved`, `review-rejected`, `review-failed`, given to the outbox,
 *    unless the reviewer drains: then the orchestrator gives it to another.
 * 3. A review is named in `reviewing` from its assignment until its report is acknowledged.
 */
export class ReviewerDaemon {
  private readonly ports: ReviewerPorts;
  private readonly link: Link;
  private readonly waiting = new Map<ReviewId, ReviewAssignment>();
  private readonly running = new Map<ReviewId, Running>();
  /** Reports on their way, and a bounded memory of those that have arrived. */
  private readonly reported = new Set<ReviewId>();
  private isDraining = false;
  private readonly absence: Absence;

  constructor(ports: ReviewerPorts) {
    this.ports = ports;
    this.absence = new Absence(ports);
    for (const review of pendingReports(ports, reportedBy)) this.reported.add(review);
    this.link = ports.link({
      hello: () => this.hello(),
      freeSlots: () => Math.max(0, ports.slots - this.running.size - this.waiting.size),
      handler: {
        welcome: (welcome) => {
          this.absence.end();
          if (welcome.token !== undefined) ports.keepToken(welcome.token);
          ports.logger.info({ hub: welcome.hub }, 'connected');
          ports.models?.connected();
        },
        message: (envelope) => this.receive(envelope),
        lost: (reason) => {
          ports.logger.warn({ reason }, 'connection lost');
          this.absence.begin();
        },
        fatal: (error) => ports.fatal(error),
      },
    });
    ports.models?.attach(permitWire(this.link, ports.logger));
  }

  /** Connects, and stays connected until `drain`. */
  async start(): Promise<void> {
    await this.ports.room.clear();
    this.absence.begin();
    this.link.start();
  }

  /** Sends a line of the log to the orchestrator, if it is there. */
  relayLog(daemon: string, line: string): void {
    if (this.link.state === 'connected') this.link.send('log-line', { daemon, line });
  }

  /** Takes nothing new, lets what runs finish for `finishMs`, ends the rest, and disconnects. */
  async drain(reason: string): Promise<void> {
    if (this.isDraining) return;
    this.isDraining = true;
    this.absence.close();
    this.waiting.clear();
    if (this.link.state === 'connected') this.link.send('draining', { reason: reason.slice(0, 500) });
    const running = [...this.running.values()];
    const ended = Promise.all(running.map((review) => review.ended));
    const { clock, finishMs, logger } = this.ports;
    if (!(await within(clock, ended, finishMs))) {
      for (const { controller } of running) controller.abort(new Error(`the reviewer ends: ${reason}`));
      if (!(await within(clock, ended, 1_000)))
        logger.warn({ reviews: [...this.running.keys()] }, 'reviews did not end in time');
    }
    await this.link.close();
  }

  private hello(): Omit<Hello, 'lane'> {
    const { version, host, pid, specializations, slots } = this.ports;
    return {
      role: 'reviewer',
      version,
      host,
      pid,
      labels: [],
      slots,
      specializations: [...specializations],
      holding: [],
      reviewing: [...this.running.keys(), ...this.waiting.keys(), ...this.reported].slice(0, 1_000),
    };
  }

  private receive(envelope: Envelope): void {
    switch (envelope.type) {
      case 'review-assignment':
        this.assign(envelope.payload);
        return;
      case 'shutdown':
        this.ports.stop(envelope.payload.reason);
        return;
      case 'permit-grant':
        this.ports.models?.granted(envelope.payload);
        return;
      case 'ack':
        logIgnored(this.ports.logger, envelope.payload);
        return;
      case 'error':
        this.ports.logger.warn({ error: envelope.payload }, 'the orchestrator says error');
        return;
      default:
        // Answers are the link's; the table lets nothing else through that concerns a reviewer.
        return;
    }
  }

  private assign(assignment: ReviewAssignment): void {
    const { reviewId } = assignment;
    // Nobody is told: the orchestrator knows that this reviewer drains, and takes its reviews away.
    if (this.isDraining) return;
    // Told again because the orchestrator has not heard yet: the outbox holds the report.
    if (this.running.has(reviewId) || this.waiting.has(reviewId) || this.reported.has(reviewId)) return;
    this.waiting.set(reviewId, assignment);
    this.begin();
  }

  private begin(): void {
    for (const [reviewId, assignment] of this.waiting) {
      if (this.running.size >= this.ports.slots) return;
      this.waiting.delete(reviewId);
      const controller = new AbortController();
      const ended = this.carryOut(assignment, controller)
        .catch((error: unknown) => {
          this.ports.logger.error({ err: error, review: reviewId }, 'a review ended in a bug');
        })
        .finally(() => {
          this.running.delete(reviewId);
          this.begin();
        });
      this.running.set(reviewId, { controller, ended });
    }
  }

  private async carryOut(assignment: ReviewAssignment, controller: AbortController): Promise<void> {
    const { clock, self } = this.ports;
    const { run, taskId: task, attempt, reviewId: review, specialization } = assignment;
    const logger = this.ports.logger.child({ run, task, attempt, review, specialization });
    const { signal } = controller;
    const time = new WorkTime({
      clock,
      limitMs: assignment.timeoutMs,
      pausedMs: () => this.ports.models?.heldMs(assignment) ?? 0,
      over: () => controller.abort(tooLong(assignment)),
    });
    const startedAt = clock.now();
    logger.info({ commit: assignment.commit, round: assignment.round }, 'review started');
    try {
      const analysis = await this.ports.room.review(assignment, { signal, logger });
      await this.announce(assignment, analysis.filesAnalyzed, { signal, logger });
      const finishedAt = clock.now();
      this.report(
        assignment,
        verdictOf(assignment, analysis, { reviewerId: self, startedAt, finishedAt }),
        logger,
      );
    } catch (error) {
      this.fail(assignment, signal.aborted ? signal.reason : error, logger);
    } finally {
      time.close();
    }
  }

  /** Two-phase completion: announces that the verdict comes and waits for the word, but not for ever. */
  private async announce(
    assignment: ReviewAssignment,
    filesAnalyzed: number,
    about: { readonly signal: AbortSignal; readonly logger: Logger },
  ): Promise<void> {
    const { signal, logger } = about;
    try {
      await this.link.request(
        'review-completing',
        { ...reviewRef(assignment), filesAnalyzed },
        { timeoutMs: this.ports.acknowledgeMs, signal },
      );
    } catch (error) {
      signal.throwIfAborted();
      // The verdict is durable and says all that this message says.
      logger.info({ reason: messageOf(error) }, 'nobody acknowledged that the review completes');
    }
  }

  private report({ reviewId, fence }: ReviewAssignment, verdict: VerdictMessage, logger: Logger): void {
    this.remember(reviewId);
    if (verdict.type === 'review-approved') this.link.send(verdict.type, verdict.payload, { fence });
    else this.link.send(verdict.type, verdict.payload, { fence });
    const { approved, issues, filesAnalyzed } = verdict.payload;
    logger.info({ approved, findings: issues.length, files: filesAnalyzed }, 'review completed');
  }

  private fail(assignment: ReviewAssignment, error: unknown, logger: Logger): void {
    if (this.isDraining) {
      logger.info({ reason: messageOf(error) }, 'review ended without a verdict');
      return;
    }
    this.remember(assignment.reviewId);
    const failure = withHold(failureOf(error), this.ports.models?.heldMs(assignment));
    this.link.send('review-failed', { ...reviewRef(assignment), failure }, { fence: assignment.fence });
    logger.warn({ failure, ...(failure.code === 'E_INTERNAL' && { err: error }) }, 'review failed');
  }

  private remember(review: ReviewId): void {
    this.reported.add(review);
    const [oldest] = this.reported;
    if (this.reported.size > reportedMax && oldest !== undefined) this.reported.delete(oldest);
  }
}

function tooLong({ timeoutMs }: ReviewAssignment): AppError {
  return new AppError('E_TIMEOUT', `the review took longer than its ${timeoutMs / 1000} s`);
}

/** Where time ran out, whoever reads it wants to know what it went into. */
function withHold(failure: Failure, heldMs = 0): Failure {
  const { code, message } = failure;
  if (heldMs < 1_000 || (code !== 'E_TIMEOUT' && code !== 'E_MODEL')) return failure;
  const held = `the budget or the rate held its requests for ${Math.round(heldMs / 1000)} s`;
  return { ...failure, message: `${message}; ${held}`.slice(0, 4000) };
}

function failureOf(thrown: unknown): Failure {
  const error = operatingError(thrown);
  const message = messageOf(error ?? thrown).slice(0, 4000) || 'no reason was given';
  if (error === undefined) return { class: 'system', code: 'E_INTERNAL', message };
  return { class: error.next === 'never' ? 'system' : 'io', code: error.code, message };
}

/** The review that a message ends. */
function reportedBy(envelope: Envelope): ReviewId[] {
  switch (envelope.type) {
    case 'review-approved':
    case 'review-rejected':
    case 'review-failed':
      return [envelope.payload.reviewId];
    default:
      return [];
  }
}
