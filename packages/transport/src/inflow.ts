import { AppError, decodeFrame, limits, type Lane, type RawEnvelope } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import { Breach } from './breach.ts';
import type { Channel } from './channel.ts';
import { frameLimit } from './envelope-writer.ts';

/** One window of fairness: a channel gets this many envelopes of it, then the others have their turn. */
const windowMs = 5;
const windowEnvelopes = 500;
/** Who has sent no more in it needs no timer that ends it. */
const lightEnvelopes = 50;
/** Bytes that may wait when a channel cannot be paused. */
const waitingBytesMax = 64 * 1024 * 1024;

export interface InflowOptions {
  readonly lane: Lane;
  readonly clock: Clock;
  readonly channel: Channel;
  /** Takes one envelope whose head is well formed; may throw Breach. */
  readonly onEnvelope: (raw: RawEnvelope) => void;
  /** The peer broke the rules; nothing more is read. */
  readonly onBreach: (breach: Breach) => void;
}

/**
 * What one channel brings in: frames become envelopes, no more than a share per window, so that a flood harms its
 * sender only: its channel is not read while others work.
 */
export class Inflow {
  private readonly options: InflowOptions;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private spent = 0;
  private openedAt = -Infinity;
  /** A timer ends the window, so that it lasts until others have had their turn. */
  private isTimed = false;
  private ended = false;

  constructor(options: InflowOptions) {
    this.options = options;
    options.channel.onFrame((frame) => this.push(frame));
  }

  /** Reads nothing more. */
  end(): void {
    this.ended = true;
    this.waiting = [];
  }

  private push(frame: Uint8Array): void {
    if (this.ended) return;
    const { lane } = this.options;
    if (frame.length > frameLimit(lane))
      return this.fail(new Breach('frameTooLarge', `${frame.length} bytes on the ${lane} lane`));
    if (this.spent < windowEnvelopes && this.waiting.length === 0) return this.take(frame);
    this.waiting.push(frame);
    this.waitingBytes += frame.length;
    this.options.channel.pause?.();
    if (this.waitingBytes > waitingBytesMax) this.fail(new Breach('tooSlow', 'more than can be read'));
  }

  private take(frame: Uint8Array): void {
    if (this.spent <= lightEnvelopes) this.openWindow();
    try {
      for (const raw of readFrame(frame)) {
        this.spent += 1;
        if (this.spent > lightEnvelopes) this.endWindowLater();
        this.options.onEnvelope(raw);
        if (this.ended) return;
      }
    } catch (thrown) {
      if (thrown instanceof Breach) this.fail(thrown);
      else throw thrown;
    }
  }

  private openWindow(): void {
    const now = this.options.clock.monotonic();
    if (now - this.openedAt < windowMs) return;
    this.openedAt = now;
    this.spent = 0;
  }

  private endWindowLater(): void {
    if (this.isTimed) return;
    this.isTimed = true;
    this.options.clock.after(windowMs, () => {
      this.isTimed = false;
      this.spent = 0;
      this.drain();
    });
  }

  private drain(): void {
    let count = 0;
    while (!this.ended && this.spent < windowEnvelopes && count < this.waiting.length) {
      const frame = this.waiting[count];
      count += 1;
      if (frame === undefined) break;
      this.waitingBytes -= frame.length;
      this.take(frame);
    }
    this.waiting = this.waiting.slice(count);
    if (count > 0 && this.waiting.length === 0 && !this.ended) this.options.channel.resume?.();
  }

  private fail(breach: Breach): void {
    this.end();
    this.options.onBreach(breach);
  }
}

function readFrame(frame: Uint8Array): RawEnvelope[] {
  try {
    const envelopes = decodeFrame(frame);
    if (envelopes.length <= limits.frameEnvelopes) return envelopes;
  } catch (thrown) {
    if (thrown instanceof AppError) throw new Breach('badFrame', thrown.message);
    throw thrown;
  }
  throw new Breach('badFrame', `more than ${limits.frameEnvelopes} envelopes in one frame`);
}
