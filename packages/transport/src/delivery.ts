import { isAppError, limits, type Envelope, type MessageId, type PayloadInput } from '@switchyard/protocol';
import type { HubOptions } from './hub-interface.ts';
import type { Session } from './session.ts';

/** What the hub answers in place of a handler that could not. */
export interface ErrorAnswer {
  readonly replyTo: MessageId;
  readonly payload: PayloadInput<'error'>;
}

/** Hands messages to the handler; what goes wrong there is answered, and ends nothing else. */
export class Delivery {
  private readonly options: Pick<HubOptions, 'handler' | 'logger'>;
  private readonly answer: (session: Session, answer: ErrorAnswer) => void;

  constructor(
    options: Pick<HubOptions, 'handler' | 'logger'>,
    answer: (session: Session, answer: ErrorAnswer) => void,
  ) {
    this.options = options;
    this.answer = answer;
  }

  hand(session: Session, envelope: Envelope): void {
    if (isLooker(session) && session.inFlight >= limits.requestsInFlight) {
      const message = `more than ${limits.requestsInFlight} requests of ${session.id} wait for an answer`;
      this.answer(session, { replyTo: envelope.id, payload: { code: 'E_QUEUE_FULL', message } });
      return;
    }
    let answered: void | Promise<void>;
    try {
      answered = this.options.handler.message(envelope, session);
    } catch (thrown) {
      this.refused(session, envelope, thrown);
      return;
    }
    if (answered === undefined) return; // most are: no promise, no closure
    session.inFlight += 1;
    void answered
      .catch((thrown: unknown) => this.refused(session, envelope, thrown))
      .finally(() => {
        session.inFlight -= 1;
      });
  }

  private refused(session: Session, envelope: Envelope, thrown: unknown): void {
    const { logger } = this.options;
    const fields = { peer: session.id, type: envelope.type, message: envelope.id, err: thrown };
    if (isAppError(thrown)) logger.warn(fields, 'a message was refused');
    else logger.error(fields, 'handling a message failed');
    this.answer(session, { replyTo: envelope.id, payload: errorPayload(thrown) });
  }
}

/** Clients and observers may be programs of others that ask without end. */
function isLooker({ role }: Session): boolean {
  return role === 'client' || role === 'observer';
}

function errorPayload(thrown: unknown): PayloadInput<'error'> {
  if (!isAppError(thrown))
    return { code: 'E_INTERNAL', message: 'a bug; the log of the orchestrator has it' };
  return { code: thrown.code, message: thrown.message.slice(0, 4000), details: { ...thrown.details } };
}
