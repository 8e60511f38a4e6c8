import type { Clock } from '@switchyard/runtime';
import { leastMs, type PausedMs } from './work-time.ts';

/** Calls back once when there was no sign of life for so long; who is kept from working may be silent. */
export class Watchdog {
  private readonly clock: Clock;
  private readonly pausedMs: PausedMs;
  private readonly silenceMs: number;
  private readonly bark: () => void;
  private lastMs = 0;
  private pausedBefore = 0;
  private cancel: (() => void) | undefined;

  constructor(
    { clock, pausedMs }: { readonly clock: Clock; readonly pausedMs: PausedMs },
    silenceMs: number,
    bark: () => void,
  ) {
    this.clock = clock;
    this.pausedMs = pausedMs;
    this.silenceMs = silenceMs;
    this.bark = bark;
    this.touch();
    this.wait(silenceMs);
  }

  /** A sign of life. */
  touch(): void {
    this.lastMs = this.clock.monotonic();
    this.pausedBefore = this.pausedMs();
  }

  close(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private wait(delayMs: number): void {
    this.cancel = this.clock.after(delayMs, () => {
      const pausedMs = this.pausedMs() - this.pausedBefore;
      const leftMs = this.lastMs + this.silenceMs + pausedMs - this.clock.monotonic();
      if (leftMs > 0) this.wait(Math.max(leastMs, Math.ceil(leftMs)));
      else this.bark();
    });
  }
}
