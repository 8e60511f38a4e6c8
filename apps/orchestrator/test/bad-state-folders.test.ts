import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAppError, runId } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal, type StoredFact } from '@switchyard/store';
import { MadeUpRun, seededRandom } from '@switchyard/testkit';
import Database from 'libsql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../src/compose.ts';
import { configSchema } from '../src/config.ts';

const isRoot = process.getuid?.() === 0;
const run = runId.parse('demo-abcdef');
let folder = '';
let repository = '';
/** A state folder as an orchestrator left it that ended in order; each test begins with a copy. */
let whole = '';
let state = '';

const start = (place = repository) =>
  compose(
    configSchema.parse({
      repository: place,
      state,
      port: 0,
      sandbox: 'off',
      workersMax: 0,
      logStdout: false,
    }),
    { PATH: process.env['PATH'] },
  );

async function startAndEnd(): Promise<void> {
  const { shutdown } = await start();
  await shutdown.run('the test has seen enough');
}

function makeRepository(place: string): string {
  execFileSync('git', ['init', '--quiet', place]);
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  execFileSync('git', [...author, 'commit', '--quiet', '--allow-empty', '-m', 'begin'], { cwd: place });
  return place;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-bad-state-'));
  repository = makeRepository(join(folder, 'repository'));
  whole = join(folder, 'whole');
  state = whole;
  await startAndEnd();
  const journal = openLibsqlJournal({ file: join(whole, 'journal.db'), logger: silentLogger() });
  const world = new MadeUpRun({ run, tasks: 4, random: seededRandom(2), trouble: 0 });
  await journal.append(run, world.at, world.finish());
  await journal.close();
  // Once more: it keeps a snapshot, and writes the report.
  await startAndEnd();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
function copyOfWhole(): void {
  copies += 1;
  state = join(folder, `state-${copies}`);
  cpSync(whole, state, { recursive: true });
}
afterEach(() => rmSync(state, { recursive: true, force: true }));

/** All files with their sizes and times, but for logs, which say what happened. */
function filesOf(place: string): string[] {
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/logs'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .toSorted();
}

async function refusal(started: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await started.then(
    () => new Error('it started'),
    (thrown: unknown) => thrown,
  );
  if (!isAppError(error)) throw error;
  return error;
}

function factsOf(place: string): StoredFact[] {
  const journal = openLibsqlJournal({ file: join(place, 'journal.db'), logger: silentLogger() });
  const facts = [...journal.read()];
  void journal.close();
  return facts;
}

describe('a state folder', () => {
  it('of another repository is refused, and nothing is made or changed in it', async () => {
    copyOfWhole();
    rmSync(join(state, 'layers'), { recursive: true });
    const before = filesOf(state);
    const other = makeRepository(join(folder, 'other'));
    const { code, message } = await refusal(start(other));
    expect([code, message]).toEqual(['E_STATE_FOREIGN', expect.stringContaining(join(repository, '.git'))]);
    expect(filesOf(state)).toEqual(before);
    expect(existsSync(join(state, 'layers'))).toBe(false);
  });

  it('of a newer version is refused, and no fact is touched', async () => {
    copyOfWhole();
    const db = new Database(join(state, 'journal.db'));
    db.exec("insert into migrations values (9999, '9999-future.sql'); pragma wal_checkpoint(truncate)");
    db.close();
    const before = readFileSync(join(state, 'journal.db'));
    expect((await refusal(start())).code).toBe('E_STATE_NEWER');
    expect(readFileSync(join(state, 'journal.db')).equals(before)).toBe(true);
  });

  it.each(['journal.db', 'repository.git'])(
    'that lost %s is refused with its name, nothing is made in its place, and put back it goes on',
    async (name) => {
      copyOfWhole();
      renameSync(join(state, name), join(folder, 'aside'));
      const { code, message } = await refusal(start());
      expect([code, message]).toEqual(['E_STATE_DAMAGED', expect.stringContaining(join(state, name))]);
      expect(existsSync(join(state, name))).toBe(false);
      renameSync(join(folder, 'aside'), join(state, name));
      await startAndEnd();
      expect(factsOf(state)).toEqual(factsOf(whole));
    },
  );

  it.each(['journal.mark', 'project.json', 'token', 'orchestrator.lock', 'logs', 'runs', 'layers', 'peers'])(
    'that lost %s goes on with all its facts, and has it again',
    async (name) => {
      copyOfWhole();
      rmSync(join(state, name), { recursive: true, force: true });
      const { shutdown } = await start();
      expect(existsSync(join(state, name))).toBe(true);
      await shutdown.run('the test has seen enough');
      expect(factsOf(state)).toEqual(factsOf(whole));
    },
  );

  it('that lost its snapshots goes on from the facts', async () => {
    copyOfWhole();
    const db = new Database(join(state, 'journal.db'));
    expect(db.prepare('select count(*) from snapshots').raw(true).get()).toEqual([1]);
    db.exec('delete from snapshots; delete from event_pages');
    db.close();
    await startAndEnd();
    expect(factsOf(state)).toEqual(factsOf(whole));
  });

  it('serves one orchestrator: a second one names the first, and harms nothing', async () => {
    copyOfWhole();
    const { shutdown } = await start();
    const announced = readFileSync(join(state, 'orchestrator.json'), 'utf8');
    const { code, message } = await refusal(start());
    expect([code, message]).toEqual(['E_STATE_LOCKED', expect.stringContaining(`process ${process.pid}`)]);
    expect(readFileSync(join(state, 'orchestrator.json'), 'utf8')).toBe(announced);
    await shutdown.run('the test has seen enough');
  });

  it('of an orchestrator that was killed is rid of its checkouts and of what git had begun', async () => {
    copyOfWhole();
    const git = 'repository.git';
    for (const made of [
      'checkouts/verify-x/src',
      `${git}/objects/ab`,
      `${git}/objects/pack`,
      `${git}/objects/incoming-1`,
    ])
      mkdirSync(join(state, made), { recursive: true });
    const left = [
      'checkouts/verify-x/src/file',
      'checkouts/switchyard-index-1',
      `${git}/switchyard-index-2`,
      `${git}/objects/ab/tmp_obj_1`,
      `${git}/objects/pack/tmp_pack_1`,
      `${git}/objects/incoming-1/tmp_obj_2`,
      `${git}/HEAD.lock`,
      `${git}/refs/heads/x.lock`,
    ];
    for (const file of left) writeFileSync(join(state, file), 'x');
    await startAndEnd();
    expect(readdirSync(join(state, 'checkouts'))).toEqual([]);
    for (const file of left) expect(existsSync(join(state, file))).toBe(false);
  });

  it.runIf(isRoot)('of another user is refused, even to root, before anything in it is read', async () => {
    copyOfWhole();
    rmSync(join(state, 'project.json'));
    mkdirSync(join(state, 'project.json'));
    chownSync(state, 12_345, 12_345);
    const { code, message } = await refusal(start());
    expect([code, message]).toEqual(['E_STATE_FOREIGN', expect.stringContaining('user 12345')]);
  });

  it('that may not be written is refused, and is as it was', async (context) => {
    copyOfWhole();
    const release = makeReadOnly(state);
    if (release === undefined) return context.skip('root, and no mount may be made here');
    const before = filesOf(state);
    try {
      const { code, message } = await refusal(start());
      expect([code, message]).toEqual(['E_STORAGE', expect.stringContaining(state)]);
      expect(filesOf(state)).toEqual(before);
    } finally {
      release();
    }
    await startAndEnd();
    expect(factsOf(state)).toEqual(factsOf(whole));
  });
});

/** Modes do not bind root: for root, the folder is mounted over itself, read-only. */
function makeReadOnly(place: string): (() => void) | undefined {
  if (!isRoot) {
    chmodSync(place, 0o500);
    return () => chmodSync(place, 0o700);
  }
  try {
    execFileSync('mount', ['--bind', place, place], { stdio: 'ignore' });
  } catch {
    return undefined; // in a container that may not mount
  }
  execFileSync('mount', ['-o', 'remount,bind,ro', place]);
  return () => execFileSync('umount', ['--lazy', place]);
}
