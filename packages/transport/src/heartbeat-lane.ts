import type { AppError, Hello, PeerId, RawEnvelope, Role } from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import { checkHead, openChecked } from './breach.ts';
import type { Channel, Dial } from './channel.ts';
import { EnvelopeWriter } from './envelope-writer.ts';
import { hubAddress } from './hub-address.ts';
import { LaneKeeper } from './lane-keeper.ts';
import { Pulse, silentIntervals, Ticker } from './pulse.ts';

/** How a peer introduces its heartbeat lane, once the hub has welcomed its main loop. */
export interface LaneGreeting {
  readonly self: PeerId;
  readonly hello: Omit<Hello, 'lane'>;
  readonly intervalMs: number;
}

export interface HeartbeatLaneOptions extends LaneGreeting {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  /** How many turns the main loop has made. */
  readonly turns: () => number;
  /** The hub will never take this lane. */
  readonly onRefused: (error: AppError) => void;
}

/** The lane is up: the hub as it called itself, and what is heard of it. */
interface Connection {
  readonly channel: Channel;
  readonly hub: RawEnvelope['from'];
  readonly pulse: Pulse;
  readonly ticker: Ticker;
}

/** Bytes that wait in the channel; more heartbeats would say nothing new. */
const waitingBytesMax = 16 * 1024;

/** Keeps a heartbeat lane connected and sends heartbeats on it. It knows nothing of the link whose main loop it tells of. */
export class HeartbeatLane {
  private readonly options: HeartbeatLaneOptions;
  private readonly role: Role;
  private readonly writer: EnvelopeWriter;
  private readonly keeper: LaneKeeper;
  private connection: Connection | undefined;

  constructor(options: HeartbeatLaneOptions) {
    const { self, hello, dial, clock, random, onRefused } = options;
    this.options = options;
    this.role = hello.role;
    this.writer = new EnvelopeWriter(self, clock, random);
    this.keeper = new LaneKeeper({
      lane: 'heartbeat',
      dial,
      clock,
      random,
      writeHello: () => this.writer.write('hello', hubAddress, { ...hello, lane: 'heartbeat' }).bytes,
      onWelcome: (raw, channel) => this.welcomed(raw, channel),
      onEnvelope: (raw) => this.take(raw),
      onDown: () => this.down(),
      onFatal: (error) => {
        this.down();
        onRefused(error);
      },
    });
  }

  start(): void {
    this.keeper.start();
  }

  /** Resolves when the hub has read the end, or after a second. */
  stop(): Promise<void> {
    this.down();
    return this.keeper.stop(1000, 'the link ends');
  }

  private welcomed(raw: RawEnvelope, channel: Channel): void {
    this.check(raw, raw.from);
    const { clock, intervalMs } = this.options;
    const pulse = new Pulse(clock.monotonic());
    const ticker = new Ticker({
      clock,
      intervalMs,
      onTick: (mayJudge) => this.tick(mayJudge),
      onStall: (loopMs) => pulse.extend(loopMs),
    });
    this.connection = { channel, hub: raw.from, pulse, ticker };
    this.beat(channel);
  }

  private take(raw: RawEnvelope): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.check(raw, connection.hub);
    const envelope = openChecked(raw);
    if (envelope.type === 'heartbeat')
      connection.pulse.beat(envelope.payload.progress, this.options.clock.monotonic());
  }

  /** Throws Breach. */
  private check(raw: RawEnvelope, from: RawEnvelope['from']): void {
    const to = [this.options.self];
    checkHead(raw, { lane: 'heartbeat', from, fromRole: 'orchestrator', to, toRole: this.role });
  }

  private tick(mayJudge: boolean): void {
    const { connection } = this;
    if (connection === undefined) return;
    const { clock, intervalMs } = this.options;
    const silentMs = connection.pulse.stillMs(clock.monotonic());
    if (mayJudge && silentMs > intervalMs * silentIntervals)
      this.keeper.drop('silent', `the hub is silent for ${Math.round(silentMs)} ms`);
    else this.beat(connection.channel);
  }

  private beat(channel: Channel): void {
    if (channel.bufferedBytes > waitingBytesMax) return;
    const progress = this.options.turns();
    channel.send(this.writer.write('heartbeat', hubAddress, { progress }).bytes);
  }

  private down(): void {
    this.connection?.ticker.stop();
    this.connection = undefined;
  }
}
