import { statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AppError } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import Database from 'libsql';
import { GroupCommit, type EncodedFact } from './group-commit.ts';
import type { Journal, NewFact, ReadOptions, StoredFact } from './journal.ts';
import { migrate } from './migrations.ts';
import { storageError } from './storage-error.ts';

export interface LibsqlJournalOptions {
  readonly file: string;
  readonly logger: Logger;
  /** Called after each commit with its length in milliseconds. */
  readonly onCommit?: (ms: number) => void;
}

const pageRows = 1_000;

/**
 * Opens the journal in one embedded libSQL file (WAL, synchronous FULL) and brings it up to date. Throws AppError
 * E_STATE_FOREIGN, E_STATE_NEWER, E_STATE_DAMAGED, E_STATE_LOCKED, E_DISK_FULL, E_STORAGE.
 */
export function openLibsqlJournal(options: LibsqlJournalOptions): Journal {
  const { file, logger } = options;
  let db: Database.Database | undefined;
  try {
    db = new Database(file);
    db.exec('pragma busy_timeout = 2000; pragma journal_mode = wal; pragma synchronous = full;');
    migrate(db, file);
    requireSound(db, file);
    const journal = new LibsqlJournal(db, options);
    logger.info({ file, bytes: statSync(file).size, seq: journal.lastSeq }, 'journal open');
    return journal;
  } catch (thrown) {
    db?.close();
    throw storageError(thrown, file);
  }
}

/** Compares tables with indexes: an index that lost a row would hide a fact from `read`. */
function requireSound(db: Database.Database, file: string): void {
  const [problem] = db.prepare('pragma integrity_check(1)').raw(true).get() as [string];
  if (problem !== 'ok') throw new AppError('E_STATE_DAMAGED', `${file}: the file is damaged (${problem})`);
}

type Row = [
  seq: number,
  stream: string,
  at: number,
  kind: string,
  version: number,
  data: string,
  checksum: number,
];
const columns = 'seq, stream, at, kind, version, data, checksum';

class LibsqlJournal implements Journal {
  lastSeq: number;
  private open = true;
  private readonly db: Database.Database;
  private readonly file: string;
  private readonly logger: Logger;
  private readonly insert: Database.Statement;
  private readonly readAll: Database.Statement;
  private readonly readStream: Database.Statement;
  private readonly group: GroupCommit;

  constructor(db: Database.Database, options: LibsqlJournalOptions) {
    this.db = db;
    this.file = options.file;
    this.logger = options.logger;
    this.insert = db.prepare(`insert into facts (${columns}) values (?, ?, ?, ?, ?, ?, ?)`);
    this.readAll = db
      .prepare(`select ${columns} from facts where seq > ? order by seq limit ${pageRows}`)
      .raw(true);
    this.readStream = db
      .prepare(`select ${columns} from facts where stream = ? and seq > ? order by seq limit ${pageRows}`)
      .raw(true);
    this.lastSeq = (db.prepare('select coalesce(max(seq), 0) from facts').raw(true).get() as [number])[0];
    this.group = new GroupCommit({ commit: (facts) => this.commit(facts), onCommit: options.onCommit });
  }

  append(stream: string, at: number, facts: readonly NewFact[]): Promise<number> {
    return this.group.append(stream, at, facts);
  }

  *read(options: ReadOptions = {}): Iterable<StoredFact> {
    let after = options.after ?? 0;
    for (;;) {
      const rows = this.page(options.stream, after);
      for (const row of rows) {
        if (options.stream === undefined && row[0] !== after + 1) throw this.missing(after + 1);
        yield this.factOf(row);
        after = row[0];
      }
      if (rows.length < pageRows) break;
    }
    if (options.stream === undefined && after < this.lastSeq) throw this.missing(after + 1);
  }

  streams(): string[] {
    const found = this.guarded(() =>
      this.db.prepare('select stream from facts group by stream order by min(seq)').raw(true).all(),
    );
    return (found as [string][]).map(([stream]) => stream);
  }

  close(): Promise<void> {
    if (!this.open) return Promise.resolve();
    this.group.flush();
    this.group.refuse(new AppError('E_STORAGE', `${this.file}: the journal is closed`));
    this.open = false;
    try {
      this.db.exec('pragma wal_checkpoint(truncate)');
    } catch (error) {
      // Nothing is lost: what is in the write-ahead log is read from there at the next start.
      this.logger.warn({ err: error, file: this.file }, 'journal closed without a checkpoint');
    }
    // libsql keeps the file open until the prepared statements are collected; nothing is left to be written.
    this.db.close();
    return Promise.resolve();
  }

  /** One transaction, one fsync. */
  private commit(facts: readonly EncodedFact[]): number {
    const first = this.lastSeq + 1;
    this.guarded(() => {
      this.db.exec('begin immediate');
      try {
        facts.forEach((fact, index) => this.insert.run(...rowOf(first + index, fact)));
        this.db.exec('commit');
      } catch (error) {
        if (this.db.inTransaction) this.db.exec('rollback');
        throw error;
      }
    });
    this.lastSeq = first + facts.length - 1;
    return first;
  }

  private page(stream: string | undefined, after: number): Row[] {
    return this.guarded(() =>
      stream === undefined ? this.readAll.all(after) : this.readStream.all(stream, after),
    ) as Row[];
  }

  private factOf(row: Row): StoredFact {
    const [seq, stream, at, kind, version, data, checksum] = row;
    if (checksumOf(seq, { stream, at, kind, version, data }) !== checksum) {
      throw new AppError('E_STATE_DAMAGED', `${this.file}: fact ${seq} does not match its checksum`, {
        details: { file: this.file, seq },
      });
    }
    return { seq, stream, at, kind, version, data: JSON.parse(data) as unknown };
  }

  private missing(seq: number): AppError {
    return new AppError('E_STATE_DAMAGED', `${this.file}: fact ${seq} is missing`, {
      details: { file: this.file, seq },
    });
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      const error = storageError(thrown, this.file);
      this.logger.error({ err: error, file: this.file }, 'journal failed');
      throw error;
    }
  }
}

function rowOf(seq: number, fact: EncodedFact): Row {
  return [seq, fact.stream, fact.at, fact.kind, fact.version, fact.data, checksumOf(seq, fact)];
}

/** CRC-32 (zlib) over the columns, quoted, so that text that moves from one column to the next changes it. */
function checksumOf(seq: number, fact: EncodedFact): number {
  return crc32(JSON.stringify([seq, fact.stream, fact.at, fact.kind, fact.version, fact.data]));
}
