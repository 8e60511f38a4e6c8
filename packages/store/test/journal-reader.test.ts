import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@switchyard/runtime';
import { openJournalReader, openLibsqlJournal, type ShelvedJournal } from '@switchyard/store';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard reader ? #-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): ShelvedJournal => openLibsqlJournal({ file, logger: silentLogger() });
const fact = (data: unknown) => ({ kind: 'k', version: 1, data });
const snapshot = { stream: 's', seq: 1, facts: 1, events: 0, floor: 1, shape: 'x', parts: ['[1]'] };

describe('a journal that is only read', () => {
  it('is there beside its writer, which goes on', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a')]);
    await journal.shelf.keep([{ ...snapshot, newEvents: [] }]);
    const reader = openJournalReader(file);
    expect(reader?.lastSeq).toBe(1);
    expect(reader?.streams()).toEqual(['s']);
    const [head] = reader?.shelf.heads() ?? [];
    expect(head && reader?.shelf.read(head)).toEqual([1]);
    await journal.append('s', 2, [fact('b')]);
    expect([...(reader?.read() ?? [])].map(({ data }) => data)).toEqual(['a', 'b']);
    reader?.close();
    reader?.close();
    await journal.append('s', 3, [fact('c')]);
    await journal.close();
  });

  it('is not changed, and nothing is made beside it', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a')]);
    await journal.close();
    const before = { bytes: readFileSync(file), mtime: statSync(file).mtimeMs };
    const reader = openJournalReader(file);
    expect([...(reader?.read() ?? [])]).toHaveLength(1);
    reader?.close();
    expect({ bytes: readFileSync(file), mtime: statSync(file).mtimeMs }).toEqual(before);
    expect(readdirSync(folder).filter((name) => !/^journal\.(db(-shm|-wal)?|mark)$/.test(name))).toEqual([]);
  });

  it('has what is in the write-ahead log that a killed process left behind', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a')]);
    const left = join(folder, 'left.db');
    writeFileSync(left, readFileSync(file));
    writeFileSync(`${left}-wal`, readFileSync(`${file}-wal`));
    await journal.close();
    const reader = openJournalReader(left);
    expect([...(reader?.read() ?? [])].map(({ data }) => data)).toEqual(['a']);
    reader?.close();
    expect(statSync(`${left}-wal`).size).toBeGreaterThan(0);
  });

  it('is absent where there is none, and nothing is made in its place', () => {
    expect(openJournalReader(file)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is read as well when it is of an older version, and stays of that version', async () => {
    await open().close();
    const db = new Database(file);
    db.exec(
      'drop view every_fact; drop table batches; drop table snapshots; drop table event_pages; drop table owner; delete from migrations where number > 1',
    );
    db.close();
    rmSync(join(folder, 'journal.mark'));
    const reader = openJournalReader(file);
    expect(reader?.lastSeq).toBe(0);
    reader?.close();
    const again = new Database(file);
    expect(again.prepare('select max(number) from migrations').raw(true).get()).toEqual([1]);
    again.close();
  });

  it('is refused when it is of a newer version, of another program, or cut at its end', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a')]);
    await journal.append('s', 2, [fact('b')]);
    await journal.close();
    const db = new Database(file);
    db.exec('delete from batches where first = 2');
    db.close();
    expect(() => openJournalReader(file)).toThrow(/fact 2 is missing at its end/);
    const newer = new Database(file);
    newer.exec("insert into migrations values (9999, '9999-future.sql')");
    newer.close();
    expect(() => openJournalReader(file)).toThrow(/was written by a newer version/);
    rmSync(file);
    const other = new Database(file);
    other.exec('create table theirs (a)');
    other.close();
    expect(() => openJournalReader(file)).toThrow(/of another program/);
    writeFileSync(file, 'this is no database '.repeat(100));
    expect(() => openJournalReader(file)).toThrow(/is no database, or its first page is damaged/);
  });

  it('that is cut says where all that is wrong is told, to who starts with it, too', async () => {
    const journal = open();
    for (let at = 1; at <= 40; at += 1) await journal.append('s', at, [fact('x'.repeat(4_000))]);
    await journal.close();
    truncateSync(file, statSync(file).size / 2);
    for (const opening of [open, () => openJournalReader(file)])
      expect(opening).toThrow(/damaged.*SQLITE_CORRUPT.*; `switchyard doctor` lists all that is wrong/);
  });

  it('that may not be read, or not be read where nothing may be made beside it, says how that is mended', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a')]);
    // What a process leaves that is killed; the other file it has beside it goes with the machine.
    const left = join(folder, 'left');
    mkdirSync(left);
    for (const name of ['journal.db', 'journal.db-wal', 'journal.mark'])
      writeFileSync(join(left, name), readFileSync(join(folder, name)));
    await journal.close();
    for (const [path, mode] of [
      [folder, 0o755],
      [left, 0o555],
      [join(left, 'journal.db'), 0],
    ] as const)
      chmodSync(path, mode);
    const reading = join(left, 'journal.db');
    expect(refusedTo(reading)).toMatch(
      /cannot be opened: the permissions forbid it \(.*; give it back to you/,
    );
    chmodSync(reading, 0o644);
    expect(refusedTo(reading)).toMatch(/made beside it, and the permissions of the folder .*; give it back/);
    chmodSync(left, 0o700);
  });
});

/** What a process that modes bind is told when it opens a journal to read it. */
function refusedTo(journal: string): string {
  const script = `
    import { openJournalReader } from '@switchyard/store';
    if (process.getuid() === 0) process.setuid(12_345);
    try {
      openJournalReader(process.argv[1]);
    } catch ({ code, message }) {
      console.log(code, message);
    }`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, journal];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toMatch(/^E_STORAGE /);
  return stdout;
}
