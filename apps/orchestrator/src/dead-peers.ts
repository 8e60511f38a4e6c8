import type { Hello, PeerId } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';

/** A worker or reviewer that is not there, and was, or is expected to come. */
export interface AbsentPeer {
  readonly peer: PeerId;
  readonly role: Hello['role'];
  readonly liveness: 'unverifiable' | 'dead';
  /** When that began. */
  readonly since: number;
  /** For people. */
  readonly reason: string;
  /** What it said of itself; absent: it was there in an earlier life of the orchestrator only. */
  readonly hello?: Hello | undefined;
  readonly connectedAt?: number | undefined;
}

/** How many of the dead are remembered, and how long. */
export interface DeadPeersBounds {
  readonly countMax: number;
  readonly shownMs: number;
}

/** Remembers who has died, so that a person who asks sees it; the oldest are forgotten. */
export class DeadPeers {
  private readonly clock: Clock;
  private readonly bounds: DeadPeersBounds;
  /** The one that died last comes last. */
  private readonly dead = new Map<PeerId, AbsentPeer>();

  constructor(clock: Clock, bounds: DeadPeersBounds) {
    this.clock = clock;
    this.bounds = bounds;
  }

  bury(peer: AbsentPeer): void {
    this.dead.delete(peer.peer);
    this.dead.set(peer.peer, peer);
    this.forgetOld();
  }

  /** It is back: what it was. */
  raise(peer: PeerId): AbsentPeer | undefined {
    const found = this.dead.get(peer);
    this.dead.delete(peer);
    return found;
  }

  all(): readonly AbsentPeer[] {
    this.forgetOld();
    return [...this.dead.values()];
  }

  private forgetOld(): void {
    const oldest = this.clock.now() - this.bounds.shownMs;
    for (const [id, { since }] of this.dead)
      if (since <= oldest || this.dead.size > this.bounds.countMax) this.dead.delete(id);
  }
}
