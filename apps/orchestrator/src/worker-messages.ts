import {
  escalationText,
  type CommitId,
  type Envelope,
  type Evidence,
  type IgnoredMessage,
} from '@switchyard/protocol';
import type { RunInput } from '@switchyard/scheduler';
import type { Acknowledgements } from './acknowledgements.ts';
import { AttemptTurns } from './attempt-turns.ts';
import { checkEvidence, checkWord, type CheckedResult, type Handed } from './evidence-check.ts';
import { whyNotCurrent, type IgnoredMessages, type IgnoredReport } from './ignored-messages.ts';
import type { Loop } from './loop.ts';
import { isTrouble, patiently } from './patiently.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';
import { Salvager, type LateResult } from './salvager.ts';
import { WipShelf } from './wip-shelf.ts';

interface WorkerMessageContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly send: Send;
  readonly ignored: IgnoredMessages;
  readonly acknowledgements: Acknowledgements;
}

type AttemptInput = Extract<RunInput, { fence: number }>;
/** What a report says of its attempt. */
type Said = DistributiveOmit<AttemptInput, 'at' | 'taskId' | 'fence'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

interface Report extends IgnoredReport {
  /** What the attempt had done, where it ended without a result. */
  readonly wip?: CommitId | undefined;
}

/**
 * What workers report. A report counts only from the worker that holds the attempt, and only with its fence; anything
 * else changes nothing, is counted and logged, and is acknowledged, so that its sender stops repeating it, with the
 * reason, for the sender's log. Reports on one attempt are taken one after the other, in the order they came.
 */
export class WorkerMessages {
  /** Reports that git has to be asked about. */
  readonly turns = new AttemptTurns();
  private readonly context: WorkerMessageContext;
  private readonly salvager: Salvager;
  private readonly shelf: WipShelf;

  constructor(context: WorkerMessageContext) {
    this.context = context;
    this.salvager = new Salvager(context.ports, context.loop);
    this.shelf = new WipShelf(context.ports, context.loop);
  }

  /** Takes one message; false: not one of a worker's on its attempts. */
  receive(envelope: Envelope): boolean {
    switch (envelope.type) {
      case 'task-accepted':
        this.accepted(reportOf(envelope));
        return true;
      case 'task-progress':
        this.progressed(reportOf(envelope), envelope.payload);
        return true;
      case 'task-completed':
        this.submitted(reportOf(envelope), envelope.payload);
        return true;
      case 'task-failed': {
        const { failure, wip } = envelope.payload;
        const evidence = envelope.payload.evidence as Partial<Evidence> | undefined;
        this.ended({ ...reportOf(envelope), wip }, { kind: 'attempt-failed', failure, evidence });
        return true;
      }
      case 'escalation': {
        const { wip } = envelope.payload;
        this.ended(
          { ...reportOf(envelope), wip },
          { kind: 'escalated', text: escalationText(envelope.payload) },
        );
        return true;
      }
      case 'task-question':
        this.asked(reportOf(envelope), envelope.payload);
        return true;
      case 'task-lost': {
        const { reason, wip } = envelope.payload;
        this.ended({ ...reportOf(envelope), wip }, { kind: 'lost', reason: `${envelope.from}: ${reason}` });
        return true;
      }
      case 'task-wip':
        this.ended({ ...reportOf(envelope), wip: envelope.payload.commit });
        return true;
      default:
        return false;
    }
  }

  /** The attempt is the sender's and current. */
  private current({ from, attempt }: Report): RunKeeper | undefined {
    const keeper = this.context.loop.keepers.get(attempt.run);
    const lease = keeper?.held.get(attempt.taskId);
    const isIts = lease?.fence === attempt.fence && lease.attempt === attempt.attempt;
    return isIts && lease.worker === from ? keeper : undefined;
  }

  /** Nobody waits for the answer to this one: only a word that changes nothing has one. */
  private accepted(report: Report): void {
    const ignored = this.count(report, { kind: 'accepted' });
    if (ignored !== undefined) this.acknowledge(report, ignored);
  }

  private progressed(report: Report, { phase, violations = [] }: Envelope<'task-progress'>['payload']): void {
    const ignored = this.count(report, { kind: 'progressed', phase });
    if (ignored === undefined && violations.length > 0) this.count(report, { kind: 'violated', violations });
  }

  /** Told again on every connection of its worker until it is answered: an answer that got lost is given again. */
  private asked(report: Report, { question, text, waitMs }: Envelope<'task-question'>['payload']): void {
    const ignored = this.count(report, { kind: 'asked', question, text, waitMs });
    if (ignored !== undefined) return this.acknowledge(report, ignored);
    const { run, taskId } = report.attempt;
    const record = this.context.loop.keepers.get(run)?.state.tasks.get(taskId)?.history.at(-1);
    const answer = record?.questions?.find(({ id }) => id === question)?.answer;
    // One by the policy leaves here too: what decided it is in the journal first.
    if (answer !== undefined) {
      const told = { ...report.attempt, question, answer: answer.text };
      this.context.loop.afterCommit(() => this.context.send(report.from, 'task-answer', told));
    }
  }

  /** Lets a report count, if it does; else what its sender is told. */
  private count(report: Report, said: Said): IgnoredMessage | undefined {
    const keeper = this.current(report);
    if (keeper === undefined) return this.ignore(report);
    const { taskId, fence } = report.attempt;
    const at = this.context.ports.clock.now();
    this.context.loop.input(keeper, { ...said, at, taskId, fence } as RunInput);
    return undefined;
  }

  private ignore(report: Report): IgnoredMessage {
    const { from, attempt } = report;
    const why = whyNotCurrent(this.context.loop.keepers.get(attempt.run), from, attempt);
    return this.context.ignored.note(report, why);
  }

  /** An attempt has ended without a result (`said`), or goes on: what it had done is kept before that counts. */
  private ended(report: Report, said?: Said): void {
    const { from, attempt, wip } = report;
    const conclude = (before?: IgnoredMessage): void => {
      const ignored = said === undefined ? undefined : this.count(report, said);
      this.acknowledge(report, ignored ?? before);
    };
    if (wip === undefined && this.turns.underWay(attempt) === undefined) return conclude();
    this.inTurn(attempt, async () => {
      const keeper = this.context.loop.keepers.get(attempt.run);
      const isKept = wip === undefined || (await this.shelf.keep(keeper, { from, attempt, commit: wip }));
      conclude(isKept || said !== undefined ? undefined : this.ignore(report));
    });
  }

  private submitted(report: Report, payload: LateResult): void {
    const { from, attempt } = report;
    const keeper = this.current(report);
    // Nothing to ask git about, and nothing before it that is being asked: it counts in this turn.
    if (keeper !== undefined && this.turns.underWay(attempt) === undefined) {
      const judged = checkWord(handedOf(keeper, from, payload));
      if (judged !== undefined) return this.judged(report, judged);
    }
    this.inTurn(attempt, async () => {
      const holder = this.current(report);
      const checked = holder === undefined ? undefined : await this.check(holder, from, payload);
      // It may have been taken from its worker while it was looked at.
      if (checked === undefined || this.current(report) === undefined) return this.late(report, payload);
      this.judged(report, checked);
    });
  }

  private judged(report: Report, checked: CheckedResult): void {
    this.count(report, checked);
    this.acknowledge(report, this.refusalOf(report, checked));
  }

  /** What the sender of a result is told that is not what was asked for; its attempt has failed. */
  private refusalOf(report: Report, checked: CheckedResult): IgnoredMessage | undefined {
    if (checked.kind === 'submitted') return undefined;
    return this.context.ignored.note(report, 'refused', checked.failure.message);
  }

  private check(keeper: RunKeeper, from: Report['from'], payload: LateResult): Promise<CheckedResult> {
    const handed = handedOf(keeper, from, payload);
    const { run } = keeper;
    const about = { run, task: payload.taskId, fence: handed.lease.fence, worker: from };
    const patient: Pick<OrchestratorPorts['repository'], 'checkAttempt'> = {
      checkAttempt: (request) =>
        this.patiently('a result cannot be checked', about, () =>
          this.context.ports.repository.checkAttempt(request),
        ),
    };
    return checkEvidence(patient, handed);
  }

  /**
   * A result whose attempt is not its sender's any more, or never was. What cannot be kept is not acknowledged: it
   * stays in its sender's outbox, and comes again when that connects.
   */
  private async late(report: Report, payload: LateResult): Promise<void> {
    const { loop, send } = this.context;
    const { from } = report;
    const { run, taskId: task, fence } = payload;
    const take = () => this.salvager.take(loop.keepers.get(run), from, payload);
    try {
      const about = { run, task, fence, worker: from };
      const fenced = await this.patiently('a late result cannot be kept', about, take);
      // The acknowledgement first: a worker of before `task-fenced` drops the connection at that.
      this.acknowledge(report, fenced === undefined ? this.ignore(report) : undefined);
      if (fenced !== undefined) loop.afterCommit(() => send(from, 'task-fenced', fenced));
    } catch (error) {
      if (!isTrouble(error)) throw error;
    }
  }

  /** Work that needs the repository, which may be in trouble for a time; each trouble is logged. */
  private patiently<T>(text: string, about: object, work: () => Promise<T>): Promise<T> {
    const { clock, logger } = this.context.ports;
    return patiently(clock, work, (err, retryMs) => logger.error({ ...about, err, retryMs }, text));
  }

  private inTurn(attempt: Report['attempt'], work: () => Promise<void>): void {
    this.turns.take(attempt, work).catch((error: unknown) => this.context.ports.fatal(error));
  }

  /** Tells the sender that the journal has it, once it does, and why it changed nothing, if so. */
  private acknowledge({ from, id }: Report, ignored?: IgnoredMessage): void {
    this.context.acknowledgements.add(from, id, ignored);
  }
}

/** A result of an attempt that is its sender's and current. */
function handedOf(keeper: RunKeeper, from: Report['from'], { taskId, evidence }: LateResult): Handed {
  const lease = keeper.held.get(taskId);
  const task = keeper.state.tasks.get(taskId)?.task;
  if (lease === undefined || task === undefined) throw new Error(`${taskId} has no lease`);
  return { task, lease, evidence, from };
}

function reportOf(
  envelope: Omit<IgnoredReport, 'attempt'> & { readonly payload: Report['attempt'] },
): Report {
  const { type, id, from, payload } = envelope;
  const { run, taskId, attempt, fence } = payload;
  return { type, id, from, attempt: { run, taskId, attempt, fence } };
}
