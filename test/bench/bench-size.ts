/** How much each entry does. */
export interface BenchSize {
  readonly tasks: number;
  readonly hops: number;
  readonly slots: number;
  /** Facts of a journal. */
  readonly facts: number;
  /** Tasks whose memory is looked at. */
  readonly memoryTasks: number;
  /** Trees that the path guard and its model are tried on. */
  readonly fuzzCases: number;
  /** Files that the path guard opens, those of the tree that is audited, and tries of each race. */
  readonly opens: number;
  readonly auditFiles: number;
  readonly raceTries: number;
  /** Passes of each side, one after the other in turn; the median counts. */
  readonly rounds: number;
  /** Words in the names of the parts of an entry that run; undefined: all. */
  readonly only?: string;
}

/** What an entry does without a flag. */
export const fullSize: BenchSize = {
  tasks: 10_000,
  hops: 500,
  slots: 50,
  rounds: 3,
  facts: 100_000,
  memoryTasks: 20_000,
  fuzzCases: 100_000,
  opens: 20_000,
  auditFiles: 10_000,
  raceTries: 1_000_000,
};
