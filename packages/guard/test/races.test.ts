import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { GuardError, openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

/** Of each of the operations at least: more than 20,000 in all. */
const leastTries = 3000;
/** A busy machine may give the thread little time: the race goes on until it was one. */
const leastSwaps = 100;
const scene = useScene();

/** In a thread: exchanges a folder or file with a link out, as fast as renames go, until told to stop. */
const swapperCode = `
const { renameSync, rmSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { paths: [good, evil], stop, count } = workerData;
const attempt = (action) => {
  try {
    action();
    return true;
  } catch {
    return false;
  }
};
const move = (from, to) => {
  // The guard may make the folder anew in the moment when it is not there: then it goes.
  while (!attempt(() => renameSync(from, to))) attempt(() => rmSync(to, { recursive: true, force: true }));
};
parentPort.postMessage('swapping');
while (Atomics.load(stop, 0) === 0) {
  move(good, good + '.aside');
  move(evil, good);
  move(good, evil);
  move(good + '.aside', good);
  Atomics.add(count, 0, 1);
}`;

/** Runs an operation many times, until it was served and the paths exchanged by a thread, too. */
async function race(
  paths: [string, string],
  operation: (guard: PathGuard, count: number) => Promise<string | undefined>,
) {
  const guard = openPathGuard({ roots: [{ path: scene.workspace, write: true }] });
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const count = new Int32Array(new SharedArrayBuffer(4));
  const swapper = new Worker(swapperCode, { eval: true, workerData: { paths, stop, count } });
  await once(swapper, 'message');
  const swaps = (): number => Atomics.load(count, 0);
  let served = 0;
  for (let index = 0; index < leastTries || swaps() < leastSwaps || served === 0; index += 1) {
    try {
      const seen = await operation(guard, index);
      expect(seen ?? '').not.toContain('SECRET');
      served += 1;
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
    }
  }
  Atomics.store(stop, 0, 1);
  await once(swapper, 'exit');
  guard.close();
}

function prepare(): { folder: [string, string]; file: [string, string] } {
  const at = (name: string): string => join(scene.workspace, name);
  mkdirSync(at('d'));
  for (const name of ['d/secret.txt', 'g']) writeFileSync(at(name), 'public');
  symlinkSync(scene.outside, at('evil'));
  symlinkSync(join(scene.outside, 'secret.txt'), at('evil-file'));
  return { folder: [at('d'), at('evil')], file: [at('g'), at('evil-file')] };
}

describe('while a folder or file is exchanged with a link out', () => {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

  it.each([
    [
      'reading in the folder',
      'folder',
      async (guard: PathGuard) => text(await guard.readFile('d/secret.txt')),
    ],
    ['reading the file', 'file', async (guard: PathGuard) => text(await guard.readFile('g'))],
    [
      'listing the folder',
      'folder',
      async (guard: PathGuard) =>
        (await guard.listFiles('d')).some(({ path }) => path === 'only-outside') ? 'SECRET' : '',
    ],
    [
      'searching the folder',
      'folder',
      async (guard: PathGuard) => (await guard.searchFiles('d', 'SECRET')).join(),
    ],
    [
      'writing in the folder',
      'folder',
      (guard: PathGuard, count: number) => guard.writeFile(`d/w${count % 5}`, 'PWNED'),
    ],
    [
      'making folders and writing',
      'folder',
      (guard: PathGuard, count: number) => guard.writeFile(`d/x${count % 7}/y`, 'PWNED'),
    ],
    ['writing the file', 'file', (guard: PathGuard) => guard.writeFile('g', 'public')],
    [
      'editing in the folder',
      'folder',
      (guard: PathGuard) =>
        guard.editFile('d/secret.txt', (before) => (before.includes('SECRET') ? 'PWNED' : before)),
    ],
    [
      'asking for facts in the folder',
      'folder',
      async (guard: PathGuard, count: number) => {
        await guard.stat(count % 2 === 0 ? 'd/secret.txt' : 'd/only-outside');
        return count % 2 === 0 ? '' : 'SECRET'; // what is only outside has no facts
      },
    ],
    [
      'inserting in the file',
      'file',
      (guard: PathGuard, count: number) =>
        count % 50 === 0 ? guard.writeFile('g', 'public') : guard.insertContent('g', 0, 'PWNED'),
    ],
    [
      'a diff in the folder',
      'folder',
      async (guard: PathGuard, count: number) => {
        const [search, seen] = count % 2 === 0 ? ['public', ''] : ['SECRET', 'SECRET'];
        await guard.applyDiff(
          'd/secret.txt',
          `<<<<<<< SEARCH\n${search}\n=======\n${search}\n>>>>>>> REPLACE`,
        );
        return seen;
      },
    ],
    [
      'making folders in the folder',
      'folder',
      (guard: PathGuard, count: number) => guard.makeDirectory(`d/m${count % 7}/n`),
    ],
    ['removing', 'folder', (guard: PathGuard) => guard.remove('d/secret.txt')],
    [
      'moving',
      'folder',
      (guard: PathGuard, count: number) =>
        guard.move(
          count % 2 === 0 ? 'd/secret.txt' : 'd/moved',
          count % 2 === 0 ? 'd/moved' : 'd/secret.txt',
        ),
    ],
  ] as const)('%s never gets out', async (_, which, operation) => {
    writeFileSync(join(scene.outside, 'only-outside'), 'x');
    await race(prepare()[which], async (guard, count) => (await operation(guard, count)) ?? undefined);
    expect(readdirSync(scene.outside).sort()).toEqual(['only-outside', 'secret.txt']);
    expect(readFileSync(join(scene.outside, 'secret.txt'), 'utf8')).toBe('SECRET');
  });
});
