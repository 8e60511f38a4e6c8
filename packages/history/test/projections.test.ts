import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compareProjections,
  ProjectionChore,
  projectionTables,
  rebuildProjections,
  recover,
  RunHistory,
} from '@switchyard/history';
import { runId } from '@switchyard/protocol';
import { silentLogger, type Logger, type Random } from '@switchyard/runtime';
import {
  openJournalReader,
  openLibsqlJournal,
  queryTables,
  TableFile,
  type JournalReader,
  type ShelvedJournal,
} from '@switchyard/store';
import { MadeUpRun, seededRandom } from '@switchyard/testkit';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder = '';
let file = '';
let journalFile = '';
let journal: ShelvedJournal;
let warnings: string[] = [];
let now = 0;
/** Chores whose process is said to have ended. */
let killed: ProjectionChore[] = [];

const logger: Logger = Object.assign(silentLogger(), {
  warn: ({ reason }: { reason?: string }) => warnings.push(reason ?? ''),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-projections-'));
  file = join(folder, 'projections.db');
  journalFile = join(folder, 'journal.db');
  journal = openLibsqlJournal({ file: journalFile, logger: silentLogger() });
  warnings = [];
  now = 0;
  killed = [];
});

afterEach(async () => {
  for (const chore of killed) await chore.finish();
  await journal.close();
  rmSync(folder, { recursive: true });
});

function newChore(partsAStep: number): ProjectionChore {
  const clock = { monotonic: () => now };
  return new ProjectionChore({ file, journal: journal.name, logger, clock, partsAStep });
}

/** A process that has just begun on this journal. */
function started(partsAStep = 3): { chore: ProjectionChore; histories: Map<string, RunHistory> } {
  const recovered = recover({ journal, logger: silentLogger() });
  const chore = newChore(partsAStep);
  chore.adopt(recovered);
  return { chore, histories: recovered.histories };
}

function settle(chore: ProjectionChore): void {
  while (chore.step(false)) now += 1;
}

interface Stage {
  readonly chore: ProjectionChore;
  readonly histories: Map<string, RunHistory>;
  readonly random?: Random;
}

/** Some turns of some runs, kept in the journal, with steps of the chore between them. */
async function play(worlds: readonly MadeUpRun[], turns: number, stage: Stage): Promise<void> {
  const { chore, histories, random = seededRandom(7) } = stage;
  for (let turn = 0; turn < turns; turn += 1) {
    const world = there(worlds[Math.floor(random.next() * worlds.length)]);
    if (world.ended) continue;
    const facts = [...world.take(), ...world.step()];
    const [first] = facts;
    if (first === undefined) continue;
    const run = runId.parse(there(worldNames.get(world)));
    const history = histories.get(run) ?? new RunHistory(run);
    histories.set(run, history);
    for (const { known } of facts)
      if (known.kind === 'run') history.fold(known.fact);
      else history.foldReview(known.key, known.fact);
    if (turn % 3 === 0) chore.step(false);
    const seq = await journal.append(run, world.at, facts);
    chore.kept({ history, facts: facts.map(({ known }) => known), seq });
    for (let steps = turn % 4; steps > 0; steps -= 1) chore.step(false);
  }
}

const worldNames = new Map<MadeUpRun, string>();

function worldsOf(count: number, seed: number): MadeUpRun[] {
  return Array.from({ length: count }, (_, number) => {
    const run = runId.parse(`demo-${'abcdef'.slice(number)}${'abcdef'.slice(0, number)}`);
    const world = new MadeUpRun({ run, tasks: 8, random: seededRandom(seed + number), trouble: 0.2 });
    worldNames.set(world, run);
    return world;
  });
}

/** A copy of the files as they are at this moment, which is what a process leaves that is killed. */
function leftBehind(life: number): string {
  const copy = join(folder, `projections-${life}.db`);
  for (const end of ['', '-journal']) if (existsSync(file + end)) copyFileSync(file + end, copy + end);
  return copy;
}

/** All rows of all tables. */
function dump(): Record<string, unknown> {
  const tables = Object.values(projectionTables);
  const opened = TableFile.open({ file, tables, source: journal.name });
  if (!(opened instanceof TableFile)) throw new Error(`no tables: ${JSON.stringify(opened)}`);
  const rows = Object.fromEntries(tables.map((table) => [table.name, opened.rows(table)]));
  opened.close();
  return rows;
}

const reader = (): JournalReader => there(openJournalReader(journalFile));
const rebuild = () => rebuildProjections(file, journal.name, reader);
const compare = () =>
  compareProjections(file, journal.name, recover({ journal, logger: silentLogger() }).histories);

describe('projections', () => {
  it.each([1, 2, 3, 4])(
    'are, row for row, what a rebuild makes (seed %i), also after ends in the middle',
    async (seed) => {
      const worlds = worldsOf(3, seed * 10);
      const random = seededRandom(seed);
      let { chore, histories } = started(1);
      let inHand = 0;
      for (let life = 0; life < 8; life += 1) {
        await play(worlds, 20, { chore, histories, random });
        chore.step(false);
        // Killed: the next process finds the files as they are, and nobody who holds them.
        if (existsSync(`${file}-journal`)) inHand += 1;
        killed.push(chore);
        file = leftBehind(life);
        ({ chore, histories } = started(1));
      }
      expect(inHand).toBeGreaterThan(0);
      settle(chore);
      const kept = dump();
      expect(kept['attempts']).not.toEqual([]);
      expect(kept['reviews']).not.toEqual([]);
      expect(compare()).toMatchObject({ state: 'as the journal' });
      await chore.finish();
      rebuild();
      expect(dump()).toEqual(kept);
      expect(warnings).toEqual([]);
    },
  );

  it('show a run only as it was after some fact, whoever looks, whenever', async () => {
    const worlds = worldsOf(1, 5);
    const { chore, histories } = started();
    for (let turn = 0; turn < 60; turn += 1) {
      await play(worlds, 1, { chore, histories });
      if (!existsSync(file)) continue;
      const { rows } = queryTables(
        file,
        'select facts, events, (select count(*) from events), tasks, (select count(*) from tasks) from runs',
      );
      for (const [facts, events, eventRows, tasks, taskRows] of rows) {
        expect(facts).toBeLessThanOrEqual(there(histories.values().next().value).facts);
        expect([eventRows, taskRows]).toEqual([events, tasks]);
      }
    }
    await chore.finish();
  });

  it('are only caught up with where the file has everything already', async () => {
    const worlds = worldsOf(2, 3);
    const first = started();
    await play(worlds, 50, first);
    await first.chore.finish();
    const second = started();
    expect(second.chore.step(false)).toBe(false);
    await second.chore.finish();
    expect(compare()).toMatchObject({ state: 'as the journal' });
  });

  it.each([
    ['that is gone', () => rmSync(file), undefined],
    ['that is no database', () => writeFileSync(file, 'nothing of the kind'.repeat(300)), 'cannot be read'],
    [
      'of another version',
      () => change("update origin set value = 'of tomorrow' where name = 'tables'"),
      'of another version',
    ],
    [
      'of another journal',
      () => change("update origin set value = 'x' where name = 'source'"),
      'another journal',
    ],
    [
      'of before the machine was started',
      () => change("update origin set value = 'x' where name = 'boot'"),
      'started anew',
    ],
    [
      'that is further than the journal',
      () => change('update runs set facts = facts + 1'),
      'not of this journal',
    ],
  ])('a file %s is made anew, and said to be', async (_name, harm, reason) => {
    const worlds = worldsOf(2, 4);
    const first = started();
    await play(worlds, 50, first);
    await first.chore.finish();
    const before = dump();
    harm();
    expect(compare().state).not.toBe('as the journal');
    const second = started();
    settle(second.chore);
    await second.chore.finish();
    expect(dump()).toEqual(before);
    expect(warnings).toEqual(reason === undefined ? [] : [expect.stringContaining(reason)]);
  });

  it('with a row that is not what the journal says are told, and mended by a rebuild', async () => {
    const { chore, histories } = started();
    await play(worldsOf(2, 4), 60, { chore, histories });
    await chore.finish();
    change("update tasks set phase = 'completed', worker = 'nobody'");
    expect(compare()).toMatchObject({ state: 'wrong', text: expect.stringContaining('tasks') as string });
    rebuild();
    expect(compare()).toMatchObject({ state: 'as the journal' });
  });

  it('go on after a rebuild beside them, also where that put another file in their place', async () => {
    const worlds = worldsOf(2, 9);
    const { chore, histories } = started();
    await play(worlds, 30, { chore, histories });
    settle(chore);
    rebuild();
    await play(worlds, 30, { chore, histories });
    settle(chore);
    rmSync(file);
    rebuild();
    await play(worlds, 30, { chore, histories });
    settle(chore);
    expect(compare()).toMatchObject({ state: 'as the journal' });
    await chore.finish();
  });

  it('wait for whoever reads the file, and lose nothing of what they could not show meanwhile', async () => {
    const worlds = worldsOf(1, 6);
    const { chore, histories } = started();
    await play(worlds, 10, { chore, histories });
    settle(chore);
    const reader = new Database(file);
    reader.exec('begin');
    const before = reader.prepare('select facts from runs').raw(true).get();
    await play(worlds, 20, { chore, histories });
    for (let tries = 0; tries < 20; tries += 1) {
      now += 300;
      chore.step(false);
    }
    expect(reader.prepare('select facts from runs').raw(true).get()).toEqual(before);
    expect(compare()).toMatchObject({ state: 'held' });
    reader.exec('commit');
    now += 300;
    settle(chore);
    expect(compare()).toMatchObject({ state: 'as the journal' });
    expect(warnings).toEqual([]);
    await chore.finish();
    reader.close();
  });

  it('wait for whoever holds the file', async () => {
    const worlds = worldsOf(1, 6);
    const { chore, histories } = started();
    await play(worlds, 10, { chore, histories });
    settle(chore);
    const other = new Database(file);
    other.exec('begin immediate');
    await play(worlds, 20, { chore, histories });
    expect(compare()).toMatchObject({ state: 'behind' });
    other.exec('rollback');
    other.close();
    now += 1_000;
    settle(chore);
    expect(compare()).toMatchObject({ state: 'as the journal' });
    expect(warnings).toEqual([]);
    await chore.finish();
  });

  it('that lost a table are wrong, which says nothing of the journal', () => {
    rebuild();
    const db = new Database(file);
    db.exec('drop table usage');
    db.close();
    expect(compare()).toMatchObject({ state: 'wrong', text: expect.stringContaining('no such table') });
    rebuild();
    expect(compare()).toMatchObject({ state: 'as the journal' });
  });
});

function change(sql: string): void {
  const db = new Database(file);
  db.exec(sql);
  db.close();
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}
