import { statSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import Database from 'libsql';
import { batchColumns, batchesOf, type BatchRow } from './fact-batch.ts';
import { FactReader } from './fact-reader.ts';
import { GroupCommit, type EncodedFact } from './group-commit.ts';
import { openJournalReader } from './journal-reader.ts';
import type { Journal, NewFact, ReadOptions, StoredFact } from './journal.ts';
import { LibsqlShelf } from './libsql-shelf.ts';
import { makeLogRoom } from './log-room.ts';
import { hasLog, judgeMark } from './mark-check.ts';
import { MarkFile, markFileOf } from './mark.ts';
import { migrate } from './migrations.ts';
import { claimOwner, OwnerCheck, type Owner } from './owner.ts';
import type { SnapshotShelf } from './snapshot-shelf.ts';
import { damageMend, storageError } from './storage-error.ts';

export interface LibsqlJournalOptions {
  readonly file: string;
  readonly logger: Logger;
  /** Called after each commit with its length in milliseconds. */
  readonly onCommit?: (ms: number) => void;
}

/** A journal with the snapshots that lie in the same file. */
export interface ShelvedJournal extends Journal {
  readonly shelf: SnapshotShelf;
  /** Tells it from every other. */
  readonly name: string;
}

/**
 * Opens the journal in one embedded libSQL file (WAL, synchronous FULL), brings it up to date and takes it over from
 * whoever had it. Throws AppError E_STATE_FOREIGN, E_STATE_NEWER, E_STATE_DAMAGED, E_STATE_LOCKED, E_DISK_FULL,
 * E_STORAGE.
 */
export function openLibsqlJournal(options: LibsqlJournalOptions): ShelvedJournal {
  const { file, logger } = options;
  let db: Database.Database | undefined;
  try {
    // As one who only reads: what is refused stays as it was, to be looked at and to be mended.
    openJournalReader(file, { isStill: !hasLog(file) })?.close();
    db = new Database(file);
    db.exec('pragma busy_timeout = 2000; pragma journal_mode = wal; pragma synchronous = full;');
    migrate(db, file);
    requireSound(db, file);
    const journal = new LibsqlJournal(db, claimOwner(db), options);
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
  if (problem === 'ok') return;
  throw new AppError('E_STATE_DAMAGED', `${file}: the file is damaged (${problem}); ${damageMend}`);
}

/** A journal that is hardly written to needs no room for its log. */
const commitsBeforeRoom = 64;

class LibsqlJournal implements ShelvedJournal {
  readonly shelf: LibsqlShelf;
  readonly name: string;
  lastSeq: number;
  private open = true;
  private readonly db: Database.Database;
  private readonly file: string;
  private readonly logger: Logger;
  private readonly insert: Database.Statement;
  private readonly reader: FactReader;
  private readonly group: GroupCommit;
  private readonly owner: OwnerCheck;
  private mark: MarkFile | undefined;
  private commits = 0;

  constructor(db: Database.Database, owner: Owner, { file, logger, onCommit }: LibsqlJournalOptions) {
    this.db = db;
    this.file = file;
    this.name = owner.journal;
    this.logger = logger;
    this.insert = db.prepare(
      `insert into batches (${batchColumns}) select ?, ?, ?, ?, ?, ? where ${OwnerCheck.holds}`,
    );
    this.reader = new FactReader(db, { file, guarded: (work) => this.guarded(work) });
    this.owner = new OwnerCheck(db, file, owner);
    this.lastSeq = this.reader.lastSeq();
    this.mark = this.openMark(owner);
    this.shelf = new LibsqlShelf(file, owner);
    this.group = new GroupCommit({ commit: (facts) => this.commit(facts), onCommit });
  }

  append(stream: string, at: number, facts: readonly NewFact[]): Promise<number> {
    return this.group.append(stream, at, facts);
  }

  read(options: ReadOptions = {}): Iterable<StoredFact> {
    return this.reader.read(options, () => this.lastSeq);
  }

  streams(): string[] {
    return this.reader.streams();
  }

  close(): Promise<void> {
    if (!this.open) return Promise.resolve();
    this.group.flush();
    this.group.refuse(new AppError('E_STORAGE', `${this.file}: the journal is closed`));
    this.open = false;
    this.shelf.close();
    try {
      this.db.exec('pragma wal_checkpoint(truncate)');
    } catch (error) {
      // Nothing is lost: what is in the write-ahead log is read from there at the next start.
      this.logger.warn({ err: error, file: this.file }, 'journal closed without a checkpoint');
    }
    // libsql keeps the file open until the prepared statements are collected; nothing is left to be written.
    this.db.close();
    this.mark?.close();
    return Promise.resolve();
  }

  /** One transaction, one fsync. */
  private commit(facts: readonly EncodedFact[]): number {
    const first = this.lastSeq + 1;
    const rows = batchesOf(first, facts);
    this.commits += 1;
    this.guarded(() => {
      // A statement alone is a transaction: a turn of one run is spared those that begin and end one.
      const [only] = rows;
      if (rows.length === 1 && only !== undefined && this.commits !== commitsBeforeRoom) this.keep(only);
      else this.keepAll(rows);
    });
    this.lastSeq = first + facts.length - 1;
    this.writeMark();
    return first;
  }

  private keepAll(rows: readonly BatchRow[]): void {
    this.db.exec('begin immediate');
    try {
      if (this.commits === commitsBeforeRoom) this.makeRoom();
      for (const row of rows) this.keep(row);
      this.db.exec('commit');
    } catch (error) {
      if (this.db.inTransaction) this.db.exec('rollback');
      throw error;
    }
  }

  /** Throws AppError E_STATE_LOCKED when somebody else has the journal. */
  private keep(row: BatchRow): void {
    const { changes } = this.insert.run(...row, this.owner.epoch);
    if (changes === 1) return;
    this.owner.require();
    throw new Error('a row was not written');
  }

  /** In a transaction that has the write lock. Without room commits are as good, and slower. */
  private makeRoom(): void {
    try {
      const hasRoom = makeLogRoom(this.file);
      this.logger.debug({ file: this.file, hasRoom }, 'room for the log of the journal');
    } catch (error) {
      this.logger.warn({ err: error, file: this.file }, 'no room for the log of the journal');
    }
  }

  /** Throws AppError E_STATE_DAMAGED when the journal lacks what had been acknowledged. */
  private openMark(owner: Owner): MarkFile {
    const verdict = judgeMark(this.file, { journal: owner.journal, lastSeq: this.lastSeq });
    if (verdict.kind === 'broken') throw verdict.error;
    if (verdict.kind === 'untold' && this.lastSeq > 0)
      this.logger.warn(
        { file: this.file, seq: this.lastSeq, reason: verdict.text },
        'whether the end of the journal is complete cannot be told',
      );
    const mark = new MarkFile(markFileOf(this.file), owner.journal);
    mark.write(this.lastSeq);
    return mark;
  }

  /** A mark that cannot be written harms nothing: it only says less than it could. */
  private writeMark(): void {
    try {
      this.mark?.write(this.lastSeq);
    } catch (error) {
      this.logger.warn({ err: error, file: this.file }, 'the mark of the journal cannot be written');
      this.mark?.close();
      this.mark = undefined;
    }
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
