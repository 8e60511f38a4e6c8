import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import Database from 'libsql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Scenario, until, type Ended } from './harness.ts';

const plan = `version: 1
name: one
defaults: { review: { mode: never } }
tasks:
  - id: one
    instructions: one
    workspace: one
    executor: { kind: command, run: ["mkdir -p one && echo 1 > one/file"] }
`;
const isRoot = process.getuid?.() === 0;
/** A repository with a state folder that has seen a run; each test spoils a copy of it. */
let made: Scenario;
let whole = '';
let state = '';
let copies = 0;

beforeAll(async () => {
  made = new Scenario({ 'readme.txt': 'a repository\n', 'plan.yaml': plan });
  const ended = await made.cli('run', 'plan.yaml').ended;
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  whole = made.state;
});
afterAll(() => made.close());

/** A copy of the state folder, spoiled. */
function spoil(how: (folder: string) => void = () => undefined): void {
  copies += 1;
  state = join(made.folder, `state-${copies}`);
  cpSync(whole, state, { recursive: true });
  how(state);
}
afterEach(() => {
  if (state !== '') rmSync(state, { recursive: true, force: true });
});

/**
 * Every file of a folder with its content, the journal by its rows: who looks at a database moves pages between its
 * files. Logs are left out: they may say what happened.
 */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/logs/') && !/journal\.db(-wal|-shm)?$/.test(file));
  const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
  const content = files.map((file) => [file, `${statSync(file).mode} ${digest(file)}`] as const);
  return Object.fromEntries([...content, ['journal', rowsOf(join(folder, 'journal.db'))]]);
}

function rowsOf(file: string): string {
  if (!existsSync(file)) return 'none';
  // A copy: not even a look may change what is judged.
  const place = mkdtempSync(join(made.folder, 'journal-'));
  for (const name of ['', '-wal', '-shm'])
    if (existsSync(file + name)) cpSync(file + name, join(place, `journal.db${name}`));
  const db = new Database(join(place, 'journal.db'));
  try {
    const rows = (sql: string): unknown => db.prepare(sql).raw(true).all();
    const facts = ['facts', 'batches', 'migrations'].map((table) =>
      rows(`select * from ${table} order by 1`),
    );
    return JSON.stringify(facts);
  } finally {
    db.close();
    rmSync(place, { recursive: true });
  }
}

const programs = {
  orchestrator: () =>
    made.daemon(
      'orchestrator',
      '--state',
      state,
      '--port',
      '0',
      '--workers-max',
      '0',
      '--reviewers-max',
      '0',
    ),
  'switchyard run': () => made.cli('--state', state, 'run', 'plan.yaml'),
} as const;
const others = {
  worker: () => made.cli('worker', '--state', state),
  reviewer: () => made.cli('reviewer', '--state', state),
  'switchyard clean': () => made.cli('--state', state, 'clean'),
} as const;

/** It ends by itself with this code, says what, where and how to mend it, and leaves all as it was. */
async function isRefused(
  name: keyof typeof programs | keyof typeof others,
  code: number,
  ...words: readonly string[]
): Promise<void> {
  const before = contentOf(state);
  const ended: Ended = await { ...programs, ...others }[name]().ended;
  expect(ended.code, ended.stderr).toBe(code);
  for (const word of words) expect(ended.stderr).toContain(word);
  expect(contentOf(state)).toEqual(before);
}

it('a second orchestrator names the first and how to end it, and harms nothing', async () => {
  spoil();
  const first = programs.orchestrator();
  await until('its address', () => existsSync(join(state, 'orchestrator.json')) || undefined);
  const announced = readFileSync(join(state, 'orchestrator.json'), 'utf8');
  const holder = `process ${first.child.pid}`;
  await isRefused('orchestrator', 7, 'E_STATE_LOCKED', state, holder, 'switchyard down');
  expect(readFileSync(join(state, 'orchestrator.json'), 'utf8')).toBe(announced);
  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
});

it('an orchestrator that was stopped and replaced leaves what speaks of the next', async () => {
  spoil();
  const file = join(state, 'orchestrator.json');
  const first = programs.orchestrator();
  await until('its address', () => existsSync(file) || undefined);
  first.child.kill('SIGSTOP');
  for (const name of ['orchestrator.json', 'orchestrator.lock']) rmSync(join(state, name));
  const second = programs.orchestrator();
  const announced = await until('the next one', () => existsSync(file) && readFileSync(file, 'utf8'));
  first.child.kill('SIGTERM');
  first.child.kill('SIGCONT');
  await first.ended;
  expect(readFileSync(file, 'utf8')).toBe(announced);
  expect((await made.cli('--state', state, 'down').ended).stdout).toBe('ended; nothing is lost\n');
  expect((await second.ended).code).toBe(0);
  expect(existsSync(file)).toBe(false);
});

it('an orchestrator that does not answer is named by its process, and `down` ends it by force', async () => {
  spoil();
  const stopped = programs.orchestrator();
  await until('its address', () => existsSync(join(state, 'orchestrator.json')) || undefined);
  stopped.child.kill('SIGSTOP');
  const asked = await made.cli('--state', state, 'workers').ended;
  expect(asked).toMatchObject({ code: 6, stderr: expect.stringContaining('switchyard down') as string });
  expect(asked.stderr).toContain(`process ${stopped.child.pid}, does not answer`);
  const down = await made.cli('--state', state, 'down').ended;
  expect(down).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('was killed; nothing is lost') as string,
  });
  await stopped.ended;
  const next = await made.cli('--state', state, 'run', 'plan.yaml').ended;
  expect(next.code, next.stderr).toBe(0);
});

describe.each(Object.keys(programs) as (keyof typeof programs)[])('%s, given a state folder', (name) => {
  it('of another project', async () => {
    spoil((folder) => writeFileSync(join(folder, 'project.json'), '{"gitDir":"/somebody/elses/.git"}'));
    await isRefused(name, 8, 'E_STATE_FOREIGN', state, '/somebody/elses/.git', 'name another folder');
  });

  it('of a newer version', async () => {
    spoil((folder) => {
      const db = new Database(join(folder, 'journal.db'));
      db.exec("insert into migrations values (9999, '9999-future.sql'); pragma wal_checkpoint(truncate)");
      db.close();
    });
    await isRefused(name, 8, 'E_STATE_NEWER', state, 'newer version', 'use that version');
  });

  it.each(['journal.db', 'repository.git'])('half deleted: without %s', async (part) => {
    spoil((folder) => renameSync(join(folder, part), join(made.folder, `${part}-${copies}`)));
    await isRefused(name, 8, 'E_STATE_DAMAGED', join(state, part), 'put it back from a copy');
  });

  it.runIf(isRoot)('owned by another user', async () => {
    spoil((folder) => chownSync(folder, 12_345, 12_345));
    await isRefused(name, 8, 'E_STATE_FOREIGN', state, 'user 12345', 'a folder of your own');
  });
});

it.for(Object.keys({ ...programs, ...others }) as (keyof typeof programs | keyof typeof others)[])(
  '%s, given a state folder that may not be written',
  async (name, context) => {
    spoil();
    const release = makeReadOnly(state);
    if (release === undefined) return context.skip('root, and no mount may be made here');
    try {
      await isRefused(name, 8, 'E_STORAGE', state, 'read-only', 'make it writable');
    } finally {
      release();
    }
  },
);

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
