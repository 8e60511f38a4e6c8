import {
  AppError,
  messageId,
  parsePayload,
  peerId,
  registry,
  type Envelope,
  type MessageType,
  type PayloadInput,
} from '@switchyard/protocol';
import type { ClientLink } from '@switchyard/client';

type Answer = { readonly type: MessageType; readonly payload: unknown } | AppError;

/** A link whose orchestrator is the test. Payloads pass their schemas in both directions. */
export class FakeLink implements ClientLink {
  readonly asked: { type: MessageType; payload: unknown; timeoutMs: number | undefined }[] = [];
  closed = false;
  /** What the orchestrator answers; undefined: nothing yet, `settle` does it later. */
  answer: (type: MessageType, payload: never) => Answer | undefined = () => undefined;
  private readonly messageHandlers = new Set<(envelope: Envelope) => void>();
  private readonly connectedHandlers = new Set<() => void>();
  private readonly open: { resolve(envelope: Envelope): void; reject(error: AppError): void }[] = [];
  private count = 0;

  request<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Envelope> {
    const checked = parsePayload(type, payload);
    this.asked.push({ type, payload: checked, timeoutMs: options.timeoutMs });
    const answer = this.answer(type, checked as never);
    if (answer instanceof AppError) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(this.envelope(answer.type, answer.payload));
    return new Promise((resolve, reject) => this.open.push({ resolve, reject }));
  }

  onMessage(handler: (envelope: Envelope) => void): () => void {
    this.messageHandlers.add(handler);
    return () => this.messageHandlers.delete(handler);
  }

  onConnected(handler: () => void): () => void {
    this.connectedHandlers.add(handler);
    return () => this.connectedHandlers.delete(handler);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  get listeners(): number {
    return this.messageHandlers.size + this.connectedHandlers.size;
  }

  /** The orchestrator sends something unasked. */
  push(type: MessageType, payload: unknown, replyTo?: string): void {
    const envelope = this.envelope(type, payload);
    const full = replyTo === undefined ? envelope : { ...envelope, replyTo: messageId.parse(replyTo) };
    for (const handler of this.messageHandlers) handler(full);
  }

  /** Answers the oldest request that waits. */
  settle(type: MessageType, payload: unknown): void {
    this.open.shift()?.resolve(this.envelope(type, payload));
  }

  /** The link breaks: every request that waits fails. */
  lose(): void {
    for (const request of this.open.splice(0)) request.reject(new AppError('E_UNREACHABLE', 'lost'));
  }

  connect(): void {
    for (const handler of this.connectedHandlers) handler();
  }

  private envelope(type: MessageType, payload: unknown): Envelope {
    this.count += 1;
    return {
      id: messageId.parse(`m-${this.count}`),
      type,
      from: peerId.parse('orchestrator'),
      to: peerId.parse('client-1'),
      at: 1,
      replyTo: messageId.parse(`request-${this.asked.length}`),
      payload: registry[type].payload.parse(payload),
    } as Envelope;
  }
}

/** Lets promises go on. */
export async function turn(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await Promise.resolve();
}
