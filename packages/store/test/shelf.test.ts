import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal, openMemoryJournal, openMemoryShelf, type SnapshotShelf } from '@switchyard/store';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

function libsqlShelf(): { shelf: SnapshotShelf; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-shelf-'));
  const file = join(folder, 'journal.db');
  const journal = openLibsqlJournal({ file, logger: silentLogger() });
  closers.push(() => {
    void journal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { shelf: journal.shelf, file };
}

const events = (first: number, last: number): object[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ seq: first + index, text: 'ü' }));

function snapshotOf(stream: string, seq: number, more: { events?: number; newEvents?: object[] } = {}) {
  const data = JSON.stringify({ stream, seq, long: 'x'.repeat(200_000) });
  const parts = [data.slice(0, 5), data.slice(5, 70_000), data.slice(70_000)];
  return { stream, seq, facts: seq, events: 0, floor: seq - 1, shape: 's1', newEvents: [], ...more, parts };
}

const makers = {
  memory: () => ({ shelf: openMemoryShelf(() => 0), file: '' }),
  libsql: libsqlShelf,
};

describe.each(Object.entries(makers))('the shelf of snapshots (%s)', (_name, make) => {
  it('keeps a snapshot and gives it back', async () => {
    const { shelf } = make();
    expect(shelf.heads()).toEqual([]);
    await shelf.keep([snapshotOf('a', 10)]);
    const [head] = shelf.heads();
    expect(head).toMatchObject({ stream: 'a', seq: 10, facts: 10, events: 0, floor: 9, shape: 's1' });
    expect(head && shelf.read(head)).toMatchObject({ stream: 'a', seq: 10 });
  });

  it('keeps the last two of each stream, the newest first', async () => {
    const { shelf } = make();
    for (const seq of [10, 20, 30]) await shelf.keep([snapshotOf('a', seq), snapshotOf('b', seq + 1)]);
    expect(shelf.heads().map(({ stream, seq }) => `${stream}${seq}`)).toEqual(['b31', 'a30', 'b21', 'a20']);
  });

  it('keeps events once, and gives as many as are asked for', async () => {
    const { shelf } = make();
    await shelf.keep([snapshotOf('a', 10, { events: 4_500, newEvents: events(1, 4_500) })]);
    await shelf.keep([snapshotOf('a', 20, { events: 4_600, newEvents: events(4_501, 4_600) })]);
    expect(shelf.events('a', 4_600)).toEqual(events(1, 4_600));
    expect(shelf.events('a', 3)).toEqual(events(1, 3));
    expect(() => shelf.events('a', 4_601)).toThrow(/gone/);
  });

  it('says that a snapshot is gone', async () => {
    const { shelf } = make();
    await shelf.keep([snapshotOf('a', 10)]);
    const [head] = shelf.heads();
    expect(() => head && shelf.read({ ...head, seq: 11 })).toThrow(/is gone/);
  });
});

describe('the shelf in the journal file', () => {
  const damage = (file: string, sql: string): void => {
    const db = new Database(file);
    db.exec(sql);
    db.close();
  };

  it.each([
    ["update snapshots set shape = 's2'", /does not match its checksum/],
    ['update snapshots set floor = floor + 5', /does not match its checksum/],
    ["update snapshots set data = x'00'", /does not match its checksum/],
    ['update snapshots set checksum = checksum + 1', /does not match its checksum/],
  ])('finds what changed: %s', async (sql, why) => {
    const { shelf, file } = libsqlShelf();
    await shelf.keep([snapshotOf('a', 10)]);
    damage(file, sql);
    const [head] = shelf.heads();
    expect(() => head && shelf.read(head)).toThrow(why);
  });

  it.each([
    ['delete from event_pages where first = 2001', /from 2001 on are damaged/],
    ["update event_pages set data = x'00' where first = 1", /from 1 on are damaged/],
    ['delete from event_pages where first = 4001', /from 4001 on are gone/],
  ])('finds events that changed or are gone: %s', async (sql, why) => {
    const { shelf, file } = libsqlShelf();
    await shelf.keep([snapshotOf('a', 10, { events: 4_500, newEvents: events(1, 4_500) })]);
    damage(file, sql);
    expect(() => shelf.events('a', 4_500)).toThrow(why);
  });
});

it('a shelf in memory knows how far its journal is', async () => {
  const journal = openMemoryJournal();
  let last = 0;
  const shelf = openMemoryShelf(() => last);
  last = await journal.append('s', 1, [{ kind: 'k', version: 1, data: 1 }]);
  expect(shelf.lastSeq()).toBe(1);
});
