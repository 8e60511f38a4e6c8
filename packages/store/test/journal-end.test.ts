import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAppError } from '@switchyard/protocol';
import { openJournalReader, openLibsqlJournal, type ShelvedJournal } from '@switchyard/store';
import { silentLogger, type Logger } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { walEnd } from '../src/wal-end.ts';

let folder = '';
let file = '';
let mark = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-end-'));
  file = join(folder, 'journal.db');
  mark = join(folder, 'journal.mark');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (logger: Logger = silentLogger()): ShelvedJournal => openLibsqlJournal({ file, logger });
const fact = (data: unknown) => ({ kind: 'k', version: 1, data });

/** Appends facts, one a commit, in a process that is killed, so that the write-ahead log is all there is of them. */
function killedAfter(count: number): void {
  const script = `
    import { openLibsqlJournal } from '@switchyard/store';
    import { silentLogger } from '@switchyard/runtime';
    const journal = openLibsqlJournal({ file: process.argv[1], logger: silentLogger() });
    for (let index = 1; index <= ${count}; index += 1)
      await journal.append('s', index, [{ kind: 'k', version: 1, data: 'fact-' + index }]);
    process.kill(process.pid, 'SIGKILL');`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, file];
  const child = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' });
  expect(child.signal, child.stderr).toBe('SIGKILL');
}

function errorOf(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
  return { code: 'none', message: '' };
}

let copies = 0;

/** Opens a copy of the journal with another write-ahead log; one that opens has all its facts. */
function openedWith(log: Buffer, facts: number): { code: string; message: string } {
  copies += 1;
  const copy = join(folder, `copy-${copies}.db`);
  writeFileSync(copy, readFileSync(file));
  writeFileSync(`${copy}-wal`, log);
  writeFileSync(join(folder, `copy-${copies}.mark`), readFileSync(mark));
  return errorOf(() => {
    const journal = openLibsqlJournal({ file: copy, logger: silentLogger() });
    expect([...journal.read()]).toHaveLength(facts);
    void journal.close();
  });
}

describe('the end of the journal', () => {
  it('is told by the mark: a byte that was lost in the write-ahead log is not taken for a torn end', () => {
    killedAfter(20);
    const whole = readFileSync(`${file}-wal`);
    const step = Math.ceil(whole.length / 30);
    const codes: string[] = [];
    for (let at = 33; at < whole.length; at += step) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
      const { code } = openedWith(bytes, 20);
      expect(['E_STATE_DAMAGED', 'none'], `byte ${at}`).toContain(code);
      codes.push(code);
    }
    // A page that a later commit wrote whole again may be lost without harm; most are needed.
    expect(codes.filter((code) => code === 'E_STATE_DAMAGED').length).toBeGreaterThan(codes.length / 2);
  });

  it('never opens with fewer facts than were acknowledged, however the write-ahead log is cut', () => {
    killedAfter(12);
    const whole = readFileSync(`${file}-wal`);
    let refused = 0;
    for (let size = 0; size < whole.length; size += 4_000) {
      const { code, message } = openedWith(whole.subarray(0, size), 12);
      if (code === 'none') continue;
      expect(code, message).toBe('E_STATE_DAMAGED');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(3);
  });

  it('loses a torn end that nobody was told of, and goes on', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('told')]);
    const told = readFileSync(mark);
    const size = statSync(`${file}-wal`).size;
    await journal.append('s', 2, [fact('never told')]);
    // What the disk has when the power goes while the second commit is written.
    const torn = join(folder, 'torn.db');
    writeFileSync(torn, readFileSync(file));
    writeFileSync(`${torn}-wal`, readFileSync(`${file}-wal`));
    truncateSync(`${torn}-wal`, size + 700);
    writeFileSync(join(folder, 'torn.mark'), told);
    await journal.close();
    file = torn;
    const again = open();
    expect([...again.read()].map(({ data }) => data)).toEqual(['told']);
    expect(await again.append('s', 3, [fact('next')])).toBe(2);
    await again.close();
  });

  it('is told as well in a log that was laid out for more', () => {
    killedAfter(80);
    const whole = readFileSync(`${file}-wal`);
    expect(whole.length).toBeGreaterThanOrEqual(4 * 1024 * 1024);
    expect(openedWith(whole, 80)).toMatchObject({ code: 'none' });
    const used = whole.findLastIndex((byte) => byte !== 0) + 1;
    expect(used).toBeLessThan(whole.length / 2);
    expect(walEnd(whole)).toMatchObject({ tornBytes: 0 });
    // The disk lost the end of what had been told: as zeros, or as a shorter file.
    for (const lost of [100, 4_000, 20_000]) {
      const zeroed = Buffer.from(whole).fill(0, used - lost);
      for (const log of [zeroed, whole.subarray(0, used - lost)])
        expect(openedWith(log, 80)).toMatchObject({ code: 'E_STATE_DAMAGED' });
    }
    expect(walEnd(Buffer.from(whole).fill(0, used - 100)).tornBytes).toBeGreaterThan(0);
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(used - 50) ^ 1, used - 50);
    expect(openedWith(flipped, 80)).toMatchObject({ code: 'E_STATE_DAMAGED' });
    // Beyond its end nothing matters, nor does room for a log that has not begun.
    expect(openedWith(whole.subarray(0, used), 80)).toMatchObject({ code: 'none' });
    expect(walEnd(Buffer.alloc(whole.length))).toEqual({ commits: 0, tornBytes: 0 });
  });

  it('is as far as ever when the room is written over many times', async () => {
    const journal = open();
    for (let index = 1; index <= 500; index += 1) await journal.append('s', index, [fact('x'.repeat(9_000))]);
    expect(statSync(`${file}-wal`).size).toBeLessThan(6 * 1024 * 1024);
    const copied = openedWith(readFileSync(`${file}-wal`), 500);
    expect(copied).toMatchObject({ code: 'none' });
    await journal.close();
    const again = open();
    expect([...again.read()]).toHaveLength(500);
    await again.close();
  });

  it('says that a journal has gone, and makes no new one in its place', async () => {
    const journal = open();
    await journal.append('s', 1, [fact('a'), fact('b')]);
    await journal.close();
    rmSync(file);
    const { code, message } = errorOf(open);
    expect(code).toBe('E_STATE_DAMAGED');
    expect(message).toContain('is gone, and it had 2 facts');
    expect(existsSync(file)).toBe(false);
  });

  it('says that only the write-ahead log is left', () => {
    killedAfter(3);
    rmSync(file);
    rmSync(mark);
    expect(errorOf(open)).toMatchObject({ code: 'E_STATE_DAMAGED' });
    expect(existsSync(`${file}-wal`)).toBe(true);
  });

  it.each([
    ['gone', undefined, 'is missing'],
    ['cut', 100, 'is cut or damaged'],
  ])('says that all facts went with the write-ahead log, which is %s, and writes nothing', (_, size, how) => {
    killedAfter(5);
    // Nothing of it was ever moved over: without its log the file has not even a table.
    expect(statSync(file).size).toBe(4_096);
    if (size === undefined) rmSync(`${file}-wal`);
    else truncateSync(`${file}-wal`, size);
    rmSync(`${file}-shm`, { force: true });
    const before = [file, mark].map((name) => readFileSync(name, 'base64'));
    const all = `all 5 facts that had been acknowledged are gone: its write-ahead log ${file}-wal ${how}`;
    const refused = { code: 'E_STATE_DAMAGED', message: expect.stringContaining(all) };
    expect(errorOf(open)).toMatchObject(refused);
    if (size === undefined) expect(readdirSync(folder)).toEqual(['journal.db', 'journal.mark']);
    else expect(statSync(`${file}-wal`).size).toBe(size);
    expect(errorOf(() => openJournalReader(file))).toMatchObject(refused);
    expect([file, mark].map((name) => readFileSync(name, 'base64'))).toEqual(before);
  });

  it('leaves a damaged write-ahead log as it was, to be looked at', () => {
    killedAfter(12);
    const log = readFileSync(`${file}-wal`);
    log.writeUInt8(log.readUInt8(log.length - 50) ^ 1, log.length - 50);
    writeFileSync(`${file}-wal`, log);
    const before = readFileSync(file);
    expect(errorOf(open).message).toContain('fact 12 is missing at its end');
    expect(readFileSync(`${file}-wal`).equals(log)).toBe(true);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('says that another journal was put in its place', async () => {
    await open().close();
    const other = join(folder, 'other.db');
    const theirs = openLibsqlJournal({ file: other, logger: silentLogger() });
    await theirs.append('s', 1, [fact('theirs')]);
    await theirs.close();
    writeFileSync(mark, readFileSync(join(folder, 'other.mark')));
    expect(errorOf(open).message).toContain('replaced by another journal');
  });

  it.each(['', 'switchyard-mark-1 half a li', 'x'.repeat(400)])(
    'goes on without a mark that cannot be read, says so, and makes a new one (%#)',
    async (text) => {
      const journal = open();
      await journal.append('s', 1, [fact('a')]);
      await journal.close();
      const good = readFileSync(mark, 'utf8');
      writeFileSync(mark, text);
      const warnings: object[] = [];
      const logger = Object.assign(silentLogger(), { warn: (fields: object) => warnings.push(fields) });
      await open(logger).close();
      expect(warnings).toMatchObject([{ seq: 1, reason: `${mark} cannot be read` }]);
      expect(readFileSync(mark, 'utf8')).toBe(good);
    },
  );

  it.skipIf(process.getuid?.() === 0)('refuses a folder that may not be written, with a code', async () => {
    await open().close();
    chmodSync(folder, 0o500);
    chmodSync(file, 0o400);
    try {
      expect(errorOf(open)).toMatchObject({ code: 'E_STORAGE' });
    } finally {
      chmodSync(folder, 0o700);
    }
  });
});
