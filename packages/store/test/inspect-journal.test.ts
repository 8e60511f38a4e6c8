import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { silentLogger } from '@switchyard/runtime';
import { inspectJournal, openLibsqlJournal, type Observation, type ShelvedJournal } from '@switchyard/store';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-inspect-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): ShelvedJournal => openLibsqlJournal({ file, logger: silentLogger() });
const fact = (data: unknown) => ({ kind: 'k', version: 1, data });

/** A journal that was closed in order, with the facts `fact-1` and so on. */
async function closed(count: number): Promise<void> {
  const journal = open();
  for (let index = 1; index <= count; index += 1) await journal.append('s', index, [fact(`fact-${index}`)]);
  await journal.close();
}

/** Its files while it is open, as a kill at this moment leaves them, in a folder of their own. */
async function killed(): Promise<void> {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  file = join(folder, 'journal.db');
  const journal = open();
  for (const data of ['one', 'two', 'three']) await journal.append('s', 1, [fact(data)]);
  const place = join(folder, 'killed');
  mkdirSync(place);
  for (const name of ['journal.db', 'journal.db-wal', 'journal.mark'])
    copyFileSync(join(folder, name), join(place, name));
  await journal.close();
  file = join(place, 'journal.db');
}

const change = (sql: string): void => {
  const db = new Database(file);
  db.exec(`${sql}; pragma wal_checkpoint(truncate)`);
  db.close();
};

/** Makes the file as the second version of the program left it: each fact in a row of its own, no snapshots. */
function toVersionTwo(): void {
  const db = new Database(file);
  const insert = db.prepare('insert into facts values (?, ?, ?, ?, ?, ?, ?)');
  const columns = 'seq, stream, at, kind, version, data';
  for (const row of db.prepare(`select ${columns} from every_fact`).raw(true).all() as unknown[][])
    insert.run(...row, crc32(JSON.stringify(row)));
  db.close();
  change(`delete from migrations where number > 2; drop view every_fact; drop table batches;
    drop table snapshots; drop table event_pages`);
}

function bytesIn(place: string): Record<string, string> {
  const names = readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(names.map(({ name }) => [name, readFileSync(join(place, name), 'base64')]));
}

/** Looks, and makes sure that looking left everything as it was. */
function inspect(): Observation[] {
  const place = join(file, '..');
  const before = bytesIn(place);
  const found = inspectJournal(file, { inUse: false });
  expect(bytesIn(place)).toEqual(before);
  return found;
}

const wrongIn = (found: readonly Observation[]) => found.filter(({ state }) => state === 'wrong');

describe('a look at a journal', () => {
  it('that is not there, or sound, says so', async () => {
    expect(inspect()).toEqual([{ name: 'journal', state: 'note', text: 'none yet' }]);
    await closed(3);
    expect(inspect()).toMatchObject([
      { state: 'ok', text: expect.stringMatching(/^3 facts, \d+ bytes, version \d/) },
    ]);
  });

  it('names every fact that is damaged or gone, not only the first', async () => {
    await closed(9);
    change('update batches set at = 9 where first in (2, 5); delete from batches where first in (7, 8)');
    const [found] = wrongIn(inspect());
    expect(found).toMatchObject({ code: 'E_STATE_DAMAGED', mend: expect.stringContaining('copy') });
    expect(found?.text.split('\n').slice(1)).toEqual([
      'fact 2 (of s) does not match its checksum',
      'fact 5 (of s) does not match its checksum',
      'facts 7 to 8 are missing',
    ]);
  });

  it('names the facts of a turn together, and counts each', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a'), fact('b'), fact('c')]);
    await journal.append('t', 2, [fact('d'), fact('e')]);
    await journal.append('s', 3, [fact('f')]);
    await journal.close();
    expect(inspect()).toMatchObject([{ state: 'ok', text: expect.stringMatching(/^6 facts/) }]);
    change(
      "update batches set data = replace(data, 'b', 'x') where first = 1; delete from batches where first = 4",
    );
    const [found] = wrongIn(inspect());
    expect(found?.text.split('\n').slice(1)).toEqual([
      'facts 1 to 3 (of s) do not match their checksum',
      'facts 4 to 5 are missing',
    ]);
  });

  it('reads a file of before there were batches', async () => {
    await closed(2);
    toVersionTwo();
    expect(inspect()).toMatchObject([{ state: 'ok', text: expect.stringMatching(/^2 facts/) }]);
    change('update facts set at = 9 where seq = 2');
    expect(wrongIn(inspect())[0]?.text).toContain('fact 2 (k of s) does not match its checksum');
  });

  it('finds an index that lost its rows', async () => {
    await closed(40);
    const bytes = readFileSync(file);
    const page = bytes.readUInt16BE(16);
    const db = new Database(file);
    const [root] = db
      .prepare("select rootpage from sqlite_master where name = 'batches_by_stream'")
      .raw(true)
      .get() as [number];
    db.close();
    bytes.writeUInt16BE(bytes.readUInt16BE((root - 1) * page + 3) - 1, (root - 1) * page + 3);
    writeFileSync(file, bytes);
    expect(wrongIn(inspect())).toMatchObject([{ name: 'pages and indexes', code: 'E_STATE_DAMAGED' }]);
  });

  it('of a process that was killed counts what waits in its write-ahead log', async () => {
    await killed();
    const found = inspect();
    expect(wrongIn(found)).toEqual([]);
    expect(found.at(0)).toMatchObject({ text: expect.stringMatching(/^3 facts/) });
    expect(found.at(-1)).toMatchObject({
      name: 'journal log',
      text: expect.stringContaining('commits wait'),
    });
  });

  it('tells a torn end of which nobody was told from facts that are missing', async () => {
    await killed();
    const log = `${file}-wal`;
    const whole = readFileSync(log);
    writeFileSync(log, Buffer.concat([whole, whole.subarray(32, 32 + 700)]));
    const torn = inspect();
    expect(wrongIn(torn)).toEqual([]);
    expect(torn.at(-1)).toMatchObject({ text: expect.stringMatching(/ends in 700 bytes of a commit/) });
    truncateSync(log, whole.length - 100);
    expect(wrongIn(inspect())).toMatchObject([
      { code: 'E_STATE_DAMAGED', text: expect.stringContaining('fact 3 is missing at its end') },
    ]);
  });

  it('tells a journal that lost all with its write-ahead log from one that is empty', async () => {
    await killed();
    writeFileSync(file, '');
    rmSync(join(file, '..', 'journal.mark'));
    rmSync(`${file}-wal`);
    expect(inspect()).toMatchObject([{ state: 'note', text: 'empty' }]);
    await killed();
    rmSync(`${file}-wal`);
    expect(wrongIn(inspect())).toMatchObject([
      {
        code: 'E_STATE_DAMAGED',
        text: expect.stringMatching(/all 3 facts .* are gone: its write-ahead log .*-wal is missing/),
        mend: expect.stringContaining('copy'),
      },
    ]);
  });

  it('knows the file of a newer version, of an older one, of another program, and one that is gone', async () => {
    await closed(2);
    toVersionTwo();
    expect(inspect()).toMatchObject([
      { state: 'ok', text: expect.stringContaining('which the next start brings to') },
    ]);
    change("insert into migrations values (9999, '9999-future.sql')");
    expect(wrongIn(inspect())).toMatchObject([{ code: 'E_STATE_NEWER' }]);
    rmSync(file);
    expect(wrongIn(inspect())).toMatchObject([
      { code: 'E_STATE_DAMAGED', text: expect.stringContaining('is gone') },
    ]);
    rmSync(join(folder, 'journal.mark'));
    change('create table theirs (a)');
    expect(wrongIn(inspect())).toMatchObject([{ code: 'E_STATE_FOREIGN' }]);
    writeFileSync(file, 'no database '.repeat(200));
    expect(wrongIn(inspect())).toMatchObject([{ code: 'E_STATE_DAMAGED' }]);
  });

  it('says that its mark is missing', async () => {
    await closed(1);
    rmSync(join(folder, 'journal.mark'));
    expect(inspect()).toMatchObject([{ state: 'ok' }, { name: 'mark', state: 'note' }]);
  });
});
