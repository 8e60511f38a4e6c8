import { limits, type AttemptKey, type Hello, type PeerId, type Role } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import type { Doubt } from '@switchyard/transport';
import { DeadPeers, type AbsentPeer } from './dead-peers.ts';
import { patientTimer } from './patient-timer.ts';

/** Whether a peer is heard: `unverifiable` while what it holds stays its own, `dead` from the end of that. */
export type Liveness = 'alive' | 'unverifiable' | 'dead';

/** How contact with a peer stands. */
export interface Contact {
  readonly liveness: Exclude<Liveness, 'dead'>;
  /** When that began. */
  readonly since: number;
  /** Why it is not heard, for people. */
  readonly reason?: string;
}

/** A worker or reviewer that is or was connected. */
export interface FleetPeer {
  readonly peer: PeerId;
  readonly hello: Hello;
  readonly since: number;
  /** Grows with each connection of this peer. */
  readonly session: number;
  state: 'connected' | 'unverifiable' | 'draining';
  contact: Contact;
  /** Attempts, or reviews, it holds. */
  busy: number;
}

export interface FleetEvents {
  /** The grace has passed, or the peer went away for good: everything it held is lost. */
  lost(peer: PeerId, reason: string): void;
  /** The contact with a peer has changed, after `forMs` as it was. */
  contact(change: ContactChange): void;
}

export interface ContactChange {
  readonly peer: PeerId;
  readonly was: Liveness;
  readonly is: Liveness;
  readonly forMs: number;
  readonly reason?: string | undefined;
}

interface FleetTimes {
  /** From the loss of contact until a peer counts as dead. */
  readonly graceMs: number;
  /** How long it is shown as dead. */
  readonly deadShownMs: number;
}

/**
 * Who is there, who is missed, and who has died lately.
 *
 *     alive ⇄ unverifiable → dead → alive (it comes back, and holds nothing any more)
 *
 * Loss of contact is `unverifiable`, not death: what a peer holds stays its own until the grace has passed.
 */
export class Fleet {
  private readonly peers = new Map<PeerId, FleetPeer>();
  /** Who held something before a restart of the orchestrator, and has not come yet. */
  private readonly expected = new Map<PeerId, AbsentPeer>();
  private readonly dead: DeadPeers;
  private readonly graces = new Map<PeerId, () => void>();
  private readonly clock: Clock;
  private readonly graceMs: number;
  private readonly events: FleetEvents;
  private sessions = 0;
  /** Grows whenever somebody comes, goes, or can be given more or less. */
  version = 0;

  constructor(clock: Clock, { graceMs, deadShownMs }: FleetTimes, events: FleetEvents) {
    this.clock = clock;
    this.graceMs = graceMs;
    this.events = events;
    this.dead = new DeadPeers(clock, { countMax: limits.deadPeersShown, shownMs: deadShownMs });
  }

  arrived(peer: PeerId, hello: Hello): FleetPeer {
    this.endGrace(peer);
    this.sessions += 1;
    const since = this.clock.now();
    this.tellReturn(peer, since);
    const contact: Contact = { liveness: 'alive', since };
    const entry: FleetPeer = {
      ...{ peer, hello, since, session: this.sessions },
      ...{ state: 'connected', contact, busy: 0 },
    };
    this.peers.set(peer, entry);
    this.version += 1;
    return entry;
  }

  draining(peer: PeerId): void {
    const entry = this.peers.get(peer);
    if (entry === undefined) return;
    entry.state = 'draining';
    this.version += 1;
  }

  /**
   * Contact was lost, is in doubt for another reason, or was found again (no doubt), while the link is still up. Who is
   * only held up gets nothing new, and keeps what it holds for as long as that lasts.
   */
  liveness(peer: PeerId, doubt: Doubt | undefined): void {
    const entry = this.peers.get(peer);
    if (entry === undefined || entry.state === 'draining') return;
    entry.state = doubt === undefined ? 'connected' : 'unverifiable';
    if (doubt === undefined) this.changeContact(entry, 'alive', undefined);
    else this.changeContact(entry, 'unverifiable', doubtTexts[doubt]);
    this.version += 1;
    if (doubt === undefined || doubt === 'held-up') this.endGrace(peer);
    else this.startGrace(peer);
  }

  /** Its connection has ended. */
  left(peer: PeerId): void {
    const entry = this.peers.get(peer);
    if (entry === undefined) return;
    this.version += 1;
    if (entry.state === 'draining') this.lose(peer, 'it was stopped');
    else {
      entry.state = 'unverifiable';
      this.changeContact(entry, 'unverifiable', 'its connection has ended');
      this.startGrace(peer);
    }
  }

  /** Expects a peer that held something before a restart of the orchestrator. */
  expect(peer: PeerId, role: 'worker' | 'reviewer'): void {
    if (this.peers.has(peer)) return;
    const reason = 'it was there before the orchestrator was restarted, and has not come back yet';
    const missed = { peer, role, liveness: 'unverifiable', since: this.clock.now(), reason } as const;
    if (!this.expected.has(peer)) this.expected.set(peer, missed);
    this.startGrace(peer);
  }

  /** The process is known to have ended: no grace. */
  died(peer: PeerId, reason: string): void {
    if (this.peers.has(peer) || this.graces.has(peer)) this.lose(peer, reason);
  }

  get(peer: PeerId): FleetPeer | undefined {
    return this.peers.get(peer);
  }

  all(role?: Role): readonly FleetPeer[] {
    const found = [...this.peers.values()];
    return role === undefined ? found : found.filter((entry) => entry.hello.role === role);
  }

  /** Who is not there: expected after a restart, or dead; the one that died last comes last. */
  absent(): readonly AbsentPeer[] {
    return [...this.expected.values(), ...this.dead.all()];
  }

  /** Peers of a role that can be given something now. */
  ready(role: 'worker' | 'reviewer'): readonly FleetPeer[] {
    return this.all(role).filter((entry) => entry.state === 'connected');
  }

  /** Starts every running grace anew. */
  extendGraces(): void {
    for (const peer of [...this.graces.keys()]) {
      this.endGrace(peer);
      this.startGrace(peer);
    }
  }

  close(): void {
    for (const cancel of this.graces.values()) cancel();
    this.graces.clear();
  }

  private startGrace(peer: PeerId): void {
    if (this.graces.has(peer)) return;
    const cancel = patientTimer(this.clock, this.graceMs, () =>
      this.lose(peer, `no contact for ${Math.round(this.graceMs / 1000)} s`),
    );
    this.graces.set(peer, cancel);
  }

  private endGrace(peer: PeerId): void {
    this.graces.get(peer)?.();
    this.graces.delete(peer);
  }

  private lose(peer: PeerId, reason: string): void {
    this.endGrace(peer);
    this.bury(peer, reason);
    this.peers.delete(peer);
    this.expected.delete(peer);
    this.version += 1;
    this.events.lost(peer, reason);
  }

  /** One that was asked to end, or said that it does, has not died. */
  private bury(peer: PeerId, reason: string): void {
    const entry = this.peers.get(peer);
    const absent = entry === undefined ? this.expected.get(peer) : absentOf(entry);
    if (absent === undefined || entry?.state === 'draining') return;
    const since = this.clock.now();
    this.dead.bury({ ...absent, liveness: 'dead', since, reason });
    const was = entry?.contact.liveness ?? 'unverifiable';
    this.events.contact({ peer, was, is: 'dead', forMs: since - absent.since, reason });
  }

  private changeContact(entry: FleetPeer, liveness: Contact['liveness'], reason: string | undefined): void {
    const { liveness: was, since: began } = entry.contact;
    if (was === liveness) {
      if (reason !== undefined) entry.contact = { ...entry.contact, reason };
      return;
    }
    const since = this.clock.now();
    entry.contact = { liveness, since, ...(reason === undefined ? {} : { reason }) };
    this.events.contact({ peer: entry.peer, was, is: liveness, forMs: since - began, reason });
  }

  /** Says so if this peer was missed, or had died. */
  private tellReturn(peer: PeerId, now: number): void {
    const last = this.peers.get(peer)?.contact ?? this.expected.get(peer) ?? this.dead.raise(peer);
    this.expected.delete(peer);
    if (last === undefined || last.liveness === 'alive') return;
    this.events.contact({ peer, was: last.liveness, is: 'alive', forMs: now - last.since });
  }
}

const doubtTexts: Readonly<Record<Doubt, string>> = {
  silent: 'it is silent',
  'held-up': 'its process lives, but its main loop stands still',
  hung: 'its main loop has stood still for too long',
};

function absentOf({ peer, hello, since, contact }: FleetPeer): Omit<AbsentPeer, 'liveness' | 'reason'> {
  return { peer, role: hello.role, hello, connectedAt: since, since: contact.since };
}

/** Whether a peer says it holds this attempt. */
export function holds(hello: Hello, key: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>): boolean {
  return hello.holding.some(
    (held) => held.run === key.run && held.taskId === key.taskId && held.fence === key.fence,
  );
}
