import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recover, snapshotShape, type Recovered } from '@switchyard/history';
import { silentLogger } from '@switchyard/runtime';
import {
  openLibsqlJournal,
  type NewSnapshot,
  type ShelvedJournal,
  type SnapshotShelf,
} from '@switchyard/store';
import { settle } from '@switchyard/testkit';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historiesText } from './history-text.ts';
import { Keeping } from './keeping.ts';

let folder = '';
let file = '';
let journal: ShelvedJournal;
let warnings: (readonly [fields: { reason?: string }, text: string])[] = [];
const logger = Object.assign(silentLogger(), {
  warn: (fields: { reason?: string }, text: string) => warnings.push([fields, text]),
});

const open = (): ShelvedJournal => openLibsqlJournal({ file, logger: silentLogger() });

/** Two runs with two snapshots each, and facts after them. */
async function fill(): Promise<void> {
  const world = new Keeping({ journal, shelf: journal.shelf, seed: 3, runs: 2, tasks: 12 });
  for (let turn = 0; turn < 60; turn += 1) {
    world.decide(turn);
    await world.commit(turn);
    world.chore.step(false);
    if (turn === 30) await world.chore.finish();
  }
  await world.chore.finish();
  world.decide(0);
  await world.commit(0);
  expect(journal.shelf.heads()).toHaveLength(4);
}

/** Changes the file behind the journal's back, and recovers. */
async function recoveredAfter(sql: string): Promise<Recovered> {
  await journal.close();
  const db = new Database(file);
  db.exec(sql);
  db.close();
  journal = open();
  return recover({ journal, shelf: journal.shelf, logger });
}

const folded = (): Recovered => recover({ journal, logger: silentLogger() });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-history-'));
  file = join(folder, 'journal.db');
  journal = open();
  warnings = [];
  await fill();
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a recovery', () => {
  it('folds only what came after the snapshots, and warns of nothing', async () => {
    const recovered = await recoveredAfter('select 1');
    expect(recovered.folded).toBeGreaterThan(0);
    expect(recovered.folded).toBeLessThan(recovered.seq / 2);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
    expect(warnings).toEqual([]);
  });

  it.each([
    ['whose bytes changed', "update snapshots set data = x'00'", 'does not match its checksum'],
    ['of another shape', "update snapshots set shape = 'history-0'", 'it is of another shape (history-0)'],
    ['that is ahead of the journal', 'update snapshots set seq = seq + 100000', 'the journal ends before it'],
  ])('names a snapshot %s and reads an older one', async (_what, sql, reason) => {
    const recovered = await recoveredAfter(
      `${sql} where seq in (select max(seq) from snapshots group by stream)`,
    );
    expect(warnings.map(([, text]) => text)).toEqual(
      Array(2).fill('a snapshot cannot be used: an older one or the facts are read'),
    );
    for (const [fields] of warnings) expect(fields.reason).toContain(reason);
    expect(recovered.heads).toHaveLength(2);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
  });

  it('folds from the first fact when all snapshots are damaged', async () => {
    const recovered = await recoveredAfter('update snapshots set checksum = checksum + 1');
    expect(warnings).toHaveLength(4);
    expect(recovered.folded).toBe(recovered.seq);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
  });

  it.each([
    ['by counting', 'desc', 'a snapshot is missing or too much: the facts are folded from the first one'],
    ['by the facts after it', 'asc', 'the facts do not fit a snapshot: they are folded from the first one'],
  ])('notices %s that the snapshots of a run are missing', async (_how, order, text) => {
    const one = `select stream from snapshots order by stream ${order} limit 1`;
    const recovered = await recoveredAfter(`delete from snapshots where stream = (${one})`);
    expect(warnings.map(([, each]) => each)).toEqual([text]);
    expect(recovered.folded).toBe(recovered.seq);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
  });

  it('goes on without the table of snapshots', async () => {
    const recovered = await recoveredAfter('drop table snapshots');
    expect(warnings).toMatchObject([
      [{}, 'the snapshots cannot be listed: the facts are folded from the first one'],
    ]);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
  });

  it('goes on where the snapshots cannot be listed', async () => {
    await journal.close();
    journal = open();
    const shelf = {
      ...journal.shelf,
      heads: () => {
        throw new Error('no such table: snapshots');
      },
    } as unknown as SnapshotShelf;
    const recovered = recover({ journal, shelf, logger });
    expect(warnings).toMatchObject([
      [{}, 'the snapshots cannot be listed: the facts are folded from the first one'],
    ]);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
  });

  it('folds from the first fact when the facts do not fit a snapshot that looks whole', async () => {
    const last = [...journal.read()].at(-1)?.stream;
    const head = journal.shelf.heads().find(({ stream }) => stream === last);
    if (head === undefined) throw new Error('no snapshot of the run that has facts after it');
    const empty: NewSnapshot = {
      ...head,
      seq: head.seq + 1,
      parts: ['{"run":{"head":{"plan":{}},"tasks":[],"verifications":[]},"reviews":[]}'],
      newEvents: [],
      shape: snapshotShape,
    };
    await journal.shelf.keep([empty]);
    const recovered = await recoveredAfter('select 1');
    expect(warnings.map(([, text]) => text)).toEqual([
      'the facts do not fit a snapshot: they are folded from the first one',
    ]);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
  });

  it('makes events from the facts again when their pages are gone', async () => {
    const recovered = await recoveredAfter('delete from event_pages');
    expect(warnings).toEqual([]);
    const all = folded();
    for (const [run, history] of recovered.histories)
      expect(history.events.from(0)).toEqual(all.histories.get(run)?.events.from(0));
    expect(warnings.map(([, text]) => text)).toEqual(Array(2).fill('events are made from the facts again'));
  });

  it('keeps events in one piece when it begins from an older snapshot', async () => {
    await recoveredAfter(
      'delete from snapshots where seq in (select max(seq) from snapshots group by stream)',
    );
    const world = new Keeping({ journal, shelf: journal.shelf, seed: 3, runs: 0, tasks: 1 });
    world.chore.adopt(world.recovered());
    await world.chore.finish();
    await settle();
    const recovered = await recoveredAfter('select 1');
    expect(recovered.folded).toBe(0);
    expect(historiesText(recovered.histories)).toBe(historiesText(folded().histories));
    expect(warnings).toEqual([]);
  });
});
