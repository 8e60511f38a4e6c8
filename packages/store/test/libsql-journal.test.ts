import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAppError, type AppError } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal, type ShelvedJournal } from '@switchyard/store';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { journalConformance } from './journal-conformance.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-journal-'));
  file = join(folder, 'journal.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (onCommit?: (ms: number) => void): ShelvedJournal =>
  openLibsqlJournal({ file, logger: silentLogger(), ...(onCommit && { onCommit }) });

journalConformance('libsql', open, async (journal) => {
  await journal.close();
  return open();
});

const fact = (data: unknown) => ({ kind: 'k', version: 1, data });

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('the libSQL file', () => {
  it('keeps what was acknowledged when the process is killed at once', () => {
    const script = `
      import { openLibsqlJournal } from '@switchyard/store';
      import { silentLogger } from '@switchyard/runtime';
      const journal = openLibsqlJournal({ file: process.argv[1], logger: silentLogger() });
      for (let index = 1; ; index += 1) {
        await journal.append('s', index, [{ kind: 'k', version: 1, data: index }]);
        if (index === 50) process.kill(process.pid, 'SIGKILL');
      }`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script, file];
    const child = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' });
    expect(child.signal, child.stderr).toBe('SIGKILL');
    const journal = open();
    expect([...journal.read()].map((entry) => entry.data)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
    void journal.close();
  });

  it('refuses the database of another program, and says so', () => {
    const other = new Database(file);
    other.exec('create table theirs (a)');
    other.close();
    expect(codeOf(open)).toBe('E_STATE_FOREIGN');
    const again = new Database(file);
    expect(again.prepare('select count(*) from sqlite_master').raw(true).get()).toEqual([1]);
    again.close();
  });

  it('refuses the state of a newer version', async () => {
    await open().close();
    const db = new Database(file);
    db.exec("insert into migrations values (9999, '9999-future.sql')");
    db.close();
    expect(codeOf(open)).toBe('E_STATE_NEWER');
  });

  it('refuses a file that is no database, and a folder that is not there', () => {
    writeFileSync(file, 'this is no database '.repeat(100));
    expect(codeOf(open)).toBe('E_STATE_DAMAGED');
    file = join(folder, 'missing', 'journal.db');
    expect(codeOf(open)).toBe('E_STORAGE');
  });

  it('names the fact whose bytes changed on the disk', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('first')]);
    await journal.append('s', 2, [fact('UNIQUE-MARK')]);
    await journal.append('s', 3, [fact('third'), fact('OTHER-MARK'), fact('fifth')]);
    await journal.close();
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('UNIQUE-MARK')] = 'u'.charCodeAt(0);
    writeFileSync(file, bytes);
    const damaged = open();
    let thrown: unknown;
    try {
      for (const entry of damaged.read()) expect(entry.seq).toBe(1);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'E_STATE_DAMAGED', details: { seq: 2 } });
    await damaged.close();
    bytes[bytes.indexOf('uNIQUE-MARK')] = 'U'.charCodeAt(0);
    bytes[bytes.indexOf('OTHER-MARK')] = 'o'.charCodeAt(0);
    writeFileSync(file, bytes);
    const later = open();
    const read: number[] = [];
    expect(() => read.push(...[...later.read()].map(({ seq }) => seq))).toThrow(
      'facts 3 to 5 do not match their checksum',
    );
    // Asked for from the middle of the row, none of it is given either.
    expect(() => [...later.read({ after: 4 })]).toThrow('facts 3 to 5');
    expect(() => [...later.read({ stream: 's', after: 4 })]).toThrow('facts 3 to 5');
    await later.close();
  });

  it('keeps the facts of a turn in one row of each run, and shows each in a view', async () => {
    const journal = open();
    const turn = [
      journal.append('a', 1, [fact({ text: 'ü "quoted" \n \u0000' }), fact([1, null])]),
      journal.append('a', 1, [{ kind: 'other "kind"', version: 7, data: 'x' }]),
      journal.append('b', 1, [fact(2.5)]),
      journal.append('a', 1, [fact(true)]),
    ];
    expect(await Promise.all(turn)).toEqual([2, 3, 4, 5]);
    for (let after = 0; after <= 5; after += 1) {
      const seqs = [...journal.read({ after })].map(({ seq }) => seq);
      expect(seqs).toEqual([1, 2, 3, 4, 5].slice(after));
      const ofA = [...journal.read({ stream: 'a', after })].map(({ seq }) => seq);
      expect(ofA).toEqual([1, 2, 3, 5].filter((seq) => seq > after));
    }
    expect(journal.streams()).toEqual(['a', 'b']);
    const read = [...journal.read()];
    expect(read[0]?.data).toEqual({ text: 'ü "quoted" \n \u0000' });
    await journal.close();
    const db = new Database(file);
    expect(db.prepare('select first, last, stream from batches order by first').raw(true).all()).toEqual([
      [1, 3, 'a'],
      [4, 4, 'b'],
      [5, 5, 'a'],
    ]);
    const shown = db.prepare('select * from every_fact order by seq').raw(true).all() as unknown[][];
    expect(shown.map((row) => row.slice(0, 5))).toEqual(
      read.map(({ seq, stream, at, kind, version }) => [seq, stream, at, kind, version]),
    );
    expect(shown.map((row) => JSON.parse(String(row[5])) as unknown)).toEqual(read.map(({ data }) => data));
    db.close();
  });

  it('never reads a flipped byte as a fact, wherever it is', async () => {
    const journal = open();
    for (let index = 0; index < 40; index += 1)
      await journal.append(`run-${index % 3}`, index, [fact({ index })]);
    const expected = [...journal.read()];
    const streams = journal.streams();
    await journal.close();
    const whole = readFileSync(file);
    let found = 0;
    for (let at = 0; at < whole.length; at += 37) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
      writeFileSync(file, bytes);
      rmSync(`${file}-wal`, { force: true });
      rmSync(`${file}-shm`, { force: true });
      try {
        const flipped = open();
        expect([...flipped.read()]).toEqual(expected);
        for (const stream of streams) {
          expect([...flipped.read({ stream })]).toEqual(expected.filter((entry) => entry.stream === stream));
        }
        expect(flipped.streams()).toEqual(streams);
        await flipped.close();
      } catch (error) {
        if (!isAppError(error)) throw error;
        expect(error.code, `byte ${at}: ${error.message}`).toMatch(/^E_STATE_|^E_STORAGE$/);
        found += 1;
      }
    }
    expect(found).toBeGreaterThan(10);
  });

  it('belongs to who opened it last: nobody appends behind a journal that was taken over', async () => {
    const first = open();
    await first.append('s', 1, [fact('mine')]);
    const second = open();
    // A row is a transaction of its own, rows of several streams share one.
    const late = await first.append('s', 2, [fact('behind')]).catch((error: unknown) => error);
    expect(late).toMatchObject({ code: 'E_STATE_LOCKED' });
    const third = open();
    const both = ['s', 't'].map((stream) => second.append(stream, 2, [fact('behind')]));
    for (const one of await Promise.allSettled(both))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'E_STATE_LOCKED' } });
    expect(String(late)).toContain(`process ${process.pid} on`);
    const snapshot = { stream: 's', seq: 1, facts: 1, events: 0, floor: 1, shape: 'x', parts: ['1'] };
    await expect(first.shelf.keep([{ ...snapshot, newEvents: [] }])).rejects.toMatchObject({
      code: 'E_STATE_LOCKED',
    });
    expect(await third.append('s', 3, [fact('theirs')])).toBe(2);
    expect([...third.read()].map(({ data }) => data)).toEqual(['mine', 'theirs']);
    await first.close();
    await second.close();
    await third.close();
  });
});

/** A file system of 1 MB where this user may make one, else undefined. */
function smallDisk(): string | undefined {
  const place = mkdtempSync(join(tmpdir(), 'switchyard-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'ignore' });
    return place;
  } catch {
    // Not root, or no such right: the test with a limit on file sizes stands in.
    rmSync(place, { recursive: true });
    return undefined;
  }
}

describe('a full disk', () => {
  it('rejects with E_DISK_FULL, refuses until reopened, and loses nothing acknowledged', async (context) => {
    const disk = smallDisk();
    if (disk === undefined) {
      context.skip();
      return;
    }
    try {
      file = join(disk, 'journal.db');
      let journal = open();
      let acknowledged = 0;
      let failed: AppError | undefined;
      while (failed === undefined) {
        await journal.append('s', 1, [fact('x'.repeat(20_000))]).then(
          () => (acknowledged += 1),
          (error: AppError) => (failed = error),
        );
      }
      expect(failed).toMatchObject({ code: 'E_DISK_FULL', next: 'later' });
      expect(acknowledged).toBeGreaterThan(5);
      await expect(journal.append('s', 2, [fact('small')])).rejects.toThrow(/until it is opened again/);
      expect([...journal.read()]).toHaveLength(acknowledged);
      await journal.close();
      execFileSync('mount', ['-o', 'remount,size=8m', disk]);
      journal = open();
      expect([...journal.read()]).toHaveLength(acknowledged);
      expect(await journal.append('s', 3, [fact('small')])).toBe(acknowledged + 1);
      await journal.close();
    } finally {
      execFileSync('umount', ['--lazy', disk]);
      rmSync(disk, { recursive: true });
    }
  });

  it('is an error with a code also where a file may not grow (ulimit -f)', () => {
    const script = `
      import { openLibsqlJournal } from '@switchyard/store';
      import { silentLogger } from '@switchyard/runtime';
      process.on('SIGXFSZ', () => {});
      const journal = openLibsqlJournal({ file: process.argv[1], logger: silentLogger() });
      try {
        for (let index = 1; ; index += 1) {
          await journal.append('s', 1, [{ kind: 'k', version: 1, data: 'x'.repeat(20_000) }]);
          console.log(index);
        }
      } catch (error) {
        console.log(error.code);
      }
      await journal.close();`;
    const line = 'ulimit -f 600; exec "$0" --import tsx --input-type=module --eval "$1" "$2"';
    const child = spawnSync('sh', ['-c', line, process.execPath, script, file], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    const said = child.stdout.trim().split('\n');
    expect(said.at(-1), child.stderr).toMatch(/^E_(DISK_FULL|STORAGE)$/);
    const journal = open();
    expect([...journal.read()]).toHaveLength(said.length - 1);
    void journal.close();
  });
});
