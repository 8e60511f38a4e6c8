/** What is known of a snapshot without reading it. */
export interface SnapshotHead {
  readonly stream: string;
  /** The last fact of the stream that is in it. */
  readonly seq: number;
  /** How many facts of the stream are in it. */
  readonly facts: number;
  /** How many events of the stream are kept beside it. */
  readonly events: number;
  /** Every fact of any stream up to this `seq` is in the newest snapshot of its stream. */
  readonly floor: number;
  /** Of what shape its data is. */
  readonly shape: string;
}

/** A snapshot to keep. */
export interface NewSnapshot extends SnapshotHead {
  /** JSON in pieces that make it whole, one behind the other. */
  readonly parts: readonly string[];
  /** The events after those that are kept already, up to `events`; what JSON can say. */
  readonly newEvents: readonly unknown[];
}

/**
 * Snapshots of streams, beside the journal. They may be lost or damaged at any time without harm: whoever reads them
 * goes back to an older one, or to the facts.
 */
export interface SnapshotShelf {
  /** The last fact of the journal. */
  lastSeq(): number;
  /** All snapshots, the newest of each stream first. Throws AppError where the table cannot be read. */
  heads(): SnapshotHead[];
  /** What JSON can say. Throws AppError E_STATE_DAMAGED for one that is gone or does not match its checksum. */
  read(head: SnapshotHead): unknown;
  /** Keeps snapshots and the events beside them, all or none, and drops what is older than the last two of a stream. */
  keep(snapshots: readonly NewSnapshot[]): Promise<void>;
  /** The first `count` events of a stream. Throws AppError E_STATE_DAMAGED when some are gone or damaged. */
  events(stream: string, count: number): unknown[];
}

/** A shelf that is only read. */
export type SnapshotReader = Omit<SnapshotShelf, 'keep'>;

/** Snapshots kept of each stream: the newest, and one to go back to. */
export const snapshotsKept = 2;
