import { joinFrames, limits, type Lane } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import type { Channel } from './channel.ts';

/** A frame grows by coalescing up to this many bytes. */
const coalescedBytes = 64 * 1024;
/** More than this waiting in the channel: hold back, so that what comes meanwhile is coalesced. */
const channelBytes = 1024 * 1024;
/** How soon to look again whether the channel has drained. */
const drainCheckMs = 5;

export interface OutflowOptions {
  readonly lane: Lane;
  readonly clock: Clock;
  /** Writes the envelope that says how many messages the bulk lane dropped. */
  readonly writeGap: (dropped: number, since: number) => Uint8Array;
}

interface Waiting {
  readonly bytes: Uint8Array;
  /** Makes no sense on another connection. */
  readonly passing: boolean;
}

/**
 * What waits for one lane of one peer. Idle, an envelope leaves in the next microtask; envelopes of the same turn,
 * and those that meet a full channel, leave together. At its limit the control lane refuses (its owner disconnects
 * the peer, or tells the sender), the bulk lane drops the oldest and says so with `gap`.
 */
export class Outflow {
  private readonly options: OutflowOptions;
  private channel: Channel | undefined;
  private waiting: Waiting[] = [];
  private first = 0;
  private bytes = 0;
  private dropped = 0;
  private droppedSince = 0;
  private flushing = false;
  private cancelCheck: (() => void) | undefined;

  constructor(options: OutflowOptions) {
    this.options = options;
  }

  /** Envelopes that wait. */
  get length(): number {
    return this.waiting.length - this.first;
  }

  /** Bytes that wait here and in the channel. */
  get waitingBytes(): number {
    return this.bytes + (this.channel?.bufferedBytes ?? 0);
  }

  /**
   * Takes an envelope; false (control lane only): the limit is reached and it was not taken. A passing one is
   * dropped, not kept, when its channel ends.
   */
  push(envelope: Uint8Array, options: { readonly passing?: boolean } = {}): boolean {
    if (this.options.lane === 'control' && this.isFull(envelope)) {
      this.flush();
      if (this.isFull(envelope)) return false;
    }
    this.waiting.push({ bytes: envelope, passing: options.passing ?? false });
    this.bytes += envelope.length;
    if (this.options.lane === 'bulk') this.dropOldest();
    this.schedule();
    return true;
  }

  /** What waits goes to this channel from now on. */
  attach(channel: Channel): void {
    this.channel = channel;
    this.schedule();
  }

  /** Keeps what waits until there is a channel again, except what was passing. */
  detach(): void {
    this.channel = undefined;
    this.waiting = this.waiting.slice(this.first).filter((entry) => !entry.passing);
    this.first = 0;
    this.bytes = this.waiting.reduce((sum, entry) => sum + entry.bytes.length, 0);
    this.cancelCheck?.();
    this.cancelCheck = undefined;
  }

  /** Sends what the channel takes now. */
  flush(): void {
    const { channel } = this;
    if (channel === undefined) return;
    while ((this.length > 0 || this.dropped > 0) && channel.bufferedBytes < channelBytes)
      channel.send(this.takeFrame());
    if (this.length > 0) this.checkLater();
  }

  private isFull(next: Uint8Array): boolean {
    return (
      this.length >= limits.controlQueueMessages || this.waitingBytes + next.length > limits.controlQueueBytes
    );
  }

  private dropOldest(): void {
    while (this.waitingBytes > limits.bulkQueueBytes && this.length > 1) {
      this.take();
      if (this.dropped === 0) this.droppedSince = Math.round(this.options.clock.now());
      this.dropped += 1;
    }
  }

  private schedule(): void {
    if (this.channel === undefined || this.flushing || this.cancelCheck !== undefined) return;
    this.flushing = true;
    queueMicrotask(() => {
      this.flushing = false;
      this.flush();
    });
  }

  private checkLater(): void {
    this.cancelCheck ??= this.options.clock.after(drainCheckMs, () => {
      this.cancelCheck = undefined;
      this.flush();
    });
  }

  private takeFrame(): Uint8Array {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    if (this.dropped > 0) {
      parts.push(this.options.writeGap(this.dropped, this.droppedSince));
      this.dropped = 0;
    }
    while (this.length > 0 && parts.length < limits.frameEnvelopes) {
      const next = this.waiting[this.first]?.bytes;
      if (next === undefined || (parts.length > 0 && bytes + next.length > coalescedBytes)) break;
      parts.push(next);
      bytes += next.length;
      this.take();
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : joinFrames(parts);
  }

  private take(): void {
    this.bytes -= this.waiting[this.first]?.bytes.length ?? 0;
    this.first += 1;
    if (this.first < 1024 && this.first < this.waiting.length) return;
    this.waiting = this.waiting.slice(this.first);
    this.first = 0;
  }
}
