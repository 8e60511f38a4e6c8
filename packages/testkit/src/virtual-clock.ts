import type { Clock } from '@switchyard/runtime';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class VirtualClock implements Clock {
  private timeMs = 1_000_000;
  private wallOffsetMs = 1_700_000_000_000;
  private order = 0;
  private timers = new Set<Timer>();

  now(): number {
    return this.timeMs + this.wallOffsetMs;
  }

  monotonic(): number {
    return this.timeMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    this.order += 1;
    const timer: Timer = { at: this.timeMs + Math.max(0, delayMs), order: this.order, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Calls that wait for their time. */
  get timersLeft(): number {
    return this.timers.size;
  }

  /** Lets everything that is due by then happen, in order, with the microtasks between. */
  async advance(deltaMs: number): Promise<void> {
    const end = this.timeMs + deltaMs;
    await settle();
    for (let next = this.due(end); next !== undefined; next = this.due(end)) {
      this.timers.delete(next);
      this.timeMs = Math.max(this.timeMs, next.at);
      next.callback();
      await settle();
    }
    this.timeMs = end;
    await settle();
  }

  /** The loop stood still: time passes, and only then is everything due called. */
  async stall(deltaMs: number): Promise<void> {
    this.timeMs += deltaMs;
    await this.advance(0);
  }

  /** Somebody set the machine's clock. */
  setWallForward(deltaMs: number): void {
    this.wallOffsetMs += deltaMs;
  }

  private due(end: number): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.at > end) continue;
      if (best === undefined || timer.at < best.at || (timer.at === best.at && timer.order < best.order))
        best = timer;
    }
    return best;
  }
}

/** Lets every microtask that is queued, and those they queue, run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
