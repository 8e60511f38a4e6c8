import type { Clock } from '@switchyard/runtime';

/**
 * What the orchestrator's clock shows, at least and at most, though messages may take any time. A message that it dated
 * on leaving arrived later: its clock is at least as far on as that. A message of ours that it dated on arriving had left
 * earlier: its clock is at most as far on as that. The closest of each counts.
 */
export class ClockBounds {
  private readonly clock: Pick<Clock, 'monotonic'>;
  private aheadAtLeast = -Infinity;
  private aheadAtMost = Infinity;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock;
  }

  /** It may be another orchestrator, with another clock. */
  reset(): void {
    this.aheadAtLeast = -Infinity;
    this.aheadAtMost = Infinity;
  }

  /** `now`: dated on leaving; `echo`: our last message, dated by us on leaving and by it on arriving. */
  heard(now: number, echo: { readonly sentAt: number; readonly receivedAt: number } | undefined): void {
    this.aheadAtLeast = Math.max(this.aheadAtLeast, now - this.clock.monotonic());
    if (echo !== undefined) this.aheadAtMost = Math.min(this.aheadAtMost, echo.receivedAt - echo.sentAt);
  }

  least(): number {
    return this.clock.monotonic() + this.aheadAtLeast;
  }

  most(): number {
    return this.clock.monotonic() + this.aheadAtMost;
  }
}
