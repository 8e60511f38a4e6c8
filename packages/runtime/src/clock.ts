/** Time as the program sees it, so that tests and the simulation can hold it. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /** Calls back once after `delayMs`; the answer cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * A clock whose time goes on when the machine's is set back, so that nothing that waits for a moment waits longer; it
 * follows when the machine's is set forward, or is ahead again.
 */
export function steadyClock(clock: Clock): Clock {
  let [wall, monotonic] = [clock.now(), clock.monotonic()];
  return {
    now() {
      const elapsed = clock.monotonic();
      wall = Math.max(clock.now(), wall + Math.floor(elapsed - monotonic));
      monotonic += Math.floor(elapsed - monotonic);
      return wall;
    },
    monotonic: () => clock.monotonic(),
    after: (delayMs, callback) => clock.after(delayMs, callback),
  };
}

/** Resolves after `delayMs` of the clock's time, or rejects with the signal's reason. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Whether the work is done within `timeMs` of the clock's time; it goes on where it is not. Rejects as the work does. */
export async function within(clock: Clock, work: Promise<unknown>, timeMs: number): Promise<boolean> {
  let cancel = (): void => undefined;
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.after(timeMs, () => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
  }
}
