import {
  AppError,
  limits,
  type AttemptKey,
  type CommitId,
  type Envelope,
  type Hello,
  type PayloadInput,
  type TaskAssignment,
} from '@switchyard/protocol';
import { permitWire, type Question, type SpawnAnswer, type SpawnRequest } from '@switchyard/agents';
import { Absence, logIgnored, pendingReports } from '@switchyard/peer';
import { within, type Logger } from '@switchyard/runtime';
import type { Link } from '@switchyard/transport';
import { lostReport, type AttemptReport } from './attempt-report.ts';
import { attemptOf, keyOf } from './attempt-names.ts';
import { withModels } from './model-report.ts';
import type { EndedAttempt, HeldAttempt, WorkerPorts } from './ports.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { Questions } from './questions.ts';
import { sendReport } from './send-report.ts';

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
 * 3. An aborted attempt ends as lost; that is told where its worker ends, or where there is something to keep.
 * 4. What an earlier life held is named in `holding` too, until it has been reported as lost.
 */
export class WorkerDaemon {
  private readonly ports: WorkerPorts;
  private readonly link: Link;
  private readonly running = new Map<string, Running>();
  /** Reports on their way, and a bounded memory of those that have arrived. */
  private readonly reported = new Map<string, AttemptKey>();
  private readonly leaving = new AbortController();
  private readonly questions: Questions;
  private readonly absence: Absence;

  constructor(ports: WorkerPorts) {
    this.ports = ports;
    const { clock, random } = ports;
    this.questions = new Questions({ clock, random, tell: (question) => this.tellQuestion(question) });
    this.absence = new Absence(ports);
    for (const attempt of pendingReports(ports, reportedBy)) this.reported.set(keyOf(attempt), attempt);
    this.link = ports.link({
      hello: () => this.hello(),
      freeSlots: () => Math.max(0, ports.slots - this.running.size),
      handler: {
        welcome: (welcome) => {
          this.absence.end();
          if (welcome.token !== undefined) ports.keepToken(welcome.token);
          ports.logger.info({ hub: welcome.hub, fenced: welcome.fenced.length }, 'connected');
          for (const attempt of welcome.fenced) this.fence(attempt);
          ports.models?.connected();
          this.questions.connected();
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
    const held = await this.ports.workshop.findHeld((attempt) => this.reported.has(keyOf(attempt)));
    for (const attempt of held) this.giveBack(attempt);
    this.absence.begin();
    this.link.start();
  }

  /** Sends a line of the log to the orchestrator, if it is there. */
  relayLog(daemon: string, line: string): void {
    if (this.link.state === 'connected') this.link.send('log-line', { daemon, line });
  }

  private get isDraining(): boolean {
    return this.leaving.signal.aborted;
  }

  /** Takes nothing new, ends what runs (the orchestrator gives it to others), and disconnects. */
  async drain(reason: string): Promise<void> {
    if (this.isDraining) return;
    this.leaving.abort(new Error(`the worker ends: ${reason}`));
    this.absence.close();
    if (this.link.state === 'connected') this.link.send('draining', { reason: reason.slice(0, 500) });
    const running = [...this.running.values()];
    for (const { controller } of running) controller.abort(new Error(`the worker ends: ${reason}`));
    await this.endOf(running);
    await this.link.close();
  }

  /** Waits for aborted attempts, but not for ever: a fetch from an orchestrator that hangs cannot be called back. */
  private async endOf(running: readonly Running[]): Promise<void> {
    const { clock, abortMs, logger } = this.ports;
    const end = Promise.all(running.map(({ ended }) => ended));
    if (await within(clock, end, abortMs)) return;
    logger.warn({ abortMs, attempts: [...this.running.keys()] }, 'attempts did not end in time');
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
      case 'task-fenced': {
        const { run, taskId: task, attempt, reason, salvage } = envelope.payload;
        this.ports.logger.warn({ run, task, attempt, reason, salvage }, 'a result came too late');
        return;
      }
      case 'shutdown':
        this.ports.stop(envelope.payload.reason);
        return;
      case 'permit-grant':
        this.ports.models?.granted(envelope.payload);
        return;
      case 'task-answer':
        this.questions.answered(envelope.payload);
        return;
      case 'ack':
        logIgnored(this.ports.logger, envelope.payload);
        return;
      case 'error':
        this.ports.logger.warn({ error: envelope.payload }, 'the orchestrator says error');
        return;
      default:
        // The table lets nothing else through that concerns a worker.
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

  /** Reports an attempt of an earlier life as lost, with what it had done; until then it counts as held. */
  private giveBack(held: HeldAttempt): void {
    const { attempt } = held;
    const { run, taskId: task, attempt: number } = attempt;
    const logger = this.ports.logger.child({ run, task, attempt: number, worker: this.ports.self });
    const controller = new AbortController();
    const ended = this.reportHeld(held, logger)
      .catch((error: unknown) => {
        // The link has closed for good meanwhile: its folder stays, and the next start reports it.
        logger.error({ err: error }, 'the attempt of an earlier life could not be reported');
      })
      .finally(() => this.running.delete(keyOf(attempt)));
    this.running.set(keyOf(attempt), { attempt, controller, ended });
  }

  private async reportHeld(held: HeldAttempt, logger: Logger): Promise<void> {
    const { signal } = this.leaving;
    let wip: CommitId | undefined;
    let isForgotten = true;
    try {
      wip = await held.handOver(signal);
    } catch (error) {
      // Its folder stays, and the next start tries again.
      logger.error({ err: error }, 'the work in progress of an attempt could not be handed over');
      if (signal.aborted) return;
      isForgotten = false;
    }
    this.report(held.attempt, lostReport(held.attempt, 'the worker was restarted', wip), logger);
    if (isForgotten) await held.forget();
  }

  private async carryOut(assignment: TaskAssignment, controller: AbortController): Promise<void> {
    const { clock, logger: base, self } = this.ports;
    const { run, taskId: task, attempt: number } = assignment;
    const logger = base.child({ run, task, attempt: number, worker: self });
    const attempt = attemptOf(assignment);
    const { signal } = controller;
    const progress = new ProgressReporter(attempt, clock, (payload) => this.tell(payload));
    logger.info({ base: assignment.base, round: assignment.round }, 'attempt started');
    const { signal: leaving } = this.leaving;
    const tellWip = (commit: CommitId): void => this.tellWip(attempt, commit);
    try {
      const ask = (question: Question) => this.questions.ask(attempt, question, signal);
      const pausedMs = () => (this.ports.models?.heldMs(attempt) ?? 0) + this.questions.heldMs(attempt);
      const spawnTask = (request: SpawnRequest) => this.spawnTask(attempt, request, signal);
      const context = { progress, signal, logger, leaving, tellWip, ask, spawnTask, pausedMs };
      const ended = await this.ports.workshop.perform(assignment, context);
      if (this.isWorthTelling(ended)) this.report(attempt, ended.report, logger);
      else logger.info('attempt ended without a report');
      await ended.forget();
    } finally {
      progress.close();
      this.questions.forget(attempt);
      this.running.delete(keyOf(assignment));
    }
  }

  /** A loss is, with what had been done, or where this worker ends; but not before what it had done can come with it. */
  private isWorthTelling({ report, hasLeft }: EndedAttempt): boolean {
    if (report.type !== 'task-lost' || report.payload.wip !== undefined) return true;
    return this.isDraining && !hasLeft;
  }

  private report(attempt: AttemptKey, ended: AttemptReport, logger: Logger): void {
    const report = withModels(attempt, ended, this.ports.models);
    this.reported.set(keyOf(attempt), attempt);
    const [oldest] = this.reported.keys();
    if (this.reported.size > reportedMax && oldest !== undefined) this.reported.delete(oldest);
    sendReport(this.link, attempt, report, logger);
  }

  private tellWip(attempt: AttemptKey, commit: CommitId): void {
    this.link.send('task-wip', { ...attempt, commit }, { fence: attempt.fence });
    this.ports.logger.debug({ task: attempt.taskId, commit }, 'work in progress kept');
  }

  /** Rejects with AppError where the orchestrator does not answer. */
  private async spawnTask(
    attempt: AttemptKey,
    { taskId: name, ...request }: SpawnRequest,
    signal: AbortSignal,
  ): Promise<SpawnAnswer> {
    const payload = { ...attempt, name, ...request, mcpServers: [...request.mcpServers] };
    const options = { timeoutMs: limits.requestTimeoutMs, signal };
    const answer = await this.link.request('task-spawn', payload, options);
    if (answer.type !== 'task-spawned')
      throw new AppError('E_INTERNAL', `a spawn was answered with ${answer.type}`);
    const { workerId, status, workspace, error } = answer.payload;
    return { workerId, status, workspace, ...(error !== undefined && { error }) };
  }

  private tellQuestion(payload: PayloadInput<'task-question'> & AttemptKey): void {
    const { fence } = payload;
    if (this.link.state === 'connected') this.link.send('task-question', payload, { fence });
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

/** The attempt that a message ends. */
function reportedBy(envelope: Envelope): AttemptKey[] {
  switch (envelope.type) {
    case 'task-completed':
    case 'task-failed':
    case 'task-lost':
    case 'escalation':
      return [attemptOf(envelope.payload)];
    default:
      return [];
  }
}
