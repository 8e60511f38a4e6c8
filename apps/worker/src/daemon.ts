import { mkdir, rm } from 'node:fs/promises';
import {
  decodeFrame,
  messageOf,
  openEnvelope,
  type AttemptKey,
  type Envelope,
  type Hello,
  type PayloadInput,
  type TaskAssignment,
} from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { Link } from '@switchyard/transport';
import type { AttemptReport } from './attempt-report.ts';
import { attemptOf, keyOf } from './attempt-names.ts';
import { Attempt } from './attempt.ts';
import type { WorkerPorts } from './ports.ts';
import { ProgressReporter } from './progress-reporter.ts';

/** Reports remembered so that an assignment that is told twice is not carried out twice. */
const reportedMax = 1_000;

interface Running {
  readonly attempt: AttemptKey;
  readonly controller: AbortController;
  /** Ends when nothing of the attempt is left on this machine; never rejects. */
  readonly ended: Promise<void>;
}

/**
 * The worker's loop: assignments in, attempts carried out, reports out.
 *
 * Invariants:
 * 1. An attempt (run, task, fence) is carried out at most once by this process.
 * 2. A report is given to the outbox before the attempt's folder counts as done, and an attempt is named in
 *    `holding` from its assignment until its report is acknowledged.
 * 3. An aborted attempt reports nothing.
 */
export class WorkerDaemon {
  private readonly ports: WorkerPorts;
  private readonly link: Link;
  private readonly running = new Map<string, Running>();
  /** Reports on their way, and a bounded memory of those that have arrived. */
  private readonly reported = new Map<string, AttemptKey>();
  private isDraining = false;
  private cancelGiveUp: (() => void) | undefined;

  constructor(ports: WorkerPorts) {
    this.ports = ports;
    for (const attempt of attemptsIn(ports)) this.reported.set(keyOf(attempt), attempt);
    this.link = ports.link({
      hello: () => this.hello(),
      freeSlots: () => Math.max(0, ports.slots - this.running.size),
      handler: {
        welcome: (welcome) => {
          this.cancelGiveUp?.();
          if (welcome.token !== undefined) ports.keepToken(welcome.token);
          ports.logger.info({ hub: welcome.hub, fenced: welcome.fenced.length }, 'connected');
          for (const attempt of welcome.fenced) this.fence(attempt);
        },
        message: (envelope) => this.receive(envelope),
        lost: (reason) => {
          ports.logger.warn({ reason }, 'connection lost');
          this.watchAbsence();
        },
        fatal: (error) => ports.fatal(error),
      },
    });
  }

  /** Connects, and stays connected until `drain`. */
  async start(): Promise<void> {
    // A worker that was killed leaves folders; what ran in them died with it.
    await rm(this.ports.attempts, { recursive: true, force: true });
    await mkdir(this.ports.attempts, { recursive: true, mode: 0o700 });
    this.watchAbsence();
    this.link.start();
  }

  /** Sends a line of the log to the orchestrator, if it is there. */
  relayLog(daemon: string, line: string): void {
    if (this.link.state === 'connected') this.link.send('log-line', { daemon, line });
  }

  /** Takes nothing new, ends what runs (the orchestrator gives it to others), and disconnects. */
  async drain(reason: string): Promise<void> {
    if (this.isDraining) return;
    this.isDraining = true;
    this.cancelGiveUp?.();
    if (this.link.state === 'connected') this.link.send('draining', { reason: reason.slice(0, 500) });
    const running = [...this.running.values()];
    for (const { controller } of running) controller.abort(new Error(`the worker ends: ${reason}`));
    await this.endOf(running);
    await this.link.close();
  }

  /** Waits for aborted attempts, but not for ever: a fetch from an orchestrator that hangs cannot be called back. */
  private async endOf(running: readonly Running[]): Promise<void> {
    const { clock, abortMs, logger } = this.ports;
    let cancel = (): void => undefined;
    const late = new Promise<'late'>((resolve) => (cancel = clock.after(abortMs, () => resolve('late'))));
    const end = await Promise.race([Promise.all(running.map(({ ended }) => ended)), late]);
    cancel();
    if (end === 'late')
      logger.warn({ abortMs, attempts: [...this.running.keys()] }, 'attempts did not end in time');
  }

  /** A worker that was started on demand ends when its orchestrator stays away. */
  private watchAbsence(): void {
    const { clock, giveUpMs, stop } = this.ports;
    this.cancelGiveUp?.();
    if (giveUpMs === undefined || this.isDraining) return;
    this.cancelGiveUp = clock.after(giveUpMs, () => stop(`no orchestrator for ${giveUpMs / 1000} s`));
  }

  private hello(): Omit<Hello, 'lane'> {
    const { version, host, pid, labels, slots } = this.ports;
    const holding = [...this.running.values()].map(({ attempt }) => attempt);
    return {
      role: 'worker',
      version,
      host,
      pid,
      labels: [...labels],
      slots,
      specializations: [],
      holding: [...holding, ...this.reported.values()].slice(0, 1_000),
      reviewing: [],
    };
  }

  private receive(envelope: Envelope): void {
    switch (envelope.type) {
      case 'task-assignment':
        this.assign(envelope);
        return;
      case 'task-cancel': {
        this.abort(envelope.payload, `cancelled: ${envelope.payload.reason}`);
        return;
      }
      case 'shutdown':
        this.ports.stop(envelope.payload.reason);
        return;
      case 'error':
        this.ports.logger.warn({ error: envelope.payload }, 'the orchestrator says error');
        return;
      default:
        // `ack` is the link's; the table lets nothing else through that concerns a worker.
        return;
    }
  }

  /** Accepts an attempt, again if it was accepted before: the orchestrator may not have heard it. */
  private assign(envelope: Envelope<'task-assignment'>): void {
    const assignment = envelope.payload;
    const key = keyOf(assignment);
    // Nobody is told: the orchestrator knows that this worker drains, and takes its attempts away.
    if (this.isDraining) return;
    for (const { attempt } of this.running.values()) {
      const isOlder =
        attempt.run === assignment.run &&
        attempt.taskId === assignment.taskId &&
        attempt.fence < assignment.fence;
      if (isOlder) this.abort(attempt, 'a newer attempt was assigned');
    }
    this.link.send('task-accepted', attemptOf(assignment), { replyTo: envelope.id, fence: assignment.fence });
    if (this.running.has(key) || this.reported.has(key)) return;
    const controller = new AbortController();
    const ended = this.carryOut(assignment, controller).catch((error: unknown) => {
      this.ports.logger.error({ err: error, task: assignment.taskId }, 'an attempt ended in a bug');
    });
    this.running.set(key, { attempt: attemptOf(assignment), controller, ended });
  }

  private async carryOut(assignment: TaskAssignment, controller: AbortController): Promise<void> {
    const { clock, logger: base, self } = this.ports;
    const { run, taskId: task, attempt: number } = assignment;
    const logger = base.child({ run, task, attempt: number, worker: self });
    const attempt = attemptOf(assignment);
    const { signal } = controller;
    const progress = new ProgressReporter(attempt, clock, (payload) => this.tell(payload));
    logger.info({ base: assignment.base, round: assignment.round }, 'attempt started');
    try {
      const report = await new Attempt(assignment, this.ports, { progress, signal, logger }).perform();
      signal.throwIfAborted();
      this.report(attempt, report, logger);
    } catch (error) {
      logger.info(
        { reason: messageOf(signal.aborted ? signal.reason : error) },
        'attempt ended without a report',
      );
      if (!signal.aborted) throw error;
    } finally {
      progress.close();
      this.running.delete(keyOf(assignment));
    }
  }

  private report(attempt: AttemptKey, report: AttemptReport, logger: Logger): void {
    this.reported.set(keyOf(attempt), attempt);
    const [oldest] = this.reported.keys();
    if (this.reported.size > reportedMax && oldest !== undefined) this.reported.delete(oldest);
    const extra = { fence: attempt.fence };
    switch (report.type) {
      case 'task-completed':
        this.link.send('task-completed', report.payload, extra);
        logger.info(
          { commit: report.payload.evidence.commit, files: report.payload.filesModified.length },
          'attempt completed',
        );
        return;
      case 'task-failed':
        this.link.send('task-failed', report.payload, extra);
        logger.warn({ failure: report.payload.failure }, 'attempt failed');
        return;
      case 'escalation':
        this.link.send('escalation', report.payload, extra);
        logger.warn({ reason: report.payload.reason }, 'attempt escalated');
        return;
    }
  }

  private tell(payload: PayloadInput<'task-progress'>): void {
    if (this.link.state === 'connected') this.link.send('task-progress', payload);
  }

  /** The orchestrator has given the attempt to somebody else, or has heard its report long ago. */
  private fence(attempt: AttemptKey): void {
    this.reported.delete(keyOf(attempt));
    this.abort(attempt, 'the lease is gone');
  }

  private abort(attempt: AttemptKey, reason: string): void {
    const found = this.running.get(keyOf(attempt));
    if (found === undefined) return;
    this.ports.logger.info(
      { run: attempt.run, task: attempt.taskId, attempt: attempt.attempt, reason },
      'attempt aborted',
    );
    found.controller.abort(new Error(reason));
  }
}

/** Attempts whose reports wait in the outbox from an earlier life of this worker. */
function attemptsIn({ outbox, logger }: WorkerPorts): AttemptKey[] {
  return outbox.pending().flatMap(({ id, frame }) => {
    try {
      return decodeFrame(frame).map(openEnvelope).flatMap(reportedBy);
    } catch (error) {
      // Another version wrote it; the link sends it as it is, and the hub judges.
      logger.warn({ err: error, message: id }, 'a message in the outbox cannot be read');
      return [];
    }
  });
}

function reportedBy(envelope: Envelope): AttemptKey[] {
  switch (envelope.type) {
    case 'task-completed':
    case 'task-failed':
    case 'escalation':
      return [attemptOf(envelope.payload)];
    default:
      return [];
  }
}
