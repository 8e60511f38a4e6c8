import { hostname } from 'node:os';
import {
  peerId,
  type AttemptKey,
  type Hello,
  type PeerId,
  type PeerView,
  type Role,
} from '@switchyard/protocol';
import { programVersion, type Clock } from '@switchyard/runtime';
import { patientTimer } from './patient-timer.ts';
import type { Instances } from './ports.ts';

/** A worker or reviewer that is or was connected. */
export interface FleetPeer {
  readonly peer: PeerId;
  readonly hello: Hello;
  readonly since: number;
  /** Grows with each connection of this peer. */
  readonly session: number;
  state: 'connected' | 'unverifiable' | 'draining';
  /** Attempts, or reviews, it holds. */
  busy: number;
}

export interface FleetEvents {
  /** The grace has passed, or the peer went away for good: everything it held is lost. */
  lost(peer: PeerId, reason: string): void;
}

/**
 * Who is there. Loss of contact is `unverifiable`, not death: what a peer holds stays its own until the grace has
 * passed.
 */
export class Fleet {
  private readonly peers = new Map<PeerId, FleetPeer>();
  private readonly graces = new Map<PeerId, () => void>();
  private readonly clock: Clock;
  private readonly graceMs: number;
  private readonly events: FleetEvents;
  private sessions = 0;
  /** Grows whenever somebody comes, goes, or can be given more or less. */
  version = 0;

  constructor(clock: Clock, graceMs: number, events: FleetEvents) {
    this.clock = clock;
    this.graceMs = graceMs;
    this.events = events;
  }

  arrived(peer: PeerId, hello: Hello): FleetPeer {
    this.endGrace(peer);
    this.sessions += 1;
    const entry: FleetPeer = {
      peer,
      hello,
      since: this.clock.now(),
      session: this.sessions,
      state: 'connected',
      busy: 0,
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

  /** Contact was lost or found again, while the link is still up. */
  liveness(peer: PeerId, state: 'alive' | 'unverifiable'): void {
    const entry = this.peers.get(peer);
    if (entry === undefined || entry.state === 'draining') return;
    entry.state = state === 'alive' ? 'connected' : 'unverifiable';
    this.version += 1;
    if (state === 'alive') this.endGrace(peer);
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
      this.startGrace(peer);
    }
  }

  /** Expects a peer that held something before a restart of the orchestrator. */
  expect(peer: PeerId): void {
    if (!this.peers.has(peer)) this.startGrace(peer);
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
    this.peers.delete(peer);
    this.version += 1;
    this.events.lost(peer, reason);
  }
}

/** What clients see of a peer. */
export function peerViewOf(entry: FleetPeer, local: boolean): PeerView {
  const { hello } = entry;
  const state = entry.state === 'connected' ? (entry.busy > 0 ? 'busy' : 'idle') : entry.state;
  return {
    peer: entry.peer,
    role: hello.role,
    state,
    host: hello.host,
    pid: hello.pid,
    version: hello.version,
    labels: hello.labels,
    slots: hello.slots,
    busy: entry.busy,
    local,
    since: entry.since,
  };
}

/** What clients see of a local instance that has not said hello yet. */
export function startingView(starting: ReturnType<Instances['starting']>[number]): PeerView {
  const { role, pid, since } = starting;
  return {
    peer: peerId.parse(`starting-${pid}`),
    role,
    state: 'starting',
    host: hostname(),
    pid,
    version: programVersion,
    labels: [],
    slots: 0,
    busy: 0,
    local: true,
    since,
  };
}

/** Whether a peer says it holds this attempt. */
export function holds(hello: Hello, key: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>): boolean {
  return hello.holding.some(
    (held) => held.run === key.run && held.taskId === key.taskId && held.fence === key.fence,
  );
}
