import { readFileSync, readdirSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import type Database from 'libsql';
import { requireNeverBegun } from './mark-check.ts';
import { markFileOf, readMark } from './mark.ts';

/** Marks our files in the header of a SQLite database: `SWYJ`. */
const applicationId = 0x5357_594a;

const folder = new URL('./sql/', import.meta.url);

interface Migration {
  readonly number: number;
  readonly name: string;
}

/** The numbered SQL files beside this module, in order. */
function migrations(): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), name }));
}

/**
 * Brings the tables up to this program's version in one transaction; the row of a migration is its lock, so of
 * two processes one applies it and the other finds it applied. Throws AppError E_STATE_FOREIGN, E_STATE_NEWER.
 */
export function migrate(db: Database.Database, file: string): void {
  db.exec('begin immediate');
  try {
    requireOurs(db, file);
    db.exec(
      `pragma application_id = ${applicationId};
       create table if not exists migrations (number integer primary key, name text not null) strict;`,
    );
    applyMissing(db, file);
    db.exec('commit');
  } catch (error) {
    if (db.inTransaction) db.exec('rollback');
    throw error;
  }
}

/**
 * For those who only read: false, if there are no facts yet, and never were. Throws AppError E_STATE_FOREIGN,
 * E_STATE_NEWER, E_STATE_DAMAGED.
 */
export function requireReadable(db: Database.Database, file: string): boolean {
  requireOurs(db, file);
  // The mark first: a writer may begin between the two.
  const mark = readMark(markFileOf(file));
  const table = "select 1 from sqlite_master where name = 'facts'";
  if (db.prepare(table).raw(true).get() === undefined) {
    requireNeverBegun(file, mark);
    return false;
  }
  requireNotNewer(db, file);
  return true;
}

/** The last migration that a file has, and the last one that this program knows. */
export function versionsOf(db: Database.Database): { readonly applied: number; readonly known: number } {
  const applied = numberFrom(db.prepare('select coalesce(max(number), 0) from migrations').raw(true).get());
  return { applied, known: migrations().at(-1)?.number ?? 0 };
}

function requireOurs(db: Database.Database, file: string): void {
  const id = numberFrom(db.prepare('pragma application_id').raw(true).get());
  const tables = numberFrom(db.prepare('select count(*) from sqlite_master').raw(true).get());
  if (id === applicationId || (id === 0 && tables === 0)) return;
  throw new AppError(
    'E_STATE_FOREIGN',
    `${file} is a database of another program; move it away or set SWITCHYARD_STATE to another folder`,
  );
}

function applyMissing(db: Database.Database, file: string): void {
  const applied = requireNotNewer(db, file);
  for (const { number, name } of migrations()) {
    if (applied.has(number)) continue;
    db.prepare('insert into migrations (number, name) values (?, ?)').run(number, name);
    db.exec(readFileSync(new URL(name, folder), 'utf8'));
  }
}

/** The numbers of the migrations that the file has. */
function requireNotNewer(db: Database.Database, file: string): ReadonlySet<number> {
  const known = migrations();
  const applied = new Set(db.prepare('select number from migrations').raw(true).all().map(numberFrom));
  const newer = [...applied].filter((number) => !known.some((migration) => migration.number === number));
  if (newer.length > 0) {
    throw new AppError(
      'E_STATE_NEWER',
      `${file} was written by a newer version of Switchyard (migration ${Math.max(...newer)}, this one knows up to ${known.at(-1)?.number ?? 0}); use that version`,
    );
  }
  return applied;
}

/** The first column of a raw row, which our own statement makes a number. */
function numberFrom(row: unknown): number {
  return Array.isArray(row) ? Number(row[0]) : 0;
}
