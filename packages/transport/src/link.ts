import {
  AppError,
  limits,
  registry,
  type Envelope,
  type MessageId,
  type MessageType,
  type PayloadInput,
  type PeerId,
  type RawEnvelope,
  type Role,
  type Welcome,
} from '@switchyard/protocol';
import { Breach, checkHead, openChecked } from './breach.ts';
import type { Channel } from './channel.ts';
import { DurableSends } from './durable-sends.ts';
import { EnvelopeWriter, type SendExtra } from './envelope-writer.ts';
import { hubAddress } from './hub-address.ts';
import { LaneKeeper } from './lane-keeper.ts';
import type { Link, LinkOptions, LinkState, RequestOptions } from './link-interface.ts';
import { Outflow } from './outflow.ts';
import { PendingRequests } from './pending-requests.ts';
import { Pulse, silentIntervals, Ticker } from './pulse.ts';

/** Makes a peer's link to the hub; it runs without sockets and without timers of its own. */
export function createLink(options: LinkOptions): Link {
  return new SwitchyardLink(options);
}

interface Connection {
  readonly welcome: Welcome;
  readonly hub: PeerId;
  readonly role: Role;
  readonly pulse: Pulse;
  readonly ticker: Ticker;
}

interface Waiter {
  resolve(welcome: Welcome): void;
  reject(error: unknown): void;
}

class SwitchyardLink implements Link {
  private readonly options: LinkOptions;
  private readonly writer: EnvelopeWriter;
  private readonly control: LaneKeeper;
  private readonly bulk: LaneKeeper;
  private readonly controlOut: Outflow;
  private readonly bulkOut: Outflow;
  private readonly durable: DurableSends;
  private readonly requests: PendingRequests;
  private readonly messageListeners = new Set<(envelope: Envelope) => void>();
  private readonly connectedListeners = new Set<(welcome: Welcome) => void>();
  private readonly waiters = new Set<Waiter>();
  private connection: Connection | undefined;
  private closedBy: AppError | undefined;
  private closing: Promise<void> | undefined;
  private ended: Promise<void> = Promise.resolve();
  private turns = 0;
  /** Why the hub is not reached, as last logged; a hub that stays away is logged once. */
  private unreachedFor: string | undefined;

  constructor(options: LinkOptions) {
    this.options = options;
    const { self, clock, random, logger } = options;
    this.writer = new EnvelopeWriter(self, clock, random);
    const writeGap = (dropped: number, since: number): Uint8Array =>
      this.writer.write('gap', hubAddress, { dropped, since }).bytes;
    this.controlOut = new Outflow({ lane: 'control', clock, writeGap });
    this.bulkOut = new Outflow({ lane: 'bulk', clock, writeGap });
    this.requests = new PendingRequests(clock);
    this.durable = new DurableSends({
      outbox: options.outbox,
      clock,
      logger,
      transmit: (frame) => this.controlOut.push(frame, { passing: true }),
    });
    this.control = this.keeper('control');
    this.bulk = this.keeper('bulk');
  }

  start(): void {
    if (this.closedBy === undefined) this.control.start();
  }

  get state(): LinkState {
    if (this.closedBy !== undefined) return 'closed';
    return this.connection === undefined ? 'connecting' : 'connected';
  }

  get unacknowledged(): number {
    return this.durable.size;
  }

  send<T extends MessageType>(type: T, payload: PayloadInput<T>, extra: SendExtra = {}): MessageId {
    if (this.closedBy !== undefined) throw this.closedBy;
    const { id, lane, bytes } = this.writer.write(type, hubAddress, payload, extra);
    if (registry[type].durable) this.durable.add(id, bytes);
    else if (lane === 'bulk') this.bulkOut.push(bytes);
    else if (!this.controlOut.push(bytes)) throw controlFull();
    return id;
  }

  async request<T extends MessageType>(
    type: T,
    payload: PayloadInput<T>,
    options: RequestOptions = {},
  ): Promise<Envelope> {
    const { timeoutMs = limits.requestTimeoutMs, signal } = options;
    const before = this.options.clock.monotonic();
    while (this.connection === undefined) await this.connectedWithin(timeoutMs, signal);
    const { id, bytes } = this.writer.write(type, hubAddress, payload);
    // A request never outlives its connection: nobody would know whether it was carried out.
    if (!this.controlOut.push(bytes, { passing: true })) throw controlFull();
    const spentMs = this.options.clock.monotonic() - before;
    return await this.requests.wait(id, type, { timeoutMs: Math.max(0, timeoutMs - spentMs), signal });
  }

  onMessage(listener: (envelope: Envelope) => void): () => void {
    this.messageListeners.add(listener);
    return () => this.messageListeners.delete(listener);
  }

  onConnected(listener: (welcome: Welcome) => void): () => void {
    this.connectedListeners.add(listener);
    return () => this.connectedListeners.delete(listener);
  }

  whenConnected(signal?: AbortSignal): Promise<Welcome> {
    if (this.closedBy !== undefined) return Promise.reject(this.closedBy);
    if (this.connection !== undefined) return Promise.resolve(this.connection.welcome);
    return new Promise<Welcome>((resolve, reject) => {
      const onAbort = (): void => waiter.reject(signal?.reason);
      const release = (): void => {
        this.waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        resolve: (welcome) => (release(), resolve(welcome)),
        reject: (error) => (release(), reject(error as Error)),
      };
      this.waiters.add(waiter);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    await this.durable.settled();
    this.controlOut.flush();
    this.bulkOut.flush();
    if (this.closedBy === undefined)
      this.ended = this.end(new AppError('E_CANCELLED', 'the link was closed'), 'closed by its owner');
    await this.ended;
  }

  private keeper(lane: 'control' | 'bulk'): LaneKeeper {
    const { dial, clock, random, hello } = this.options;
    const isControl = lane === 'control';
    return new LaneKeeper({
      lane,
      dial,
      clock,
      random,
      writeHello: () => this.writer.write('hello', hubAddress, { ...hello(), lane }).bytes,
      onWelcome: (raw, channel) => (isControl ? this.welcomed(raw, channel) : this.bulkOut.attach(channel)),
      onEnvelope: (raw) => this.take(raw, lane),
      onDown: (reason, wasUp) => (isControl ? this.down(reason, wasUp) : this.bulkOut.detach()),
      ...(isControl && { onUnreached: (reason: string) => this.unreached(reason) }),
      onFatal: (error) => this.fatal(error),
    });
  }

  private welcomed(raw: RawEnvelope, channel: Channel): void {
    const { self, hello, clock, handler, heartbeats } = this.options;
    const { role } = hello();
    checkHead(raw, { lane: 'control', from: raw.from, fromRole: 'orchestrator', to: [self], toRole: role });
    const envelope = openChecked(raw);
    if (envelope.type !== 'welcome') throw new Breach('forbidden', `${envelope.type} is no welcome`);
    const welcome = envelope.payload;
    const intervalMs = Math.min(60_000, Math.max(50, welcome.heartbeatIntervalMs));
    const ticker = new Ticker({
      clock,
      intervalMs,
      onTick: (mayJudge) => this.tick(mayJudge),
      onStall: (loopMs) => this.connection?.pulse.extend(loopMs),
    });
    const pulse = new Pulse(clock.monotonic());
    this.connection = { welcome, hub: raw.from, role, pulse, ticker };
    this.unreachedFor = undefined;
    handler.welcome?.(welcome);
    this.controlOut.attach(channel);
    this.durable.up();
    this.bulk.start();
    heartbeats?.begin({ self, hello: { ...hello(), holding: [], reviewing: [] }, intervalMs });
    for (const listener of this.connectedListeners) listener(welcome);
    for (const waiter of this.waiters) waiter.resolve(welcome);
  }

  private down(reason: string, wasUp: boolean): void {
    this.connection?.ticker.stop();
    this.connection = undefined;
    this.controlOut.detach();
    this.durable.down();
    this.options.heartbeats?.end();
    void this.bulk.stop(1000, 'the control lane is down');
    this.bulkOut.detach();
    this.requests.fail(new AppError('E_UNREACHABLE', `the link was lost: ${reason}`));
    if (!wasUp) return;
    this.options.logger.warn({ reason }, 'link lost');
    this.options.handler.lost?.(reason);
  }

  private unreached(reason: string): void {
    if (reason === this.unreachedFor) return;
    this.unreachedFor = reason;
    this.options.logger.warn({ reason }, 'hub not reached; trying again');
  }

  private fatal(error: AppError): void {
    if (this.closedBy !== undefined) return;
    this.ended = this.end(error, error.message);
    this.options.logger.error({ err: error }, 'link closed for good');
    this.options.handler.fatal(error);
  }

  private async end(error: AppError, reason: string): Promise<void> {
    this.closedBy = error;
    this.connection?.ticker.stop();
    this.connection = undefined;
    this.options.heartbeats?.end();
    const lanes = [this.control.stop(1000, reason), this.bulk.stop(1000, reason)];
    this.controlOut.detach();
    this.bulkOut.detach();
    this.durable.down();
    this.requests.fail(error);
    for (const waiter of this.waiters) waiter.reject(error);
    await Promise.all(lanes);
  }

  private take(raw: RawEnvelope, lane: 'control' | 'bulk'): void {
    const { connection } = this;
    if (connection === undefined) return;
    const { hub, role } = connection;
    checkHead(raw, { lane, from: hub, fromRole: 'orchestrator', to: [this.options.self], toRole: role });
    const envelope = openChecked(raw);
    const now = this.options.clock.monotonic();
    if (lane === 'control') connection.pulse.heard(now);
    if (envelope.type === 'heartbeat') connection.pulse.beat(envelope.payload.progress, now);
    else if (!this.requests.answer(envelope)) void this.hand(envelope);
  }

  private async hand(envelope: Envelope): Promise<void> {
    try {
      if (envelope.type === 'ack') await this.durable.acknowledge(envelope.payload.of);
      for (const listener of this.messageListeners) listener(envelope);
      await this.options.handler.message(envelope);
    } catch (thrown) {
      this.options.logger.error({ type: envelope.type, err: thrown }, 'handling a message failed');
    }
  }

  private tick(mayJudge: boolean): void {
    const { connection } = this;
    if (connection === undefined) return;
    const { progress, freeSlots, clock, heartbeats } = this.options;
    this.turns += 1;
    heartbeats?.sign();
    const silentMs = connection.pulse.stillMs(clock.monotonic());
    if (mayJudge && silentMs > connection.welcome.heartbeatIntervalMs * silentIntervals)
      return this.control.drop('silent', `the hub is silent for ${Math.round(silentMs)} ms`);
    const beat = { progress: progress?.() ?? this.turns, ...(freeSlots && { freeSlots: freeSlots() }) };
    this.controlOut.push(this.writer.write('heartbeat', hubAddress, beat).bytes, { passing: true });
  }

  /** Waits for the link; throws AppError E_UNREACHABLE after `timeoutMs`. */
  private async connectedWithin(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const late = new AbortController();
    const cancel = this.options.clock.after(timeoutMs, () =>
      late.abort(new AppError('E_UNREACHABLE', `no link to the orchestrator within ${timeoutMs} ms`)),
    );
    try {
      await this.whenConnected(signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]));
    } finally {
      cancel();
    }
  }
}

function controlFull(): AppError {
  return new AppError(
    'E_QUEUE_FULL',
    'the control lane is full: the orchestrator does not keep up or is away',
  );
}
