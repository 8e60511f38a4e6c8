import type { Clock } from '@switchyard/runtime';

/** A timer may be so late and still be believed. */
const lateMs = 2_000;

/**
 * Calls back after `delayMs`; but a timer that comes late (the process slept, or its loop stood still) begins anew:
 * nobody is judged by time in which we could not have heard them. The answer cancels it.
 */
export function patientTimer(clock: Clock, delayMs: number, callback: () => void): () => void {
  let cancel: () => void;
  const arm = (): void => {
    const began = clock.monotonic();
    cancel = clock.after(delayMs, () => {
      if (clock.monotonic() - began - delayMs > lateMs) arm();
      else callback();
    });
  };
  arm();
  return () => cancel();
}

interface Waiting {
  dueMs: number;
  readonly delayMs: number;
  readonly callback: () => void;
}

/**
 * Many patient timers behind one of the clock's: to set and to cancel one costs no timer, so that a task may have some.
 * The clock's is set for the earliest; one that was cancelled meanwhile is found out when it fires.
 */
export class PatientTimers {
  private readonly waiting = new Set<Waiting>();
  private readonly clock: Clock;
  private armedForMs = Infinity;
  private cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Like `patientTimer`. */
  after(delayMs: number, callback: () => void): () => void {
    const entry: Waiting = { dueMs: this.clock.monotonic() + delayMs, delayMs, callback };
    this.waiting.add(entry);
    this.arm(entry.dueMs);
    return () => void this.waiting.delete(entry);
  }

  /** Cancels all. */
  close(): void {
    this.waiting.clear();
    this.cancel?.();
    this.armedForMs = Infinity;
  }

  private arm(dueMs: number): void {
    if (dueMs >= this.armedForMs) return;
    this.cancel?.();
    this.armedForMs = dueMs;
    this.cancel = this.clock.after(Math.max(0, dueMs - this.clock.monotonic()), () => this.fire());
  }

  private fire(): void {
    this.armedForMs = Infinity;
    const nowMs = this.clock.monotonic();
    const due: Waiting[] = [];
    let earliestMs = Infinity;
    for (const entry of this.waiting) {
      if (nowMs - entry.dueMs > lateMs) entry.dueMs = nowMs + entry.delayMs;
      if (entry.dueMs <= nowMs) due.push(entry);
      else earliestMs = Math.min(earliestMs, entry.dueMs);
    }
    if (earliestMs < Infinity) this.arm(earliestMs);
    for (const entry of due) if (this.waiting.delete(entry)) entry.callback();
  }
}
