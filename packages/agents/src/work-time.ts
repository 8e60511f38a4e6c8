import type { Clock } from '@switchyard/runtime';

/** How long something has been kept from working so far, in milliseconds: its model or an answer was waited for. */
export type PausedMs = () => number;

/** Between two looks, so that the last moment of who is held for hours is not looked at all the time. */
export const leastMs = 250;

export interface WorkTimeOptions {
  readonly clock: Clock;
  readonly pausedMs: PausedMs;
  readonly limitMs: number;
  /** Called once, when the limit is used up. */
  readonly over: () => void;
}

/** A limit of time that stands still while its owner is kept from working. */
export class WorkTime {
  private readonly options: WorkTimeOptions;
  private readonly endsAt: number;
  private readonly pausedBefore: number;
  private cancel: () => void = () => undefined;

  constructor(options: WorkTimeOptions) {
    const { clock, limitMs, pausedMs } = options;
    this.options = options;
    this.endsAt = clock.monotonic() + limitMs;
    this.pausedBefore = pausedMs();
    this.wait(limitMs);
  }

  leftMs(): number {
    const { clock, pausedMs } = this.options;
    return this.endsAt + (pausedMs() - this.pausedBefore) - clock.monotonic();
  }

  close(): void {
    this.cancel();
  }

  private wait(delayMs: number): void {
    this.cancel = this.options.clock.after(delayMs, () => {
      const leftMs = this.leftMs();
      if (leftMs > 0) this.wait(Math.max(leastMs, Math.ceil(leftMs)));
      else this.options.over();
    });
  }
}
