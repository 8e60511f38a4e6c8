import { AppError } from '@switchyard/protocol';
import type Database from 'libsql';
import { factChecksum } from './checksum.ts';
import { batchColumns, factsOfBatch, isSoundBatch, mismatchText, type BatchRow } from './fact-batch.ts';
import type { ReadOptions, StoredFact } from './journal.ts';
import { damageMend } from './storage-error.ts';

/** A row of `facts`, raw: where facts were kept, each in a row of its own, before there were batches. */
export type FactRow = [
  seq: number,
  stream: string,
  at: number,
  kind: string,
  version: number,
  data: string,
  checksum: number,
];

/** The columns of a row, in its order. */
export const factColumns = 'seq, stream, at, kind, version, data, checksum';

const pageRows = 1_000;
const pageBatches = 100;

export interface FactReaderOptions {
  readonly file: string;
  /** Runs a statement; turns what it throws into an AppError. */
  readonly guarded: <T>(work: () => T) => T;
}

interface Statements {
  readonly all: Database.Statement;
  readonly ofStream: Database.Statement;
}

/** Reads facts a page at a time and finds gaps and rows that do not match their checksum. */
export class FactReader {
  private readonly options: FactReaderOptions;
  private readonly db: Database.Database;
  private readonly rows: Statements;
  /** Absent: the file is of a version before there were batches. */
  private readonly batches: Statements | undefined;

  constructor(db: Database.Database, options: FactReaderOptions) {
    this.db = db;
    this.options = options;
    const rows = `select ${factColumns} from facts where`;
    this.rows = statements(db, rows, `seq > ? order by seq limit ${pageRows}`);
    const batches = `select ${batchColumns} from batches where`;
    if (hasBatches(db))
      this.batches = statements(db, batches, `first > ? order by first limit ${pageBatches}`);
  }

  /** The last fact on the disk; 0: there is none. */
  lastSeq(): number {
    return lastSeqIn(this.db);
  }

  /** `last` (asked for at the end): up to where facts have to be there. */
  *read(options: ReadOptions, last: () => number): Iterable<StoredFact> {
    let after = options.after ?? 0;
    for (const fact of this.found(options.stream, after)) {
      if (options.stream === undefined && fact.seq !== after + 1) throw this.missing(after + 1);
      yield fact;
      after = fact.seq;
    }
    if (options.stream === undefined && after < last()) throw this.missing(after + 1);
  }

  streams(): string[] {
    const union = this.batches === undefined ? '' : ' union all select stream, first from batches';
    const sql = `select stream from (select stream, seq from facts${union}) group by stream order by min(seq)`;
    const found = this.options.guarded(() => this.db.prepare(sql).raw(true).all());
    return (found as [string][]).map(([stream]) => stream);
  }

  /** What there is after a fact; those in rows of their own are the older ones. */
  private *found(stream: string | undefined, after: number): Iterable<StoredFact> {
    for (const row of this.pages<FactRow>(this.rows, stream, after)) yield this.factOf(row);
    if (this.batches === undefined) return;
    const before = this.beginOf(stream, after + 1) - 1;
    for (const row of this.pages<BatchRow>(this.batches, stream, before)) {
      if (!isSoundBatch(row)) throw this.damaged(row[0], mismatchText(row));
      for (const fact of factsOfBatch(row)) if (fact.seq > after) yield fact;
    }
  }

  /** Rows whose first column is greater, in its order, also those that come while the others are read. */
  private *pages<Row extends readonly [number, ...unknown[]]>(
    { all, ofStream }: Statements,
    stream: string | undefined,
    after: number,
  ): Iterable<Row> {
    for (let from = after; ;) {
      const page = this.options.guarded(() =>
        stream === undefined ? all.all(from) : ofStream.all(stream, from),
      ) as Row[];
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      [from] = last;
    }
  }

  /** The first fact of the batch that a fact is in, if it is in one. */
  private beginOf(stream: string | undefined, seq: number): number {
    const ofStream = stream === undefined ? '' : ' and stream = ?';
    const sql = `select coalesce(max(first), 0) from batches where first <= ?${ofStream}`;
    const values = stream === undefined ? [seq] : [seq, stream];
    const [first] = this.options.guarded(() =>
      this.db
        .prepare(sql)
        .raw(true)
        .get(...values),
    ) as [number];
    return first;
  }

  private factOf(row: FactRow): StoredFact {
    const [seq, stream, at, kind, version, data, checksum] = row;
    if (factChecksum(seq, { stream, at, kind, version, data }) !== checksum)
      throw this.damaged(seq, `fact ${seq} does not match its checksum`);
    return { seq, stream, at, kind, version, data: JSON.parse(data) as unknown };
  }

  private missing(seq: number): AppError {
    return this.damaged(seq, `fact ${seq} is missing`);
  }

  private damaged(seq: number, what: string): AppError {
    const { file } = this.options;
    return new AppError('E_STATE_DAMAGED', `${file}: ${what}; ${damageMend}`, { details: { file, seq } });
  }
}

/** Whether a file is of a version that keeps facts in batches. */
export function hasBatches(db: Database.Database): boolean {
  const table = "select 1 from sqlite_master where name = 'batches'";
  return db.prepare(table).raw(true).get() !== undefined;
}

/** The last fact in a file; 0: there is none. */
export function lastSeqIn(db: Database.Database): number {
  const batched = hasBatches(db) ? '(select last from batches order by first desc limit 1)' : '0';
  const sql = `select max(coalesce((select max(seq) from facts), 0), coalesce(${batched}, 0))`;
  const [seq] = db.prepare(sql).raw(true).get() as [number];
  return seq;
}

function statements(db: Database.Database, select: string, range: string): Statements {
  return {
    all: db.prepare(`${select} ${range}`).raw(true),
    ofStream: db.prepare(`${select} stream = ? and ${range}`).raw(true),
  };
}
