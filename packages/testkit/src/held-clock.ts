import type { Clock } from '@switchyard/runtime';

/** The clock of a loop that a test can hold up: time passes, and what is due meanwhile comes when it is let go. */
export class HeldClock implements Clock {
  private readonly clock: Clock;
  private waiting: (() => void)[] | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  after(delayMs: number, callback: () => void): () => void {
    let isWanted = true;
    const cancel = this.clock.after(delayMs, () => {
      const due = (): void => {
        if (isWanted) callback();
      };
      if (this.waiting === undefined) due();
      else this.waiting.push(due);
    });
    return () => {
      isWanted = false;
      cancel();
    };
  }

  hold(): void {
    this.waiting ??= [];
  }

  letGo(): void {
    const { waiting = [] } = this;
    this.waiting = undefined;
    for (const due of waiting) due();
  }
}
