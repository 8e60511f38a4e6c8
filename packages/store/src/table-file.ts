import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { AppError, isAppError, messageOf } from '@switchyard/protocol';
import Database from 'libsql';
import { storageError } from './storage-error.ts';

/** A column, and what it means, for people. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'text' | 'integer';
  readonly text: string;
}

/** A table of what can be made again; its first columns are its key. */
export interface DerivedTable {
  readonly name: string;
  readonly text: string;
  readonly key: number;
  readonly columns: readonly TableColumn[];
}

export type Cell = string | number | null;
/** Cells in the order of the table's columns. */
export type TableRow = readonly Cell[];

export interface TableFileOptions {
  readonly file: string;
  readonly tables: readonly DerivedTable[];
  /** What the rows are made from, by its name. */
  readonly source: string;
}

/** Why a file cannot be gone on with; nothing that cannot be made again is lost with it. */
export type Unusable = { readonly kind: 'missing' } | { readonly kind: 'wrong'; readonly text: string };

/**
 * A file of tables that are made from something else, for people to query: plain SQLite with a rollback journal, so that
 * any program reads it while it is written. Nothing is synced: a file of before the machine was started anew is not gone
 * on with. Methods throw AppError E_STATE_LOCKED while somebody else writes, E_STATE_DAMAGED, E_DISK_FULL, E_STORAGE.
 */
export class TableFile {
  private readonly db: Database.Database;
  private readonly options: TableFileOptions;
  private readonly inode: number;
  private readonly inserts = new Map<string, Database.Statement>();

  private constructor(db: Database.Database, options: TableFileOptions) {
    this.db = db;
    this.options = options;
    this.inode = statSync(options.file).ino;
  }

  /** Opens a file to go on with it; the answer is why that cannot be done. */
  static open(options: TableFileOptions): TableFile | Unusable {
    const unusable = whyUnusable(options);
    if (unusable !== undefined) return unusable;
    try {
      return new TableFile(connect(options.file), options);
    } catch (thrown) {
      throw tableError(thrown, options.file);
    }
  }

  /** Makes it anew in the place of whatever is there. */
  static make(options: TableFileOptions): TableFile {
    const { file } = options;
    try {
      for (const name of [file, `${file}-journal`, `${file}-wal`, `${file}-shm`])
        rmSync(name, { force: true });
      const db = connect(file);
      chmodSync(file, 0o600);
      const made = new TableFile(db, options);
      made.begin();
      made.clear();
      made.commit();
      return made;
    } catch (thrown) {
      throw storageError(thrown, file);
    }
  }

  /** The file at its path is still this one: nobody has made it anew. */
  get isInPlace(): boolean {
    return this.guarded(() => statSync(this.options.file, { throwIfNoEntry: false })?.ino === this.inode);
  }

  /** Begins a transaction: others may go on reading what was before it. */
  begin(): void {
    this.guarded(() => this.db.exec('begin immediate'));
  }

  /** Reads what is there at one moment, whoever writes meanwhile. */
  atOnce<T>(work: () => T): T {
    return this.guarded(() => {
      this.db.exec('begin');
      const result = work();
      this.db.exec('commit');
      return result;
    });
  }

  commit(): void {
    this.guarded(() => this.db.exec('commit'));
  }

  rollback(): void {
    if (this.db.inTransaction) this.guarded(() => this.db.exec('rollback'));
  }

  /** Drops all tables and makes them, empty. */
  clear(): void {
    const { tables, source } = this.options;
    this.guarded(() => {
      const there = this.db.prepare("select name from sqlite_master where type = 'table'").raw(true).all();
      for (const [name] of there as [string][]) this.db.exec(`drop table "${name}"`);
      for (const table of [origin, ...tables]) this.db.exec(definitionOf(table));
      const set = this.db.prepare('insert into origin values (?, ?)');
      for (const row of Object.entries({ tables: labelOf(tables), source, boot: bootOf() })) set.run(...row);
    });
    this.inserts.clear();
  }

  /** Puts rows in, in the place of those with the same key. */
  put(table: DerivedTable, rows: Iterable<TableRow>): void {
    const marks = table.columns.map(() => '?').join(', ');
    this.guarded(() => {
      const known = this.inserts.get(table.name);
      const insert = known ?? this.db.prepare(`insert or replace into ${table.name} values (${marks})`);
      this.inserts.set(table.name, insert);
      for (const row of rows) insert.run(...row);
    });
  }

  /** Takes out all rows whose first column is this. */
  drop(table: DerivedTable, first: Cell): void {
    const [column] = table.columns;
    this.guarded(() => this.db.prepare(`delete from ${table.name} where ${column?.name} = ?`).run(first));
  }

  /** All rows in the order of the key. */
  rows(table: DerivedTable): TableRow[] {
    const key = table.columns.slice(0, table.key).map(({ name }) => name);
    return this.guarded(
      () =>
        this.db
          .prepare(`select * from ${table.name} order by ${key.join(', ')}`)
          .raw(true)
          .all() as TableRow[],
    );
  }

  close(): void {
    this.rollback();
    this.db.close();
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw tableError(thrown, this.options.file);
    }
  }
}

/** Of damage to such a file nothing is lost: it does not say anything of the journal. */
function tableError(thrown: unknown, file: string): AppError {
  const error = storageError(thrown, file);
  if (error.code !== 'E_STATE_DAMAGED' || isAppError(thrown)) return error;
  return new AppError(
    'E_STATE_DAMAGED',
    `${file} is damaged (${messageOf(thrown)}), and nothing is lost with it: it is made from the journal, and \`switchyard projections rebuild\` makes it anew`,
    { cause: thrown, details: { file } },
  );
}

/** Answers a query on such a file, which is only read. Throws AppError E_USAGE for what is no query. */
export function queryTables(file: string, sql: string): { columns: string[]; rows: TableRow[] } {
  const db = new Database(`${pathToFileURL(file).href}?mode=ro`);
  try {
    db.exec('pragma busy_timeout = 2000; pragma query_only = 1');
    const query = db.prepare(sql);
    if (!query.reader) throw new AppError('E_USAGE', 'tables are only read: ask with select');
    const columns = query.columns().map(({ name }) => name);
    return { columns, rows: query.raw(true).all() as TableRow[] };
  } catch (thrown) {
    if (isAppError(thrown)) throw thrown;
    const error = tableError(thrown, file);
    if (error.code !== 'E_STORAGE') throw error;
    throw new AppError('E_USAGE', `the query cannot be answered: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    db.close();
  }
}

const origin: DerivedTable = {
  name: 'origin',
  text: 'What this file is made from, and of which shape it is; for the program.',
  key: 1,
  columns: [
    { name: 'name', type: 'text', text: 'what is said' },
    { name: 'value', type: 'text', text: 'what it is' },
  ],
};

function connect(file: string): Database.Database {
  const db = new Database(file);
  // A cache that spills would keep readers out until the end of the transaction.
  db.exec('pragma journal_mode = delete; pragma synchronous = off; pragma cache_spill = off');
  return db;
}

function whyUnusable({ file, tables, source }: TableFileOptions): Unusable | undefined {
  if (!existsSync(file)) return { kind: 'missing' };
  let db: Database.Database | undefined;
  try {
    db = new Database(file);
    const said = new Map(db.prepare('select name, value from origin').raw(true).all() as [string, string][]);
    if (said.get('tables') !== labelOf(tables))
      return wrong('its tables are of another version of Switchyard');
    if (said.get('source') !== source) return wrong('it was made from another journal');
    if (said.get('boot') !== bootOf()) return wrong('the machine was started anew since it was made');
    const [problem] = db.prepare('pragma quick_check(1)').raw(true).get() as [string];
    return problem === 'ok' ? undefined : wrong(`it is damaged (${problem})`);
  } catch (thrown) {
    const error = storageError(thrown, file);
    if (error.code === 'E_STATE_LOCKED') throw error;
    return wrong(`it cannot be read (${messageOf(thrown)})`);
  } finally {
    db?.close();
  }
}

function wrong(text: string): Unusable {
  return { kind: 'wrong', text };
}

function definitionOf({ name, columns, key }: DerivedTable): string {
  const keys = columns.slice(0, key).map((column) => column.name);
  const lines = columns.map((column) => `${column.name} ${column.type}`);
  return `create table ${name} (${[...lines, `primary key (${keys.join(', ')})`].join(', ')}) without rowid`;
}

/** Names the shape of the tables: any change of one is another shape. */
function labelOf(tables: readonly DerivedTable[]): string {
  return createHash('sha256').update(tables.map(definitionOf).join('\n')).digest('hex').slice(0, 16);
}

/** Differs after the power was off; where that cannot be told, it always does. */
function bootOf(): string {
  const file = '/proc/sys/kernel/random/boot_id';
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : `process ${process.pid}`;
}
