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
