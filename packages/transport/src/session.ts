import { closeCodes, type CloseName, type Hello, type PeerId, type Role } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import type { Channel } from './channel.ts';
import type { EnvelopeWriter, WrittenEnvelope } from './envelope-writer.ts';
import type { ConnectedPeer, Doubt, Grant, Liveness } from './hub-interface.ts';
import type { Inflow } from './inflow.ts';
import { Outflow } from './outflow.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** One open channel and what reads it. */
export interface OpenLane {
  readonly channel: Channel;
  readonly inflow: Inflow;
}

export interface SessionOptions {
  readonly hello: Hello;
  readonly id: PeerId;
  /** Of its control channel among all channels of the hub. */
  readonly order: number;
  readonly grant: Grant;
  readonly control: OpenLane;
  readonly clock: Clock;
  readonly writer: EnvelopeWriter;
}

/** One connected peer as the hub holds it: its lanes, what waits for it, its signs of life. */
export class Session implements ConnectedPeer {
  readonly id: PeerId;
  readonly role: Role;
  readonly hello: Hello;
  readonly order: number;
  readonly grant: Grant;
  readonly connectedAt: number;
  readonly remote: string | undefined;
  readonly signs: SignsOfLife;
  doubt: Doubt | undefined;
  freeSlots: number | undefined;
  /** Requests handed to the handler and not settled. */
  inFlight = 0;
  readonly control: OpenLane;
  private bulk: OpenLane | undefined;
  private heartbeat: OpenLane | undefined;
  private readonly controlOut: Outflow;
  private readonly bulkOut: Outflow;

  constructor(options: SessionOptions) {
    const { clock, writer } = options;
    this.id = options.id;
    this.role = options.hello.role;
    this.hello = options.hello;
    this.order = options.order;
    this.grant = options.grant;
    this.control = options.control;
    this.remote = options.control.channel.remote;
    this.connectedAt = Math.round(clock.now());
    this.signs = new SignsOfLife(clock.monotonic());
    const writeGap = (dropped: number, since: number): Uint8Array =>
      writer.write('gap', this.id, { dropped, since }).bytes;
    this.controlOut = new Outflow({ lane: 'control', clock, writeGap });
    this.bulkOut = new Outflow({ lane: 'bulk', clock, writeGap });
    this.controlOut.attach(this.control.channel);
  }

  get liveness(): Liveness {
    return this.doubt === undefined ? 'alive' : 'unverifiable';
  }

  /** Envelopes that wait on the control lane. */
  get waiting(): number {
    return this.controlOut.length;
  }

  /** Queues an envelope on its lane; false: the peer is too slow for its control lane. */
  push(envelope: WrittenEnvelope): boolean {
    return (envelope.lane === 'control' ? this.controlOut : this.bulkOut).push(envelope.bytes);
  }

  /** Takes the bulk lane; an older one is closed. */
  attachBulk(lane: OpenLane): void {
    if (this.bulk !== undefined) endLane(this.bulk, 'replaced', 'a newer bulk lane');
    this.bulk = lane;
    this.bulkOut.attach(lane.channel);
  }

  /** The bulk lane's channel is gone; what waits for it stays, to its limit. */
  detachBulk(lane: OpenLane): void {
    if (this.bulk?.channel !== lane.channel) return;
    this.bulk = undefined;
    this.bulkOut.detach();
  }

  /** Takes the heartbeat lane; an older one is closed. */
  attachHeartbeat(lane: OpenLane, nowMs: number): void {
    if (this.heartbeat !== undefined) endLane(this.heartbeat, 'replaced', 'a newer heartbeat lane');
    this.heartbeat = lane;
    this.signs.threadArrived(nowMs);
  }

  /** The heartbeat lane's channel is gone. */
  detachHeartbeat(lane: OpenLane): void {
    if (this.heartbeat?.channel === lane.channel) this.heartbeat = undefined;
  }

  /** Sends a heartbeat to the peer's thread, if it has one and reads what it is sent. */
  beatThread(envelope: WrittenEnvelope): void {
    const channel = this.heartbeat?.channel;
    if (channel !== undefined && channel.bufferedBytes < heartbeatBytesMax) channel.send(envelope.bytes);
  }

  /** Sends what can be sent, then closes all lanes. */
  end(closeName: CloseName, reason: string): void {
    this.controlOut.flush();
    this.controlOut.detach();
    this.bulkOut.detach();
    endLane(this.control, closeName, reason);
    if (this.bulk !== undefined) endLane(this.bulk, closeName, reason);
    if (this.heartbeat !== undefined) endLane(this.heartbeat, closeName, reason);
    this.bulk = undefined;
    this.heartbeat = undefined;
  }
}

/** Heartbeats that wait are worth nothing. */
const heartbeatBytesMax = 16 * 1024;

/** Stops reading a lane and closes it with a documented code. */
export function endLane(lane: OpenLane, closeName: CloseName, reason: string): void {
  lane.inflow.end();
  lane.channel.close(closeCodes[closeName].code, reason);
}
