import type {
  AttemptKey,
  CloseName,
  Envelope,
  Hello,
  Lane,
  MessageId,
  MessageType,
  PayloadInput,
  PeerId,
  Role,
} from '@switchyard/protocol';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Channel } from './channel.ts';
import type { SendExtra } from './envelope-writer.ts';

/** What a token allows. */
export interface Grant {
  readonly roles: readonly Role[];
  readonly lane: Lane;
  /** The one peer that the token belongs to; absent: any name. */
  readonly peer?: PeerId | undefined;
  /** Names the token without telling it. */
  readonly credential?: string | undefined;
  /**
   * Only for a one-time token: exchanges it for a lasting one, bound to this peer and role. Undefined: the
   * invitation is another peer's, or the name is taken.
   */
  readonly lastingToken?: ((peer: PeerId, role: Role) => string | undefined) | undefined;
}

export type Liveness = 'alive' | 'unverifiable';

/**
 * Why a peer is unverifiable: it is `silent`; its process lives and its main loop is `held-up`, so that what it holds
 * is not in danger; or that loop has stood still for so long that it counts as `hung`.
 */
export type Doubt = 'silent' | 'held-up' | 'hung';

/** A peer that has said hello and has been let in. */
export interface ConnectedPeer {
  readonly id: PeerId;
  readonly role: Role;
  readonly hello: Hello;
  /** Milliseconds since the Unix epoch. */
  readonly connectedAt: number;
  readonly liveness: Liveness;
  /** Undefined: it is alive. */
  readonly doubt: Doubt | undefined;
  /** As its last heartbeat said. */
  readonly freeSlots: number | undefined;
  readonly remote: string | undefined;
}

/** The orchestrator's side of the hub. Its exceptions are logged; those of `message` are answered with `error`. */
export interface HubHandler {
  /** A peer is in; the answer names those attempts of `hello.holding` that are no longer its own. */
  connected(peer: ConnectedPeer): { fenced: AttemptKey[] };
  /**
   * A message that passed the table, other than hello and heartbeat. Durable ones may come again and must be
   * acknowledged with `ack` once they are in the journal; the hub does not do that.
   */
  message(envelope: Envelope, peer: ConnectedPeer): void | Promise<void>;
  /** Contact was lost, found again, or is in doubt for another reason. */
  liveness(peer: ConnectedPeer, state: Liveness, doubt?: Doubt): void;
  disconnected(peer: ConnectedPeer, reason: string): void;
  /** Our own clock jumped or our loop stood still for so many milliseconds: extend every lease by them. */
  stalled?(gapMs: number): void;
}

export interface HubOptions {
  readonly self: PeerId;
  /** Names the orchestrator's state folder; changes when that is another one. */
  readonly hubName: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly handler: HubHandler;
  readonly heartbeatIntervalMs?: number;
  readonly unverifiableAfterMs?: number;
  /** How long the main loop of a peer may stand still while a heartbeat lane says that its process lives. */
  readonly hungAfterMs?: number;
  /** Silence after which the link is closed with 4451; the peer may come back. */
  readonly silentAfterMs?: number;
  /** Counts turns of the orchestrator's main loop; by default the hub counts its own heartbeats. */
  readonly progress?: () => number;
}

export interface HubCounts {
  /** Messages received, by type. */
  readonly received: ReadonlyMap<MessageType, number>;
  /** Links closed because the peer broke a rule, by close code. */
  readonly breaches: ReadonlyMap<CloseName, number>;
}

export interface Hub {
  /** Takes a channel whose token was accepted; it must say hello first. */
  accept(channel: Channel, grant: Grant): void;
  /** Undefined: that peer is not connected. Throws AppError E_PROTOCOL for what the table or a limit forbids. */
  send<T extends MessageType>(
    to: PeerId,
    type: T,
    payload: PayloadInput<T>,
    extra?: SendExtra,
  ): MessageId | undefined;
  peers(): readonly ConnectedPeer[];
  /** Messages that wait for a peer on its control lane; undefined: it is not connected. */
  waiting(peer: PeerId): number | undefined;
  counts(): HubCounts;
  disconnect(peer: PeerId, closeName: CloseName): void;
  /** Tells everyone to come back later, and ends. */
  close(): Promise<void>;
}
