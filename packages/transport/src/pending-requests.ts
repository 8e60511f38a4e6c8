import {
  AppError,
  limits,
  specOf,
  type Envelope,
  type MessageId,
  type MessageType,
} from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import type { RequestOptions } from './link-interface.ts';

interface Pending {
  readonly type: MessageType;
  resolve(envelope: Envelope): void;
  reject(error: unknown): void;
}

/** Requests that wait for their answers. */
export class PendingRequests {
  private readonly clock: Clock;
  private readonly pending = new Map<MessageId, Pending>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.pending.size;
  }

  /** Waits for the answer to `id`. */
  wait(id: MessageId, type: MessageType, options: RequestOptions): Promise<Envelope> {
    const timeoutMs = options.timeoutMs ?? limits.requestTimeoutMs;
    const { signal } = options;
    return new Promise<Envelope>((resolve, reject) => {
      const cancelTimer = this.clock.after(timeoutMs, () =>
        this.settle(id)?.reject(new AppError('E_TIMEOUT', `no answer to ${type} within ${timeoutMs} ms`)),
      );
      const onAbort = (): void =>
        this.settle(id)?.reject(
          new AppError('E_CANCELLED', `${type} was cancelled`, { cause: signal?.reason }),
        );
      const release = (): void => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      this.pending.set(id, {
        type,
        resolve: (envelope) => (release(), resolve(envelope)),
        reject: (error) => (release(), reject(error as Error)),
      });
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** True: the envelope was the answer to a request and needs no other reader. */
  answer(envelope: Envelope): boolean {
    if (envelope.replyTo === undefined) return false;
    const request = this.settle(envelope.replyTo);
    if (request === undefined) return false;
    if (envelope.type === 'error') {
      const { code, message, details } = envelope.payload;
      request.reject(new AppError(code, message, details === undefined ? {} : { details }));
    } else if (specOf(request.type)?.answers.includes(envelope.type) === true) request.resolve(envelope);
    else request.reject(new AppError('E_PROTOCOL', `${envelope.type} does not answer ${request.type}`));
    return true;
  }

  /** The link is gone: nothing will be answered. */
  fail(error: AppError): void {
    for (const id of this.pending.keys()) this.settle(id)?.reject(error);
  }

  private settle(id: MessageId): Pending | undefined {
    const request = this.pending.get(id);
    this.pending.delete(id);
    return request;
  }
}
