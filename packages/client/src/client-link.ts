import type { Envelope, MessageType, PayloadInput } from '@switchyard/protocol';

/** What the client needs of a link to the hub; the `Link` of transport is one. */
export interface ClientLink {
  /** Rejects with the AppError of an `error` answer, E_TIMEOUT or E_UNREACHABLE. */
  request<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    options?: { readonly timeoutMs?: number },
  ): Promise<Envelope>;
  /** Everything that is no answer to a request; the answer of it stops that. */
  onMessage(handler: (envelope: Envelope) => void): () => void;
  /** Every time the link is up, first or again; without it subscriptions do not survive a reconnect. */
  onConnected?(handler: () => void): () => void;
  close(): Promise<void>;
}
