import {
  type AppError,
  decodeFrame,
  encodeEnvelope,
  encodePayload,
  messageId,
  openEnvelope,
  peerId,
  type Envelope,
  type Hello,
  type Lane,
  type MessageId,
  type PeerId,
  type RawEnvelope,
  type Role,
} from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import {
  createHub,
  createLink,
  memoryPair,
  type Channel,
  type ConnectedPeer,
  type Dial,
  type Grant,
  type Hub,
  type HubHandler,
  type HubOptions,
  type Link,
  type LinkOptions,
} from '@switchyard/transport';
import { seededRandom, settle, VirtualClock } from '@switchyard/testkit';

export const hubId = peerId.parse('orc-1');
export const logger = silentLogger();

export function helloOf(role: Hello['role'], over: Partial<Hello> = {}): Omit<Hello, 'lane'> {
  return {
    role,
    version: '0.1.0',
    host: 'test',
    pid: 1,
    labels: [],
    slots: 1,
    specializations: [],
    holding: [],
    reviewing: [],
    ...over,
  };
}

/** A hub and what it told its handler, on a clock that the test moves. */
export class World {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(7);
  hub: Hub;
  readonly messages: { envelope: Envelope; peer: ConnectedPeer }[] = [];
  readonly connected: PeerId[] = [];
  readonly disconnected: { id: PeerId; reason: string }[] = [];
  readonly liveness: string[] = [];
  readonly stalls: number[] = [];
  onMessage: HubHandler['message'] = () => undefined;
  private readonly options: Partial<HubOptions>;

  constructor(options: Partial<HubOptions> = {}) {
    this.options = options;
    this.hub = this.makeHub();
  }

  /** Another process takes the hub's place; the old one is simply gone. */
  makeHub(): Hub {
    this.hub = createHub({
      self: hubId,
      hubName: 'state',
      version: '0.1.0',
      clock: this.clock,
      random: this.random,
      logger,
      handler: {
        connected: (peer) => {
          this.connected.push(peer.id);
          return { fenced: [] };
        },
        message: (envelope, peer) => {
          this.messages.push({ envelope, peer });
          return this.onMessage(envelope, peer);
        },
        liveness: (peer, state, doubt) => this.liveness.push(`${peer.id} ${doubt ?? state}`),
        disconnected: (peer, reason) => this.disconnected.push({ id: peer.id, reason }),
        stalled: (gapMs) => this.stalls.push(gapMs),
      },
      ...this.options,
    });
    return this.hub;
  }

  grant(lane: Lane, over: Partial<Grant> = {}): Grant {
    return { roles: ['worker', 'reviewer', 'client'], lane, credential: 'operator', ...over };
  }

  /** A peer made of raw bytes, to do what a link never would. */
  raw(lane: Lane = 'control', over: Partial<Grant> = {}): RawPeer {
    const [ours, theirs] = memoryPair();
    this.hub.accept(theirs, this.grant(lane, over));
    return new RawPeer(ours);
  }

  /** A raw peer that has said hello. */
  async greeted(id: string, role: Role = 'worker', over: Partial<Grant> = {}): Promise<RawPeer> {
    const peer = this.raw('control', over);
    peer.say('hello', { ...helloOf(role as Hello['role']), lane: 'control' }, { from: id });
    await settle();
    return peer;
  }

  /** Dials the hub of this moment. */
  readonly dial: Dial = (lane) => {
    const [ours, theirs] = memoryPair();
    this.hub.accept(theirs, this.grant(lane));
    return Promise.resolve(ours);
  };

  link(id: string, role: Hello['role'] = 'worker', over: Partial<LinkOptions> = {}): LinkProbe {
    return new LinkProbe(this, id, role, over);
  }
}

/** A link and what it told its handler. */
export class LinkProbe {
  readonly link: Link;
  readonly messages: Envelope[] = [];
  readonly lost: string[] = [];
  readonly fatal: AppError[] = [];
  welcomes = 0;

  constructor(world: World, id: string, role: Hello['role'], over: Partial<LinkOptions>) {
    this.link = createLink({
      self: peerId.parse(id),
      hello: () => helloOf(role),
      dial: world.dial,
      clock: world.clock,
      random: world.random,
      logger,
      handler: {
        welcome: () => {
          this.welcomes += 1;
        },
        message: (envelope) => {
          this.messages.push(envelope);
        },
        lost: (reason) => this.lost.push(reason),
        fatal: (error) => this.fatal.push(error),
      },
      ...over,
    });
    this.link.start();
  }
}

/** One end of a channel, byte by byte. */
export class RawPeer {
  readonly received: Envelope[] = [];
  closed: { code: number; reason: string } | undefined;
  private readonly channel: Channel;
  private count = 0;

  constructor(channel: Channel) {
    this.channel = channel;
    channel.onFrame((frame) => this.received.push(...decodeFrame(frame).map(openEnvelope)));
    channel.onClose((code, reason) => {
      this.closed = { code, reason };
    });
  }

  /** Says something, true or not. */
  say(type: string, payload: unknown, over: Record<string, unknown> = {}): MessageId {
    const bytes = this.bytes(type, payload, over);
    this.channel.send(bytes);
    return messageId.parse(`raw-${this.count}`);
  }

  bytes(type: string, payload: unknown, over: Record<string, unknown> = {}): Uint8Array {
    this.count += 1;
    const envelope = {
      id: `raw-${this.count}`,
      type,
      from: 'worker-1',
      to: 'orchestrator',
      at: 1,
      payload: encodePayload(payload),
      ...over,
    };
    return encodeEnvelope(envelope as RawEnvelope);
  }

  frame(bytes: Uint8Array): void {
    this.channel.send(bytes);
  }

  close(code = 1000): void {
    this.channel.close(code, 'test');
  }

  types(): string[] {
    return this.received.map((envelope) => envelope.type);
  }
}

/** Lets time pass until a link is connected, and what waits for that has left. */
export async function up(world: World, probe: LinkProbe): Promise<void> {
  await settle();
  for (let turn = 0; turn < 100 && probe.link.state !== 'connected'; turn += 1)
    await world.clock.advance(200);
  if (probe.link.state !== 'connected') throw new Error(`the link is ${probe.link.state}`);
  await world.clock.advance(50);
}
