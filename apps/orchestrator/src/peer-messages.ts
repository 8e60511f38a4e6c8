import type { Envelope } from '@switchyard/protocol';
import { Acknowledgements } from './acknowledgements.ts';
import type { AttemptName } from './attempt-turns.ts';
import type { Fleet } from './fleet.ts';
import { IgnoredMessages } from './ignored-messages.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { QuotaDesk } from './quota-desk.ts';
import type { ReviewDesk } from './review-desk.ts';
import { ReviewMessages } from './review-messages.ts';
import { Spawns } from './spawns.ts';
import { WorkerMessages } from './worker-messages.ts';

interface PeerMessageContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly desk: ReviewDesk;
  readonly quota: QuotaDesk;
  readonly send: Send;
}

/** Messages of workers and reviewers: on themselves, on attempts, on reviews. */
export class PeerMessages {
  private readonly context: PeerMessageContext;
  private readonly worker: WorkerMessages;
  private readonly review: ReviewMessages;
  private readonly spawns: Spawns;

  constructor(context: PeerMessageContext) {
    this.context = context;
    const ignored = new IgnoredMessages(context.ports);
    const acknowledgements = new Acknowledgements(context.loop, context.send);
    const shared = { ...context, ignored, acknowledgements };
    this.worker = new WorkerMessages(shared);
    this.review = new ReviewMessages(shared);
    this.spawns = new Spawns(context);
  }

  /** Takes one message; false: not one of a worker's or reviewer's. */
  receive(envelope: Envelope): boolean {
    const { fleet, loop, ports, quota } = this.context;
    if (quota.receive(envelope)) return true;
    switch (envelope.type) {
      case 'draining':
        fleet.draining(envelope.from);
        ports.instances.leaving(envelope.from, fleet.get(envelope.from)?.hello.host ?? '');
        loop.wake();
        return true;
      case 'log-line':
        ports.logs.receive(envelope.from, envelope.payload.line);
        return true;
      default:
        return (
          this.worker.receive(envelope) || this.review.receive(envelope) || this.spawns.receive(envelope)
        );
    }
  }

  /** When the reports on an attempt that came so far have been looked at; nothing if none is being. */
  underWay(attempt: AttemptName): Promise<void> | undefined {
    return this.worker.turns.underWay(attempt);
  }
}
