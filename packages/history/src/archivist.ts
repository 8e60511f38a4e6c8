import type { Clock } from '@switchyard/runtime';
import type { Recovered } from './recover.ts';
import type { KnownFact, RunHistory } from './run-history.ts';

/** Facts that the journal has now, and the run as memory has it, which may be further. */
export interface Kept {
  readonly history: RunHistory;
  readonly facts: readonly KnownFact[];
  /** The `seq` of the last of them; they stand one behind the other. */
  readonly seq: number;
}

/** Something that is made from the journal on the side, a little at a time. */
export interface Chore {
  /** The runs as they are after a start. */
  adopt(recovered: Recovered): void;
  /** The journal has more. On the loop's path: must cost nearly nothing. */
  kept(kept: Kept): void;
  /** Does a few milliseconds of work; false: there is nothing to do now. `isBusy`: only what cannot wait. */
  step(isBusy: boolean): boolean;
  /** Does what is left, for the end of the process. */
  finish(): Promise<void>;
}

export interface ArchivistOptions {
  readonly clock: Clock;
  readonly chores: readonly Chore[];
}

/** How long after the first new fact the chores are looked at. */
const roundMs = 1_000;
/** Between two steps the loop has its turn. */
const pauseMs = 5;
/** More facts than this in a round: the loop is busy, and what can wait waits. */
const busyFacts = 2_000;

/**
 * Does chores beside the loop: a step at a time when the loop has little to do, one step a second when it has much,
 * and none at all, not even a timer, when there is nothing new.
 */
export class Archivist {
  private readonly options: ArchivistOptions;
  private cancel: (() => void) | undefined;
  private facts = 0;
  private roundBegan: number;
  private closed = false;

  constructor(options: ArchivistOptions) {
    this.options = options;
    this.roundBegan = options.clock.monotonic();
  }

  /** Takes over what was recovered at the start. */
  adopt(recovered: Recovered): void {
    for (const chore of this.options.chores) chore.adopt(recovered);
    this.arm(roundMs);
  }

  /** The journal has more. */
  kept(kept: Kept): void {
    this.facts += kept.facts.length;
    for (const chore of this.options.chores) chore.kept(kept);
    this.arm(roundMs);
  }

  /** Does what is left. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.cancel?.();
    for (const chore of this.options.chores) await chore.finish();
  }

  private arm(delayMs: number): void {
    if (this.closed || this.cancel !== undefined) return;
    this.cancel = this.options.clock.after(delayMs, () => {
      this.cancel = undefined;
      this.round();
    });
  }

  private round(): void {
    const isBusy = this.isBusy();
    let hasMore = false;
    for (const chore of this.options.chores) hasMore = chore.step(isBusy) || hasMore;
    // What waits because the loop is busy is looked at again when it is not.
    if (isBusy) this.arm(roundMs);
    else if (hasMore) this.arm(pauseMs);
  }

  /** Judged by the facts of the last second, however often it is asked. */
  private isBusy(): boolean {
    const now = this.options.clock.monotonic();
    const isBusy = this.facts > busyFacts;
    if (now - this.roundBegan >= roundMs) {
      this.roundBegan = now;
      this.facts = 0;
    }
    return isBusy;
  }
}
