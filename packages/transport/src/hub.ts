import {
  AppError,
  limits,
  messageOf,
  specOf,
  type CloseName,
  type Lane,
  type MessageId,
  type MessageType,
  type PayloadInput,
  type PeerId,
  type RawEnvelope,
} from '@switchyard/protocol';
import { Breach, checkHead, openChecked } from './breach.ts';
import type { Channel } from './channel.ts';
import { EnvelopeWriter, type SendExtra } from './envelope-writer.ts';
import { admit } from './admission.ts';
import { hubAddress } from './hub-address.ts';
import type { ConnectedPeer, Grant, Hub, HubCounts, HubOptions } from './hub-interface.ts';
import { Inflow } from './inflow.ts';
import { Delivery } from './delivery.ts';
import { endLane, Session, type OpenLane } from './session.ts';
import { Vigil } from './vigil.ts';

/** Makes the hub: it holds the links of all peers and runs without sockets and without timers of its own. */
export function createHub(options: HubOptions): Hub {
  return new SwitchyardHub(options);
}

/** A channel whose peer has not said hello yet, or has. */
type Place =
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: Lane; readonly session: Session }
  | { readonly kind: 'gone' };

interface Visitor extends OpenLane {
  readonly grant: Grant;
  /** Grows with every channel: which of two is the newer, whichever hello is read first. */
  readonly order: number;
  place: Place;
}

class SwitchyardHub implements Hub {
  private readonly options: HubOptions;
  private readonly writer: EnvelopeWriter;
  private readonly delivery: Delivery;
  private readonly vigil: Vigil;
  private readonly sessions = new Map<PeerId, Session>();
  private readonly visitors = new Set<Visitor>();
  private readonly received = new Map<MessageType, number>();
  private readonly breaches = new Map<CloseName, number>();
  private readonly intervalMs: number;
  private channels = 0;
  private closed = false;
  private onEmpty: (() => void) | undefined;

  constructor(options: HubOptions) {
    this.options = options;
    this.writer = new EnvelopeWriter(options.self, options.clock, options.random);
    this.intervalMs = options.heartbeatIntervalMs ?? limits.heartbeatIntervalMs;
    this.delivery = new Delivery(options, (session, answer) => {
      if (this.sessions.get(session.id) === session) this.send(session.id, 'error', answer.payload, answer);
    });
    this.vigil = new Vigil({
      ...options,
      intervalMs: this.intervalMs,
      sessions: () => this.sessions.values(),
      beat: (session, progress) => this.beat(session, progress),
      drop: (session) => this.endSession(session, 'silent', 'no heartbeat'),
    });
  }

  accept(channel: Channel, grant: Grant): void {
    const { clock } = this.options;
    const inflow = new Inflow({
      lane: grant.lane,
      clock,
      channel,
      onEnvelope: (raw) => this.take(visitor, raw),
      onBreach: (breach) => this.punish(visitor, breach),
    });
    const cancel = clock.after(limits.helloTimeoutMs, () =>
      this.punish(visitor, new Breach('helloTimeout', `no hello within ${limits.helloTimeoutMs} ms`)),
    );
    this.channels += 1;
    const visitor: Visitor = {
      channel,
      inflow,
      grant,
      order: this.channels,
      place: { kind: 'waiting', cancel },
    };
    this.visitors.add(visitor);
    channel.onClose((code, reason) => this.gone(visitor, code, reason));
    if (this.closed) this.dismiss(visitor, 'shuttingDown', 'the hub is going down');
  }

  send<T extends MessageType>(
    to: PeerId,
    type: T,
    payload: PayloadInput<T>,
    extra: SendExtra = {},
  ): MessageId | undefined {
    const session = this.sessions.get(to);
    if (session === undefined) return undefined;
    const spec = specOf(type);
    if (!spec?.from.includes('orchestrator') || !spec.to.includes(session.role))
      throw new AppError('E_PROTOCOL', `the orchestrator may not send ${type} to a ${session.role}`);
    const envelope = this.writer.write(type, to, payload, extra);
    if (session.push(envelope)) return envelope.id;
    this.endSession(session, 'tooSlow', 'the control lane is full');
    return undefined;
  }

  peers(): readonly ConnectedPeer[] {
    return [...this.sessions.values()];
  }

  waiting(peer: PeerId): number | undefined {
    return this.sessions.get(peer)?.waiting;
  }

  counts(): HubCounts {
    return { received: this.received, breaches: this.breaches };
  }

  disconnect(peer: PeerId, closeName: CloseName): void {
    const session = this.sessions.get(peer);
    if (session !== undefined) this.endSession(session, closeName, 'disconnected by the orchestrator');
  }

  async close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      this.vigil.stop();
      for (const session of this.sessions.values())
        this.endSession(session, 'shuttingDown', 'the hub is going down');
      for (const visitor of this.visitors) this.dismiss(visitor, 'shuttingDown', 'the hub is going down');
    }
    if (this.visitors.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.options.clock.after(closeWaitMs, resolve);
      this.onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }

  private take(visitor: Visitor, raw: RawEnvelope): void {
    switch (visitor.place.kind) {
      case 'waiting':
        return this.greet(visitor, raw);
      case 'control':
      case 'bulk':
      case 'heartbeat':
        return this.receive(visitor.place.session, visitor, raw);
      case 'gone':
        return;
    }
  }

  /** The first envelope of a channel: it must be a hello that the grant covers. */
  private greet(visitor: Visitor, raw: RawEnvelope): void {
    const { self, logger } = this.options;
    const hello = admit(raw, visitor.grant, [self, hubAddress]);
    const old = this.sessions.get(raw.from);
    if (old !== undefined && old.order > visitor.order)
      throw new Breach('replaced', 'a newer link of the same peer is there');
    if (visitor.grant.lane === 'bulk') return this.greetBulk(visitor, old, raw);
    if (visitor.grant.lane === 'heartbeat') return this.greetHeartbeat(visitor, old, raw);
    if (old !== undefined && isStranger(visitor.grant, old.grant))
      throw new Breach('forbidden', `the name ${raw.from} belongs to a peer that is connected`);
    const token = visitor.grant.lastingToken?.(raw.from, hello.role);
    if (visitor.grant.lastingToken !== undefined && token === undefined)
      throw new Breach('unauthorized', 'the invitation is used up, or the name is taken');
    if (old !== undefined) this.endSession(old, 'replaced', 'the same peer connected again');
    const session = new Session({
      hello,
      id: raw.from,
      order: visitor.order,
      grant: visitor.grant,
      control: visitor,
      clock: this.options.clock,
      writer: this.writer,
    });
    this.settle(visitor, { kind: 'control', session });
    this.sessions.set(session.id, session);
    logger.debug({ peer: session.id, role: session.role, remote: session.remote }, 'peer connected');
    this.welcome(session, raw.id, token);
  }

  private greetBulk(visitor: Visitor, session: Session | undefined, raw: RawEnvelope): void {
    if (session === undefined || !isSamePeer(visitor.grant, session))
      throw new Breach('helloTimeout', 'a bulk lane needs the control lane of the same peer first');
    this.settle(visitor, { kind: 'bulk', session });
    session.attachBulk(visitor);
    this.welcomeLane(session, visitor, raw);
  }

  /** A thread cannot know whether its main loop still has a link: one that comes too early comes again. */
  private greetHeartbeat(visitor: Visitor, session: Session | undefined, raw: RawEnvelope): void {
    const reason = 'a heartbeat lane needs the control lane of the same peer first';
    if (session === undefined) return this.dismiss(visitor, 'helloTimeout', reason);
    if (!isSamePeer(visitor.grant, session)) throw new Breach('helloTimeout', reason);
    this.settle(visitor, { kind: 'heartbeat', session });
    session.attachHeartbeat(visitor, this.options.clock.monotonic());
    this.welcomeLane(session, visitor, raw);
  }

  private welcomeLane(session: Session, visitor: Visitor, { id: replyTo }: RawEnvelope): void {
    const payload = this.welcomePayload(session, []);
    visitor.channel.send(this.writer.write('welcome', session.id, payload, { replyTo }).bytes);
  }

  private beat(session: Session, progress: number): void {
    this.send(session.id, 'heartbeat', { progress });
    session.beatThread(this.writer.write('heartbeat', session.id, { progress }));
  }

  private welcome(session: Session, replyTo: MessageId, token: string | undefined): void {
    let fenced: ReturnType<HubOptions['handler']['connected']>['fenced'];
    try {
      ({ fenced } = this.options.handler.connected(session));
    } catch (thrown) {
      this.options.logger.error({ peer: session.id, err: thrown }, 'a peer could not be taken in');
      this.endSession(session, 'shuttingDown', messageOf(thrown));
      return;
    }
    if (this.sessions.get(session.id) !== session) return;
    const payload = this.welcomePayload(session, fenced);
    this.send(session.id, 'welcome', token === undefined ? payload : { ...payload, token }, { replyTo });
  }

  private welcomePayload(
    session: Session,
    fenced: PayloadInput<'welcome'>['fenced'],
  ): PayloadInput<'welcome'> {
    const { hubName, version } = this.options;
    return { peer: session.id, hub: hubName, version, heartbeatIntervalMs: this.intervalMs, fenced };
  }

  private settle(visitor: Visitor, place: Place): void {
    if (visitor.place.kind === 'waiting') visitor.place.cancel();
    visitor.place = place;
  }

  private receive(session: Session, visitor: Visitor, raw: RawEnvelope): void {
    const { self, clock } = this.options;
    checkHead(raw, {
      lane: visitor.grant.lane,
      from: session.id,
      fromRole: session.role,
      to: [self, hubAddress],
      toRole: 'orchestrator',
    });
    const envelope = openChecked(raw);
    if (envelope.type === 'hello') throw new Breach('forbidden', 'a second hello');
    this.received.set(envelope.type, (this.received.get(envelope.type) ?? 0) + 1);
    const { lane } = visitor.grant;
    if (lane === 'control') session.signs.heard(clock.monotonic());
    if (envelope.type === 'heartbeat') this.vigil.beat(session, envelope.payload, lane);
    else this.delivery.hand(session, envelope);
  }

  /** The peer broke a rule: it is told why and dropped; counted and logged. */
  private punish(visitor: Visitor, breach: Breach): void {
    const { place } = visitor;
    if (place.kind === 'gone') return;
    const peer = place.kind === 'waiting' ? undefined : place.session.id;
    this.breaches.set(breach.closeName, (this.breaches.get(breach.closeName) ?? 0) + 1);
    this.options.logger.warn(
      { peer, remote: visitor.channel.remote, close: breach.closeName, reason: breach.message },
      'peer broke the message table',
    );
    if (place.kind === 'waiting') this.dismiss(visitor, breach.closeName, breach.message);
    else this.endSession(place.session, breach.closeName, breach.message);
  }

  private dismiss(visitor: Visitor, closeName: CloseName, reason: string): void {
    if (visitor.place.kind !== 'waiting') return;
    this.settle(visitor, { kind: 'gone' });
    endLane(visitor, closeName, reason);
  }

  private endSession(session: Session, closeName: CloseName, reason: string): void {
    if (this.sessions.get(session.id) !== session) return;
    this.sessions.delete(session.id);
    session.end(closeName, reason);
    this.left(session, reason);
  }

  private left(session: Session, reason: string): void {
    for (const visitor of this.visitors) {
      const { place } = visitor;
      if ('session' in place && place.session === session) visitor.place = { kind: 'gone' };
    }
    this.options.logger.debug({ peer: session.id, role: session.role, reason }, 'peer disconnected');
    this.options.handler.disconnected(session, reason);
  }

  /** A channel ended, by either side. */
  private gone(visitor: Visitor, code: number, reason: string): void {
    const { place } = visitor;
    this.settle(visitor, { kind: 'gone' });
    this.visitors.delete(visitor);
    visitor.inflow.end();
    if (place.kind === 'bulk') place.session.detachBulk(visitor);
    if (place.kind === 'heartbeat') place.session.detachHeartbeat(visitor);
    if (place.kind === 'control' && this.sessions.get(place.session.id) === place.session) {
      this.sessions.delete(place.session.id);
      place.session.end('shuttingDown', 'the control lane is gone');
      this.left(place.session, reason === '' ? `closed with ${code}` : reason);
    }
    if (this.visitors.size === 0) this.onEmpty?.();
  }
}

/** How long the end waits for the other sides to confirm it. */
const closeWaitMs = 1_000;

/** A one-time token may take over a connected name only from itself (its welcome was lost). */
function isStranger(newcomer: Grant, holder: Grant): boolean {
  return newcomer.lastingToken !== undefined && newcomer.credential !== holder.credential;
}

/** The bulk lane comes with the control lane's token, or with a token bound to the peer. */
function isSamePeer(newcomer: Grant, session: Session): boolean {
  return newcomer.peer === session.id || newcomer.credential === session.grant.credential;
}
