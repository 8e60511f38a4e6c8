/**
 * Who may set up in which writable folder. bubblewrap before 0.12 follows links while it sets up, so a command
 * with mounts nested in a writable folder is set up only while no other command runs there and could plant one.
 */
import { AppError } from '@switchyard/protocol';
import { sleep, type Clock } from '@switchyard/runtime';
import { pinMounts, type PinnedMounts } from './pinned-mounts.ts';
import type { ProcessRequest } from './sandbox-request.ts';

export interface Turn {
  readonly pinned: PinnedMounts;
  /** To be called when the command has ended. */
  readonly done: () => void;
}

export class SetupTurns {
  readonly #clock: Clock;
  readonly #isNeeded: boolean;
  /** Commands that run now, and the folders they can write to. */
  readonly #running = new Map<Promise<void>, ReadonlySet<string>>();

  constructor(parts: { readonly clock: Clock; readonly program: { readonly followsPlantedLinks: boolean } }) {
    this.#clock = parts.clock;
    this.#isNeeded = parts.program.followsPlantedLinks;
  }

  /** Waits for the turn, at most the request's own time limit; then the mounts are checked and pinned. */
  async take(request: ProcessRequest, mayMake = true): Promise<Turn> {
    const until = this.#clock.monotonic() + request.timeoutMs;
    for (;;) {
      const pinned = pinMounts(request.mounts, mayMake);
      const others = this.#isNeeded ? this.#othersIn(pinned.nestedIn) : [];
      if (others.length === 0) return { pinned, done: this.#register(pinned) };
      pinned.close();
      await this.#wait(others, until, request.signal);
    }
  }

  #othersIn(folders: readonly string[]): Promise<void>[] {
    return [...this.#running]
      .filter(([, writable]) => folders.some((folder) => writable.has(folder)))
      .map(([end]) => end);
  }

  #register(pinned: PinnedMounts): () => void {
    let finish = (): void => undefined;
    const end = new Promise<void>((resolve) => (finish = resolve));
    this.#running.set(end, new Set(pinned.writable));
    return () => {
      this.#running.delete(end);
      finish();
    };
  }

  async #wait(others: readonly Promise<void>[], until: number, signal?: AbortSignal): Promise<void> {
    const left = until - this.#clock.monotonic();
    if (left <= 0)
      throw new AppError(
        'E_SANDBOX',
        'Another command runs in the same workspace, and mounts inside it can only be set up when none does',
      );
    const stop = new AbortController();
    const stops = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
    try {
      await Promise.race([...others, sleep(this.#clock, left, stops)]);
    } finally {
      stop.abort();
    }
  }
}
