import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal } from '@switchyard/store';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const sqlFolder = new URL('../src/sql/', import.meta.url);
const names = readdirSync(sqlFolder).toSorted();

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-migrations-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file as the first version of the program left it, with facts in it. */
function firstVersion(facts: number): void {
  const db = new Database(file);
  db.exec(`pragma journal_mode = wal; pragma application_id = ${0x5357_594a};
    create table migrations (number integer primary key, name text not null) strict;
    insert into migrations values (1, '0001-facts.sql');`);
  db.exec(readFileSync(new URL('0001-facts.sql', sqlFolder), 'utf8'));
  const insert = db.prepare('insert into facts values (?, ?, ?, ?, ?, ?, ?)');
  for (let seq = 1; seq <= facts; seq += 1) {
    const data = JSON.stringify({ seq });
    insert.run(seq, 'run', seq, 'k', 1, data, crc32(JSON.stringify([seq, 'run', seq, 'k', 1, data])));
  }
  db.close();
}

const appliedIn = (): unknown => {
  const db = new Database(file);
  const rows = db.prepare('select number, name from migrations order by number').raw(true).all();
  db.close();
  return rows;
};
const all = names.map((name) => [Number(name.slice(0, 4)), name]);

describe('migrations', () => {
  it('are numbered from 1 without gaps', () => {
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
  });

  it('bring a file of the first version up to date and keep every fact', async () => {
    firstVersion(30);
    const journal = openLibsqlJournal({ file, logger: silentLogger() });
    expect([...journal.read()].map(({ data }) => data)).toEqual(
      Array.from({ length: 30 }, (_, index) => ({ seq: index + 1 })),
    );
    expect(await journal.append('run', 31, [{ kind: 'k', version: 1, data: 'new' }])).toBe(31);
    await journal.close();
    expect(appliedIn()).toEqual(all);
  });

  it('are applied once when two processes open the file at once: the row is the lock', async () => {
    firstVersion(5);
    const script = `
      import { openLibsqlJournal } from '@switchyard/store';
      import { silentLogger } from '@switchyard/runtime';
      process.stdout.write('ready');
      await new Promise((resolve) => process.stdin.once('data', resolve));
      const journal = openLibsqlJournal({ file: process.argv[1], logger: silentLogger() });
      process.stdout.write(' ' + [...journal.read()].length);
      process.exit(0);`;
    const children = [1, 2, 3].map(() => {
      const args = ['--import', 'tsx', '--input-type=module', '--eval', script, file];
      const child = spawn(process.execPath, args, { cwd: import.meta.dirname });
      let out = '';
      const ready = new Promise<void>((resolve) =>
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString();
          if (out === 'ready') resolve();
        }),
      );
      const ended = new Promise<string>((resolve) => child.once('close', () => resolve(out)));
      return { child, ready, ended };
    });
    await Promise.all(children.map(({ ready }) => ready));
    for (const { child } of children) child.stdin.write('go');
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(['ready 5', 'ready 5', 'ready 5']);
    expect(appliedIn()).toEqual(all);
    const db = new Database(file);
    expect(db.prepare('select epoch from owner').raw(true).get()).toEqual([3]);
    db.close();
  });

  it('refuse a newer file with the versions of both, and leave it as it is', async () => {
    await openLibsqlJournal({ file, logger: silentLogger() }).close();
    const db = new Database(file);
    db.exec("insert into migrations values (77, '0077-future.sql')");
    db.exec('pragma wal_checkpoint(truncate)');
    db.close();
    const before = readFileSync(file);
    expect(() => openLibsqlJournal({ file, logger: silentLogger() })).toThrow(
      `was written by a newer version of Switchyard (migration 77, this one knows up to ${names.length}); use that version`,
    );
    expect(readFileSync(file)).toEqual(before);
  });
});
