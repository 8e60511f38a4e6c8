import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { AppError } from '@switchyard/protocol';
import Database from 'libsql';
import { FactReader } from './fact-reader.ts';
import type { Journal } from './journal.ts';
import { LibsqlShelfReader } from './libsql-shelf.ts';
import { judgeMark, requireNotGone } from './mark-check.ts';
import { readMark, markFileOf } from './mark.ts';
import { requireReadable } from './migrations.ts';
import type { SnapshotReader } from './snapshot-shelf.ts';
import { storageError } from './storage-error.ts';

/** A journal that is only read, beside whoever writes it. */
export interface JournalReader extends Pick<Journal, 'read' | 'streams'> {
  readonly shelf: SnapshotReader;
  /** The last fact when it was opened; 0: there is none. */
  readonly lastSeq: number;
  /** Tells it from every other; empty for one of the first version, which had no name. */
  readonly name: string;
  /** Closing twice is fine. */
  close(): void;
}

export interface JournalReaderOptions {
  /** Nobody writes to it, and its write-ahead log is empty: no files are made beside it then. */
  readonly isStill?: boolean;
}

/**
 * Opens a journal to read it: nothing of it is changed, brought up to date or taken over, and an orchestrator may go on
 * appending. Undefined: there is none. Throws AppError E_STATE_FOREIGN, E_STATE_NEWER, E_STATE_DAMAGED, E_STORAGE.
 */
export function openJournalReader(
  file: string,
  { isStill = false }: JournalReaderOptions = {},
): JournalReader | undefined {
  let db: Database.Database | undefined;
  try {
    requireNotGone(file);
    if (!existsSync(file)) return undefined;
    db = new Database(`${pathToFileURL(file).href}?mode=ro${isStill ? '&immutable=1' : ''}`);
    db.exec('pragma busy_timeout = 2000');
    if (!requireReadable(db, file)) return undefined;
    return new LibsqlReader(db, file);
  } catch (thrown) {
    db?.close();
    throw storageError(thrown, file);
  }
}

class LibsqlReader implements JournalReader {
  readonly shelf: SnapshotReader;
  readonly lastSeq: number;
  readonly name: string;
  private readonly db: Database.Database;
  private readonly reader: FactReader;
  private open = true;

  constructor(db: Database.Database, file: string) {
    this.db = db;
    this.shelf = new LibsqlShelfReader(db, file);
    const guarded = <T>(work: () => T): T => {
      try {
        return work();
      } catch (thrown) {
        throw storageError(thrown, file);
      }
    };
    this.reader = new FactReader(db, { file, guarded });
    // The mark first: a writer may go on between the two.
    const mark = readMark(markFileOf(file));
    this.lastSeq = this.reader.lastSeq();
    this.name = journalName(db);
    const verdict = judgeMark(file, { journal: this.name, lastSeq: this.lastSeq }, mark);
    if (verdict.kind === 'broken') throw verdict.error;
  }

  read(...[options]: Parameters<Journal['read']>): ReturnType<Journal['read']> {
    return this.reader.read(options ?? {}, () => this.lastSeq);
  }

  streams(): string[] {
    return this.reader.streams();
  }

  close(): void {
    if (this.open) this.db.close();
    this.open = false;
  }
}

/** The journal's name; empty for one of the first version, which had none, and no mark either. */
function journalName(db: Database.Database): string {
  const table = "select 1 from sqlite_master where name = 'owner'";
  if (db.prepare(table).raw(true).get() === undefined) return '';
  const row = db.prepare('select journal from owner where one = 1').raw(true).get() as [string] | undefined;
  if (row === undefined) throw new AppError('E_STATE_DAMAGED', 'the journal has no owner row');
  return row[0];
}
