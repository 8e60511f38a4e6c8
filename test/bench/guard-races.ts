/** Operations of the path guard while another process exchanges a folder or a file with a link out, without a pause. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuardError, openPathGuard, type PathGuard } from '@switchyard/guard';
import type { BenchSize } from './bench-size.ts';
import { withScene, type GuardScene } from './guard-scene.ts';

export interface RaceFigures {
  readonly name: string;
  readonly tries: number;
  /** Tries that were served; the others were refused. */
  readonly served: number;
  /** Exchanges during the tries, there and back. */
  readonly swaps: number;
  /** Answers or changes of what is outside. */
  readonly escapes: number;
}

const secret = 'nobody may see this';

interface Race {
  readonly exchanged: 'folder' | 'file';
  /** Answers what it saw. */
  readonly attempt: (guard: PathGuard, count: number) => Promise<unknown>;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const races: Readonly<Record<string, Race>> = {
  'read in a folder': { exchanged: 'folder', attempt: async (guard) => text(await guard.readFile('d/f')) },
  'read a file': { exchanged: 'file', attempt: async (guard) => text(await guard.readFile('g')) },
  list: {
    exchanged: 'folder',
    attempt: async (guard) => (await guard.listFiles('d')).map(({ path }) => path),
  },
  search: { exchanged: 'folder', attempt: (guard) => guard.searchFiles('d', 'nobody') },
  stat: {
    exchanged: 'file',
    attempt: async (guard) => ((await guard.stat('g')).size === secret.length ? secret : ''),
  },
  'write in a folder': {
    exchanged: 'folder',
    attempt: (guard, count) => guard.writeFile(`d/w${count % 5}`, 'x'),
  },
  'write a file': { exchanged: 'file', attempt: (guard) => guard.writeFile('g', 'public') },
  'make folders and write': {
    exchanged: 'folder',
    attempt: (guard, count) => guard.writeFile(`d/x${count % 7}/y`, 'x'),
  },
  'make folders': {
    exchanged: 'folder',
    attempt: (guard, count) => guard.makeDirectory(`d/m${count % 7}/n`),
  },
  edit: {
    exchanged: 'folder',
    attempt: (guard) => guard.editFile('d/f', (before) => (before.includes(secret) ? 'stolen' : before)),
  },
  insert: {
    exchanged: 'file',
    // Now and then it becomes short again.
    attempt: (guard, count) =>
      count % 50 === 0 ? guard.writeFile('g', 'public') : guard.insertContent('g', 0, 'x'),
  },
  diff: {
    exchanged: 'folder',
    attempt: (guard) => guard.applyDiff('d/f', '<<<<<<< SEARCH\npublic\n=======\npublic\n>>>>>>> REPLACE'),
  },
  move: {
    exchanged: 'folder',
    attempt: (guard, count) =>
      count % 2 === 0 ? guard.move('d/f', 'd/moved') : guard.move('d/moved', 'd/f'),
  },
  remove: {
    exchanged: 'folder',
    async attempt(guard, count) {
      if (count % 2 === 0) await guard.writeFile('d/only-outside', 'x');
      else await guard.remove('d/only-outside');
    },
  },
};

/** In a process of its own; a line of output every thousand exchanges. */
const attackerCode = `
const { renameSync, rmSync } = require('node:fs');
const [good, evil] = process.argv.slice(1);
const attempt = (action) => { try { action(); return true; } catch { return false; } };
const move = (from, to) => {
  while (!attempt(() => renameSync(from, to))) attempt(() => rmSync(to, { recursive: true, force: true }));
};
process.stdout.write('.');
for (let count = 1; ; count += 1) {
  move(good, good + '.aside');
  move(evil, good);
  move(good, evil);
  move(good + '.aside', good);
  if (count % 1000 === 0) require('node:fs').writeSync(1, '.');
}`;

/** Each operation, or those whose name has the words, so many times. */
export async function runGuardRaces(tries: number, words = ''): Promise<readonly RaceFigures[]> {
  const figures: RaceFigures[] = [];
  const wanted = Object.entries(races).filter(([name]) => name.includes(words));
  if (wanted.length === 0)
    throw new Error(`no race has "${words}" in its name: ${Object.keys(races).join(', ')}`);
  for (const [name, race] of wanted)
    figures.push(await withScene((scene) => runRace(scene, { name, race, tries })));
  return figures;
}

async function runRace(
  { workspace, outside }: GuardScene,
  { name, race, tries }: { readonly name: string; readonly race: Race; readonly tries: number },
): Promise<RaceFigures> {
  const at = (path: string): string => join(workspace, path);
  const outsideNames = ['f', 'moved', 'only-outside'];
  mkdirSync(at('d'));
  for (const path of [at('d/f'), at('g')]) writeFileSync(path, 'public');
  for (const each of outsideNames) writeFileSync(join(outside, each), secret);
  symlinkSync(outside, at('evil'));
  symlinkSync(join(outside, 'f'), at('evil-file'));
  const isWhole = (): boolean =>
    readdirSync(outside).sort().join() === outsideNames.join() &&
    outsideNames.every((each) => readFileSync(join(outside, each), 'utf8') === secret);
  const guard = openPathGuard({ roots: [{ path: workspace, write: true }], ripgrep: false });
  const attacker = await startAttacker(
    race.exchanged === 'folder' ? [at('d'), at('evil')] : [at('g'), at('evil-file')],
  );
  let [served, escapes, thousands] = [0, 0, 0];
  attacker.stdout?.on('data', (dots: Buffer) => (thousands += dots.length));
  try {
    for (let count = 0; count < tries; count += 1) {
      try {
        const seen = JSON.stringify((await race.attempt(guard, count)) ?? '');
        served += 1;
        if (/nobody|only-outside/.test(seen)) escapes += 1;
      } catch (error) {
        if (!(error instanceof GuardError)) throw error;
      }
      if (count % 1000 === 0) {
        if (!isWhole()) escapes += 1;
        await new Promise((resolve) => setImmediate(resolve)); // the attacker's dots are read
      }
    }
  } finally {
    attacker.kill('SIGKILL');
    if (attacker.exitCode === null && attacker.signalCode === null) await once(attacker, 'exit');
    guard.close();
  }
  if (!isWhole()) escapes += 1;
  return { name, tries, served, swaps: thousands * 1000, escapes };
}

async function startAttacker(paths: readonly [string, string]): Promise<ChildProcess> {
  const attacker = spawn(process.execPath, ['-e', attackerCode, ...paths], {
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(attacker.stdout, 'data');
  return attacker;
}

/** Races of each operation, as the lines of a table. Throws for an escape. */
export async function reportGuardRaces({ raceTries, only }: BenchSize): Promise<readonly string[]> {
  const figures = await runGuardRaces(raceTries, only);
  const escapes = figures.reduce((sum, each) => sum + each.escapes, 0);
  const lines = figures.map(
    ({ name, tries, served, swaps, escapes: got }) =>
      `${name.padEnd(22)}  tries ${tries}, served ${served}, exchanges ${swaps}, escapes ${got}`,
  );
  if (escapes > 0) throw new Error(`${escapes} escapes\n${lines.join('\n')}`);
  return [...lines, `escapes in all ${escapes}`];
}
