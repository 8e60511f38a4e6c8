import type { Clock } from '@switchyard/runtime';
import type { Channel } from './channel.ts';

export interface MemoryPairOptions {
  /** With a clock, each frame takes `latencyMs` of its time; without, it arrives in a later microtask. */
  readonly clock?: Clock;
  readonly latencyMs?: () => number;
}

/** Two ends of one pipe in memory. Frames arrive in order and never from within `send`. */
export function memoryPair(options: MemoryPairOptions = {}): [Channel, Channel] {
  const left = new MemoryChannel(options);
  const right = new MemoryChannel(options);
  left.connect(right);
  right.connect(left);
  return [left, right];
}

type Parcel =
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

class MemoryChannel implements Channel {
  private other: MemoryChannel | undefined;
  private readonly options: MemoryPairOptions;
  /** What is on its way to this end, oldest first. */
  private readonly incoming: Parcel[] = [];
  private incomingBytes = 0;
  private sending = true;
  private ended = false;
  private paused = false;
  private frameHandler: ((frame: Uint8Array) => void) | undefined;
  private closeHandler: ((code: number, reason: string) => void) | undefined;

  constructor(options: MemoryPairOptions) {
    this.options = options;
  }

  connect(other: MemoryChannel): void {
    this.other = other;
  }

  get bufferedBytes(): number {
    return this.other?.incomingBytes ?? 0;
  }

  send(frame: Uint8Array): void {
    if (this.sending) this.other?.deliver({ kind: 'frame', frame });
  }

  close(code: number, reason: string): void {
    if (!this.sending) return;
    this.sending = false;
    if (code === 1006) this.cut(reason);
    else this.other?.deliver({ kind: 'close', code, reason });
    queueMicrotask(() => this.end(code, reason));
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.frameHandler = handler;
  }

  onClose(handler: (code: number, reason: string) => void): void {
    this.closeHandler = handler;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    queueMicrotask(() => this.drain());
  }

  /** The line is gone: what was on its way in either direction is lost. */
  private cut(reason: string): void {
    this.incoming.length = 0;
    const { other } = this;
    if (other === undefined) return;
    other.incoming.length = 0;
    other.incomingBytes = 0;
    other.sending = false;
    queueMicrotask(() => other.end(1006, reason));
  }

  private deliver(parcel: Parcel): void {
    this.incoming.push(parcel);
    if (parcel.kind === 'frame') this.incomingBytes += parcel.frame.length;
    const { clock, latencyMs } = this.options;
    if (clock === undefined) queueMicrotask(() => this.arrive());
    else clock.after(latencyMs?.() ?? 0, () => this.arrive());
  }

  private arrived = 0;

  private arrive(): void {
    this.arrived += 1;
    this.drain();
  }

  private drain(): void {
    while (this.arrived > 0 && !this.paused) {
      this.arrived -= 1;
      const parcel = this.incoming.shift();
      if (parcel === undefined) continue;
      if (parcel.kind === 'close') {
        this.sending = false;
        this.end(parcel.code, parcel.reason);
        continue;
      }
      this.incomingBytes -= parcel.frame.length;
      if (!this.ended) this.frameHandler?.(parcel.frame);
    }
  }

  private end(code: number, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.closeHandler?.(code, reason);
  }
}
