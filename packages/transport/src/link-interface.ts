import type {
  AppError,
  Envelope,
  Hello,
  MessageId,
  MessageType,
  PayloadInput,
  PeerId,
  Welcome,
} from '@switchyard/protocol';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Dial } from './channel.ts';
import type { SendExtra } from './envelope-writer.ts';
import type { Heartbeats } from './heartbeats.ts';

/** Where a sender keeps durable messages until they are acknowledged. */
export interface Outbox {
  /** Resolves when the frame is on the disk. */
  append(id: MessageId, frame: Uint8Array): Promise<void>;
  /** Oldest first. */
  pending(): readonly { id: MessageId; frame: Uint8Array }[];
  acknowledge(ids: readonly MessageId[]): Promise<void>;
  close(): Promise<void>;
}

/** A peer's side of its link. Its exceptions are logged. */
export interface LinkHandler {
  /** Connected, first or again. Called before anything else is sent; a `token` must be kept from here on. */
  welcome?(welcome: Welcome): void;
  /** What the hub sends, other than answers to `request` and heartbeats; `ack` too, after the outbox knows. */
  message(envelope: Envelope): void | Promise<void>;
  /** The link is down and will come back. */
  lost?(reason: string): void;
  /** The link is down for good: the token, the name, the version or the certificate is wrong, or a bug. */
  fatal(error: AppError): void;
}

export interface LinkOptions {
  readonly self: PeerId;
  /** Asked at every connection, so that it names what is held then. */
  readonly hello: () => Omit<Hello, 'lane'>;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Without one, durable messages are kept in memory only. It stays open when the link closes. */
  readonly outbox?: Outbox | undefined;
  readonly handler: LinkHandler;
  /** Counts turns of the peer's main loop; by default the link counts its own heartbeats. */
  readonly progress?: () => number;
  /** Told with each heartbeat. */
  readonly freeSlots?: () => number;
  /** Beside those of the main loop; they stay open when the link closes. */
  readonly heartbeats?: Heartbeats | undefined;
}

export interface RequestOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type LinkState = 'connecting' | 'connected' | 'closed';

export interface Link {
  /** Connects, and reconnects for ever with jittered backoff, unless it is refused for good. */
  start(): void;
  readonly state: LinkState;
  /** Durable messages not acknowledged yet. */
  readonly unacknowledged: number;
  /**
   * Sends to the hub. Durable types are stored while they are on their way and replayed until acknowledged; others
   * wait for the link to its limits. Throws AppError E_QUEUE_FULL, E_PROTOCOL, E_UNREACHABLE (closed).
   */
  send<T extends MessageType>(type: T, payload: PayloadInput<T>, extra?: SendExtra): MessageId;
  /** Rejects with the AppError of an `error` answer, E_TIMEOUT, E_CANCELLED, or E_UNREACHABLE when the link is lost. */
  request<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    options?: RequestOptions,
  ): Promise<Envelope>;
  /** Adds a listener beside the handler; the answer removes it. */
  onMessage(listener: (envelope: Envelope) => void): () => void;
  /** Calls after every welcome; the answer removes it. */
  onConnected(listener: (welcome: Welcome) => void): () => void;
  /** Resolves when connected; rejects with what makes that impossible, or with the signal's reason. */
  whenConnected(signal?: AbortSignal): Promise<Welcome>;
  /** Sends what is queued and ends; resolves when the other side has it, or after a second. */
  close(): Promise<void>;
}
