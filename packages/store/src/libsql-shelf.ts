import { inflateRawSync } from 'node:zlib';
import { AppError } from '@switchyard/protocol';
import Database from 'libsql';
import { blobChecksum } from './checksum.ts';
import { deflateParts } from './deflate-parts.ts';
import { lastSeqIn } from './fact-reader.ts';
import { OwnerCheck, type Owner } from './owner.ts';
import { snapshotsKept, type NewSnapshot, type SnapshotHead, type SnapshotShelf } from './snapshot-shelf.ts';
import { storageError } from './storage-error.ts';

const pageEvents = 2_000;

type HeadRow = [stream: string, seq: number, facts: number, events: number, floor: number, shape: string];

interface EventPage {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
  readonly blob: Buffer;
}

/** Reads what is on the shelf of a journal file. */
export class LibsqlShelfReader {
  protected readonly db: Database.Database;
  protected readonly file: string;

  constructor(db: Database.Database, file: string) {
    this.db = db;
    this.file = file;
  }

  lastSeq(): number {
    return this.guarded(() => lastSeqIn(this.db));
  }

  heads(): SnapshotHead[] {
    const rows = this.guarded(() =>
      this.db
        .prepare('select stream, seq, facts, events, floor, shape from snapshots order by seq desc')
        .raw(true)
        .all(),
    ) as HeadRow[];
    return rows.map(([stream, seq, facts, events, floor, shape]) => ({
      stream,
      seq,
      facts,
      events,
      floor,
      shape,
    }));
  }

  read(head: SnapshotHead): unknown {
    const sql = 'select data, checksum from snapshots where stream = ? and seq = ?';
    const row = this.one(sql, head.stream, head.seq) as [Buffer, number] | undefined;
    const what = `the snapshot of ${head.stream} at fact ${head.seq}`;
    if (row === undefined) throw this.damaged(`${what} is gone`);
    if (blobChecksum(columnsOf(head), row[0]) !== row[1])
      throw this.damaged(`${what} does not match its checksum`);
    return parsed(row[0]);
  }

  events(stream: string, count: number): unknown[] {
    const sql = 'select first, last, data, checksum from event_pages where stream = ? order by first';
    const rows = this.guarded(() => this.db.prepare(sql).raw(true).all(stream)) as [
      number,
      number,
      Buffer,
      number,
    ][];
    const events: unknown[] = [];
    for (const [first, last, blob, checksum] of rows) {
      if (events.length >= count) break;
      if (first !== events.length + 1 || blobChecksum([stream, first, last], blob) !== checksum)
        throw this.damaged(`the events of ${stream} from ${events.length + 1} on are damaged`);
      for (const event of parsed(blob) as unknown[]) events.push(event);
    }
    if (events.length < count)
      throw this.damaged(`the events of ${stream} from ${events.length + 1} on are gone`);
    return events.slice(0, count);
  }

  protected guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw storageError(thrown, this.file);
    }
  }

  private one(sql: string, ...values: readonly (string | number)[]): unknown {
    return this.guarded(
      () =>
        this.db
          .prepare(sql)
          .raw(true)
          .get(...values) as unknown,
    );
  }

  private damaged(what: string): AppError {
    return new AppError('E_STATE_DAMAGED', `${this.file}: ${what}`, { details: { file: this.file } });
  }
}

/**
 * The shelf of a journal that this process owns, on a connection of its own: what it writes is not synced (the next
 * commit of facts does that) and never moves the write-ahead log, so that it costs the loop a copy into memory.
 */
export class LibsqlShelf extends LibsqlShelfReader implements SnapshotShelf {
  private readonly ownerCheck: OwnerCheck;

  constructor(file: string, owner: Owner) {
    const db = new Database(file);
    db.exec('pragma busy_timeout = 2000; pragma synchronous = normal; pragma wal_autocheckpoint = 0;');
    super(db, file);
    this.ownerCheck = new OwnerCheck(db, file, owner);
  }

  async keep(snapshots: readonly NewSnapshot[]): Promise<void> {
    const made: { head: NewSnapshot; blob: Buffer; pages: EventPage[] }[] = [];
    for (const head of snapshots)
      made.push({ head, blob: await deflateParts(head.parts), pages: await pagesOf(head) });
    this.guarded(() => {
      this.db.exec('begin immediate');
      try {
        this.ownerCheck.require();
        for (const { head, blob, pages } of made) this.insert(head, blob, pages);
        this.db.exec('commit');
      } catch (error) {
        if (this.db.inTransaction) this.db.exec('rollback');
        throw error;
      }
    });
  }

  close(): void {
    this.db.close();
  }

  private insert(head: NewSnapshot, blob: Buffer, pages: readonly EventPage[]): void {
    const before = head.events - head.newEvents.length;
    this.db.prepare('delete from event_pages where stream = ? and last > ?').run(head.stream, before);
    const page = this.db.prepare('insert into event_pages values (?, ?, ?, ?, ?)');
    for (const { stream, first, last, blob: data } of pages)
      page.run(stream, first, last, data, blobChecksum([stream, first, last], data));
    const columns = columnsOf(head);
    this.db
      .prepare('insert or replace into snapshots values (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(...columns, blob, blobChecksum(columns, blob));
    this.db
      .prepare(
        `delete from snapshots where stream = ?1 and seq not in
           (select seq from snapshots where stream = ?1 order by seq desc limit ${snapshotsKept})`,
      )
      .run(head.stream);
  }
}

function columnsOf({ stream, seq, facts, events, floor, shape }: SnapshotHead): HeadRow {
  return [stream, seq, facts, events, floor, shape];
}

async function pagesOf({ stream, events, newEvents }: NewSnapshot): Promise<EventPage[]> {
  const pages: EventPage[] = [];
  const before = events - newEvents.length;
  for (let at = 0; at < newEvents.length; at += pageEvents) {
    const list = newEvents.slice(at, at + pageEvents);
    const first = before + at + 1;
    const blob = await deflateParts([JSON.stringify(list)]);
    pages.push({ stream, first, last: first + list.length - 1, blob });
  }
  return pages;
}

function parsed(blob: Buffer): unknown {
  return JSON.parse(inflateRawSync(blob).toString('utf8')) as unknown;
}
