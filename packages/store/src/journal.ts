/** One thing that happened, as it stands in the journal. */
export interface StoredFact {
  /** Position in the journal: 1, 2, 3 … without gaps, over all streams. */
  readonly seq: number;
  /** What it belongs to, for example a run. */
  readonly stream: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly kind: string;
  /** Version of the shape of `data`. */
  readonly version: number;
  /** What JSON can say. */
  readonly data: unknown;
}

/** A fact that has no position yet. */
export interface NewFact {
  readonly kind: string;
  readonly version: number;
  readonly data: unknown;
}

export interface ReadOptions {
  /** Only facts of this stream. */
  readonly stream?: string;
  /** Only facts whose `seq` is greater. */
  readonly after?: number;
}

/**
 * The append-only record of facts: the truth (DESIGN.md section 8).
 *
 * Invariants, held by every implementation:
 * 1. A promise of `append` resolves only after its facts survive the end of the process (and of the power).
 * 2. The facts of one `append` are kept all or none, one behind the other.
 * 3. Appends are kept in the order of their calls; `seq` grows by one.
 * 4. `read` shows kept facts only, in the order of `seq`, exactly as appended.
 * 5. After a failed commit nothing more is appended until the journal is opened again: the disk may hold the
 *    facts of the failed commit or not, and only a new reading can tell.
 */
export interface Journal {
  /**
   * Keeps facts; the answer is the `seq` of the last one. All calls of one turn of the event loop go into one
   * transaction. Rejects with AppError E_DISK_FULL, E_STORAGE, E_STATE_DAMAGED or E_STATE_LOCKED.
   */
  append(stream: string, at: number, facts: readonly NewFact[]): Promise<number>;
  /** Reads kept facts, a page at a time. Throws AppError E_STATE_DAMAGED that names the place. */
  read(options?: ReadOptions): Iterable<StoredFact>;
  /** The names of all streams, in the order of their first fact. */
  streams(): string[];
  /** Commits what waits and closes. Closing twice is fine. */
  close(): Promise<void>;
}
