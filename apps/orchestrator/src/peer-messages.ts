import type { Envelope, Evidence, MessageId, PeerId, RunId, TaskId } from '@switchyard/protocol';
import type { RunInput } from '@switchyard/scheduler';
import { checkEvidence, type CheckedResult } from './evidence-check.ts';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { ReviewDesk } from './review-desk.ts';
import { reviewKey, type RunKeeper } from './run-keeper.ts';

interface PeerMessageContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly desk: ReviewDesk;
  readonly send: Send;
}

/** What a worker's message names. */
interface AttemptRef {
  readonly run: RunId;
  readonly taskId: TaskId;
  readonly fence: number;
}

type WorkInput = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

/**
 * Messages of workers and reviewers. A report counts only from the peer that holds the attempt, and only with its
 * fence; anything else changes nothing, is logged, and is acknowledged, so that its sender stops repeating it.
 */
export class PeerMessages {
  private readonly context: PeerMessageContext;
  /** Results that are being looked at; one that is handed in again meanwhile waits for the same answer. */
  private readonly checks = new Map<string, Promise<CheckedResult>>();

  constructor(context: PeerMessageContext) {
    this.context = context;
  }

  /** Takes one message; false: not one of a worker's or reviewer's. */
  receive(envelope: Envelope): boolean {
    const { from, id } = envelope;
    switch (envelope.type) {
      case 'task-accepted':
        this.report(from, envelope.payload, { kind: 'accepted' });
        return true;
      case 'task-progress':
        this.report(from, envelope.payload, { kind: 'progressed', phase: envelope.payload.phase });
        return true;
      case 'task-completed':
        this.submitted(from, id, envelope.payload);
        return true;
      case 'task-failed': {
        const { failure, evidence } = envelope.payload;
        this.report(from, envelope.payload, {
          kind: 'attempt-failed',
          failure,
          evidence: evidence as Partial<Evidence> | undefined,
        });
        this.acknowledge(from, id);
        return true;
      }
      case 'escalation':
        this.report(from, envelope.payload, { kind: 'escalated', text: escalationText(envelope.payload) });
        this.acknowledge(from, id);
        return true;
      case 'draining':
        this.context.fleet.draining(from);
        this.context.loop.wake();
        return true;
      case 'log-line':
        this.context.ports.logs.receive(from, envelope.payload.line);
        return true;
      default:
        return this.receiveReview(envelope);
    }
  }

  private receiveReview(envelope: Envelope): boolean {
    const { from, id } = envelope;
    const at = this.context.ports.clock.now();
    switch (envelope.type) {
      case 'review-completing': {
        const { run, taskId, fence, reviewId } = envelope.payload;
        this.withReview(run, reviewKey(taskId, fence), (keeper, key) =>
          this.context.desk.input(keeper, key, { at, kind: 'completing', reviewId, reviewer: from }),
        );
        this.context.loop.afterCommit(() =>
          this.context.send(from, 'review-acknowledged', { reviewId }, { replyTo: id }),
        );
        return true;
      }
      case 'review-approved':
      case 'review-rejected': {
        const { run, taskId, fence } = envelope.payload;
        const verdict = envelope.payload;
        this.withReview(run, reviewKey(taskId, fence), (keeper) =>
          this.context.desk.verdict(keeper, taskId, from, verdict),
        );
        this.acknowledge(from, id);
        return true;
      }
      case 'review-failed': {
        const { run, taskId, fence, reviewId, failure } = envelope.payload;
        this.withReview(run, reviewKey(taskId, fence), (keeper, key) =>
          this.context.desk.input(keeper, key, {
            at,
            kind: 'review-failed',
            reviewId,
            reviewer: from,
            reason: failure.message,
          }),
        );
        this.acknowledge(from, id);
        return true;
      }
      default:
        return false;
    }
  }

  private withReview(run: RunId, key: string, work: (keeper: RunKeeper, key: string) => void): void {
    const keeper = this.context.loop.keepers.get(run);
    if (keeper?.reviews.has(key) === true && !keeper.ended) work(keeper, key);
    else
      this.context.ports.logger.info(
        { run, review: key },
        'a message for a review that is not open; ignored',
      );
  }

  /** The attempt is the sender's and current; else undefined, and the log says so. */
  private current(from: PeerId, ref: AttemptRef): RunKeeper | undefined {
    const keeper = this.context.loop.keepers.get(ref.run);
    const lease = keeper?.held.get(ref.taskId);
    if (keeper !== undefined && lease?.worker === from && lease.fence === ref.fence) return keeper;
    const { run, taskId, fence } = ref;
    this.context.ports.logger.info(
      { run, task: taskId, fence, worker: from },
      'a message for an attempt that is not current; ignored',
    );
    return undefined;
  }

  private report(
    from: PeerId,
    ref: AttemptRef,
    input: DistributiveOmit<WorkInput, 'taskId' | 'fence'>,
  ): void {
    const keeper = this.current(from, ref);
    if (keeper === undefined) return;
    const { taskId, fence } = ref;
    this.context.loop.input(keeper, {
      ...input,
      at: this.context.ports.clock.now(),
      taskId,
      fence,
    } as RunInput);
  }

  private submitted(from: PeerId, id: MessageId, payload: AttemptRef & { evidence: Evidence }): void {
    const keeper = this.current(from, payload);
    if (keeper === undefined) {
      this.acknowledge(from, id);
      return;
    }
    this.checked(keeper, from, payload)
      .then((input) => {
        this.report(from, payload, input);
        this.acknowledge(from, id);
      })
      .catch((error: unknown) => this.context.ports.fatal(error));
  }

  private checked(
    keeper: RunKeeper,
    from: PeerId,
    { taskId, fence, evidence }: AttemptRef & { evidence: Evidence },
  ): Promise<CheckedResult> {
    const lease = keeper.held.get(taskId);
    const task = keeper.state.tasks.get(taskId)?.task;
    if (lease === undefined || task === undefined) throw new Error(`${taskId} has no lease`);
    const key = `${keeper.run}/${taskId}#${fence}`;
    const known = this.checks.get(key);
    if (known !== undefined) return known;
    const { repository } = this.context.ports;
    const check = checkEvidence(repository, { task, lease, evidence, from }).finally(() =>
      this.checks.delete(key),
    );
    this.checks.set(key, check);
    return check;
  }

  /** Tells the sender that the journal has it, once it does. */
  private acknowledge(to: PeerId, id: MessageId): void {
    this.context.loop.afterCommit(() => this.context.send(to, 'ack', { of: [id] }));
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function escalationText(payload: {
  reason?: string | undefined;
  error?: string | undefined;
  attemptedSolutions: readonly string[];
  needsClarification?: string | undefined;
}): string {
  const tried =
    payload.attemptedSolutions.length === 0 ? undefined : `tried: ${payload.attemptedSolutions.join('; ')}`;
  return (
    [payload.reason, payload.error, tried, payload.needsClarification]
      .filter((part) => part !== undefined)
      .join(' — ') || 'asks for help'
  );
}
