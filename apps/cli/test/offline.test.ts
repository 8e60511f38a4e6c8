import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runId } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal } from '@switchyard/store';
import { MadeUpRun, seededRandom } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../bin/switchyard.mjs', import.meta.url));
const ended = runId.parse('demo-abcdef');
const open = runId.parse('other-abcdef');
let folder = '';
let state = '';
let facts = 0;

/** A repository whose orchestrator has gone; one run has ended, one has not. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-offline-'));
  state = join(folder, 'state');
  execFileSync('git', ['init', '--quiet', folder]);
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  execFileSync('git', [...author, 'commit', '--quiet', '--allow-empty', '-m', 'begin'], { cwd: folder });
  mkdirSync(state);
  const journal = openLibsqlJournal({ file: join(state, 'journal.db'), logger: silentLogger() });
  const world = new MadeUpRun({ run: ended, tasks: 4, random: seededRandom(2), trouble: 0 });
  const all = world.finish();
  facts = all.length;
  await journal.append(ended, world.at, all);
  const other = new MadeUpRun({ run: open, tasks: 3, random: seededRandom(1), trouble: 0 });
  await journal.append(open, other.at, [...other.take(), ...other.step()]);
  await journal.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function switchyard(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args, '--state', state], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

describe('without an orchestrator', () => {
  it('runs and run show read the journal, start nothing and change nothing', () => {
    const before = readFileSync(join(state, 'journal.db'));
    const runs = JSON.parse(switchyard(['runs', '--json'])) as { run: string; phase: string }[];
    expect(runs.map(({ run, phase }) => [run, phase])).toEqual(
      expect.arrayContaining([
        [ended, 'completed'],
        [open, 'running'],
      ]),
    );
    expect(switchyard(['runs'])).toMatch(new RegExp(`${open} +stopped +0/3`));
    const view = JSON.parse(switchyard(['run', 'show', 'demo', '--json'])) as { tasks: object[] };
    expect(view.tasks).toHaveLength(4);
    expect(existsSync(join(state, 'orchestrator.json'))).toBe(false);
    expect(existsSync(join(state, 'orchestrator.lock'))).toBe(false);
    expect(readFileSync(join(state, 'journal.db')).equals(before)).toBe(true);
  });

  it('a run that ended without being published says so, and what brings its result into the repository', () => {
    const told = `its result is not in your repository yet`;
    expect(switchyard(['runs'])).toMatch(
      new RegExp(`${ended} +completed .*${told}\n[^]*bring .*: switchyard resume ${ended}\n`),
    );
    expect(switchyard(['run', 'show', 'demo'])).toContain(
      `${told}; bring it there: switchyard resume ${ended}\n`,
    );
    // What could not be published has a report, and says why.
    const files = ['report.json', 'unpublished.txt'].map((name) => join(state, 'runs', ended, name));
    mkdirSync(join(state, 'runs', ended), { recursive: true });
    for (const file of files) writeFileSync(file, 'no room');
    expect(switchyard(['run', 'show', 'demo'])).toContain(`${told} (no room); bring it there`);
    expect(JSON.parse(switchyard(['runs', '--json']))).toContainEqual(
      expect.objectContaining({ run: ended, unpublished: 'no room' }),
    );
    for (const file of files) rmSync(file);
    // Published, its report not written yet: nothing of the user's is owed.
    const { tip } = JSON.parse(switchyard(['run', 'show', 'demo', '--json'])) as { tip: string };
    const refs = join(folder, '.git', 'refs', 'switchyard', 'runs');
    mkdirSync(refs, { recursive: true });
    // The commits of a made-up run are nowhere: git lists what a ref says, if it looks at no object.
    writeFileSync(join(refs, ended), `${tip}\n`);
    expect(switchyard(['runs'])).not.toContain(told);
    expect(switchyard(['run', 'show', 'demo'])).not.toContain(told);
    rmSync(refs, { recursive: true });
  });

  it('run show --task tells what was tried with a task, and what it printed', () => {
    const { tasks } = JSON.parse(switchyard(['run', 'show', 'demo', '--json'])) as {
      tasks: { id: string }[];
    };
    const [task = { id: '' }] = tasks;
    expect(switchyard(['run', 'show', 'demo', '--task', task.id])).toMatch(
      /attempt 1: accepted.*\n  │ done\n/,
    );
    const shown = JSON.parse(switchyard(['run', 'show', 'demo', '--task', task.id, '--json'])) as object;
    expect(shown).toMatchObject({ ...task, attempts: [{ attempt: 1, outputTail: 'done' }] });
  });

  it('replay prints every fact of the run, byte for byte the same each time and in each time zone', () => {
    const first = switchyard(['replay', 'demo'], { TZ: 'UTC' });
    expect(first.trim().split('\n')).toHaveLength(facts);
    expect(first).toContain('task-completed');
    expect(switchyard(['replay', ended], { TZ: 'Asia/Kathmandu' })).toBe(first);
    const lines = switchyard(['replay', 'demo', '--json']).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(
      Array.from({ length: facts }, (_, place) => place + 1),
    );
  });

  it('plan tick ticks what a run has completed, in place, and nothing twice', () => {
    const { tasks } = JSON.parse(switchyard(['run', 'show', 'demo', '--json'])) as {
      tasks: { id: string }[];
    };
    const [first, second] = tasks.map(({ id }) => id);
    const text = `## Core tasks\r\n\r\n| Task | Dependencies |\r\n|---|---|\r\n| ${first} | None |\r\n| ${second} | None |\r\n| Later | None |\r\n\r\n## Progress ü\r\n\r\n- [ ] ${first}\r\n- [x] ${second}\r\n- [ ] Later\r\n`;
    const file = join(folder, 'plan.md');
    writeFileSync(file, text);
    linkSync(file, join(folder, 'same.md'));
    expect(switchyard(['plan', 'tick', 'plan.md', 'demo'])).toBe(`  ${first}\nticked 1 in plan.md\n`);
    expect(readFileSync(join(folder, 'same.md'), 'utf8')).toBe(text.replace('[ ]', '[x]'));
    expect(switchyard(['plan', 'tick', 'plan.md', 'demo'])).toBe('ticked 0 in plan.md\n');
  });

  it('doctor says what is wrong with the state folder and how to mend it, changes nothing, and tells by its exit code', () => {
    const damaged = join(folder, 'damaged');
    cpSync(state, damaged, { recursive: true });
    const bytes = readFileSync(join(damaged, 'journal.db'));
    bytes[bytes.indexOf('task-completed')] = 'T'.charCodeAt(0);
    writeFileSync(join(damaged, 'journal.db'), bytes);
    writeFileSync(join(damaged, 'orchestrator.lock'), JSON.stringify({ pid: 2 ** 22, startedTicks: 1 }));
    const before = readdirSync(damaged).toSorted();
    const ended = spawnSync(process.execPath, [program, 'doctor', '--json', '--state', damaged], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
      encoding: 'utf8',
    });
    const checks = JSON.parse(ended.stdout) as { name: string; state: string; mend?: string }[];
    expect(ended.status).toBe(8);
    expect(checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          state: 'wrong',
          code: 'E_STATE_DAMAGED',
          text: expect.stringMatching(/facts? \d+( to \d+)? .*not match (its|their) checksum/),
          mend: expect.stringContaining('copy'),
        }),
        expect.objectContaining({ name: 'lock', state: 'note', text: expect.stringContaining('has gone') }),
      ]),
    );
    expect(readdirSync(damaged).toSorted()).toEqual(before);
    expect(readFileSync(join(damaged, 'journal.db')).equals(bytes)).toBe(true);
  });

  it('projections are made, asked, compared with the journal by doctor, and made anew', () => {
    // Its exit code is of the commits, which this state folder never had.
    const checkOf = () => {
      const { stdout } = spawnSync(process.execPath, [program, 'doctor', '--json', '--state', state], {
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: folder },
        encoding: 'utf8',
      });
      const checks = JSON.parse(stdout) as { name: string; state: string; text: string }[];
      return checks.find(({ name }) => name === 'projections');
    };
    expect(checkOf()).toMatchObject({ state: 'note', text: 'none yet' });
    expect(switchyard(['projections', 'rebuild'])).toMatch(/^\d+ rows of 2 runs, made from \d+ facts\n$/);
    expect(checkOf()).toMatchObject({ state: 'ok' });
    const sql = "select run, phase, facts from runs where phase = 'completed'";
    expect(JSON.parse(switchyard(['projections', 'query', sql, '--json']))).toEqual([
      { run: ended, phase: 'completed', facts },
    ]);
    expect(switchyard(['projections', 'query', sql])).toMatch(
      new RegExp(`^run +phase +facts\n${ended} +completed +${facts}\n$`),
    );
    // A page in the middle of it, which only a look at all of it finds.
    const tables = readFileSync(join(state, 'projections.db'));
    writeFileSync(join(state, 'projections.db'), Buffer.from(tables).fill(0xee, 4_096, 4_096 * 8));
    expect(checkOf()).toMatchObject({ text: expect.stringMatching(/damaged|cannot be read/) as string });
    const asked = spawnSync(
      process.execPath,
      [program, 'projections', 'query', 'select * from runs', '--state', state],
      { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder }, encoding: 'utf8' },
    );
    expect(asked.status).toBe(8);
    expect(asked.stderr).toContain(`error E_STATE_DAMAGED: ${join(state, 'projections.db')} is damaged`);
    expect(asked.stderr).toContain('`switchyard projections rebuild` makes it anew');
    expect(asked.stderr).not.toContain('The journal is damaged');
    writeFileSync(join(state, 'projections.db'), 'not a database');
    expect(checkOf()).toMatchObject({
      state: 'note',
      text: expect.stringContaining('cannot be read') as string,
    });
    expect(switchyard(['projections', 'rebuild'])).toContain('what was there could not be used');
    expect(checkOf()).toMatchObject({ state: 'ok' });
  });

  it.each(['delete from runs', 'select nothing from nowhere', 'dance'])(
    'projections query answers no "%s", and says why',
    (sql) => {
      const { status, stderr } = spawnSync(
        process.execPath,
        [program, 'projections', 'query', sql, '--state', state],
        { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder }, encoding: 'utf8' },
      );
      expect(status).toBe(2);
      expect(stderr).toContain('E_USAGE');
    },
  );

  it('replay of a run that is not there says so', () => {
    const { status, stderr } = spawnSync(process.execPath, [program, 'replay', 'nobody', '--state', state], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('there is no run nobody');
  });
});
