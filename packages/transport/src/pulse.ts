import type { Clock } from '@switchyard/runtime';

/** A hub silent for this many of its own heartbeat intervals is dialled anew. */
export const silentIntervals = 5;

/** Signs of life of one peer. Milliseconds of the monotonic clock. */
export class Pulse {
  private heardAt: number;
  private advancedAt: number;
  private progress = -1;

  constructor(nowMs: number) {
    this.heardAt = nowMs;
    this.advancedAt = nowMs;
  }

  /** Something came from the peer. */
  heard(nowMs: number): void {
    this.heardAt = nowMs;
  }

  /** A heartbeat came; true: the counter of its main loop has moved. */
  beat(progress: number, nowMs: number): boolean {
    this.heardAt = nowMs;
    if (progress === this.progress) return false;
    this.progress = progress;
    this.advancedAt = nowMs;
    return true;
  }

  /** Silence that has a reason does not count. */
  forgiveSilence(gapMs: number): void {
    this.heardAt += gapMs;
  }

  /** How long nothing at all came. */
  silentMs(nowMs: number): number {
    return nowMs - this.heardAt;
  }

  /** How long the counter has stood still. */
  stillMs(nowMs: number): number {
    return nowMs - this.advancedAt;
  }

  /** Forgives time in which we could not have heard it. */
  extend(gapMs: number): void {
    this.heardAt += gapMs;
    this.advancedAt += gapMs;
  }
}

export interface TickerOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Every interval; `mayJudge` is false for one interval after our own clock or loop stood still. */
  readonly onTick: (mayJudge: boolean) => void;
  /** We stood still: for `loopMs` of the monotonic clock, `wallMs` of the machine's. */
  readonly onStall: (loopMs: number, wallMs: number) => void;
}

/**
 * Calls at an interval and notices when it was itself held up (a closed lid, a slow disk, a clock set forward), so
 * that nobody is judged for a silence of our own making (DESIGN.md section 7).
 */
export class Ticker {
  private readonly options: TickerOptions;
  private lastMs: number;
  private lastWallMs: number;
  private quietUntilMs = 0;
  private cancel: (() => void) | undefined;

  constructor(options: TickerOptions) {
    this.options = options;
    this.lastMs = options.clock.monotonic();
    this.lastWallMs = options.clock.now();
    this.arm();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private arm(): void {
    this.cancel = this.options.clock.after(this.options.intervalMs, () => {
      this.arm();
      this.tick();
    });
  }

  private tick(): void {
    const { clock, intervalMs, onStall, onTick } = this.options;
    const now = clock.monotonic();
    const wall = clock.now();
    const loopMs = now - this.lastMs;
    const wallMs = wall - this.lastWallMs;
    this.lastMs = now;
    this.lastWallMs = wall;
    if (Math.max(loopMs, wallMs) > intervalMs * 3) {
      this.quietUntilMs = now + intervalMs;
      onStall(Math.max(0, loopMs - intervalMs), Math.max(0, wallMs - intervalMs));
    }
    onTick(now >= this.quietUntilMs);
  }
}
