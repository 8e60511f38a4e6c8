import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardedMounts, openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
let guard: PathGuard;
const ws = (name: string): string => join(scene.workspace, name);
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

/** A workspace with a folder that may only be read, in it a folder that may be written, and a folder beside. */
beforeEach(() => {
  mkdirSync(ws('lib/vendor/out'), { recursive: true });
  for (const name of ['lib/vendor/v', 'lib/vendor/out/o', 'lib/vendor/.env', 'f'])
    writeFileSync(ws(name), name);
  guard = openPathGuard({
    roots: [
      { path: scene.workspace, write: true },
      { path: scene.readable, write: false },
      { path: ws('lib/vendor'), write: false },
      { path: ws('lib/vendor/out'), write: true },
    ],
    denyRead: ['.env', 'lib/vendor/out/secret'],
  });
});
afterEach(() => guard.close());

describe('roots in roots', () => {
  it('are each what they are, whichever way leads in', async () => {
    expect(await codeOf(guard.writeFile('lib/vendor/v', 'x'))).toBe('E_READ_ONLY');
    expect(await codeOf(guard.writeFile('lib/vendor/new', 'x'))).toBe('E_READ_ONLY');
    expect(await codeOf(guard.remove('lib/vendor/v'))).toBe('E_READ_ONLY');
    expect(await codeOf(guard.writeFile('lib/vendor/out/n', 'x'))).toBe('done');
    expect(await codeOf(guard.readFile('lib/vendor/out/../v'))).toBe('done');
    expect(await codeOf(guard.readFile('lib/vendor/../../f'))).toBe('done');
  });

  it('are neither moved nor removed with a folder that holds them', async () => {
    for (const path of ['lib', 'lib/vendor'])
      for (const work of [guard.move(path, 'moved'), guard.remove(path)])
        expect(['E_PROTECTED', 'E_IS_DIRECTORY']).toContain(await codeOf(work));
    expect(readFileSync(ws('lib/vendor/v'), 'utf8')).toBe('lib/vendor/v');
    expect(readdirSync(scene.workspace).sort()).toEqual(['f', 'lib']);
  });

  it('are denied what any root that holds them is denied', async () => {
    expect(await codeOf(guard.readFile('lib/vendor/.env'))).toBe('E_DENIED');
    expect(await codeOf(guard.writeFile('lib/vendor/out/secret', 'x'))).toBe('E_DENIED');
  });

  it('are mounted so that none covers another', () => {
    writeFileSync(ws('lib/.envrc'), '');
    mkdirSync(ws('.vscode/deep'), { recursive: true });
    writeFileSync(ws('.vscode/deep/.env'), '');
    const mounts = guardedMounts(
      [
        { path: scene.workspace, write: true },
        { path: ws('lib/vendor'), write: false },
        { path: ws('lib/vendor/out'), write: true },
      ],
      { denyRead: ['**/.env'] },
    );
    const shown = mounts.map((mount) =>
      mount.kind === 'hide' || mount.kind === 'scratch'
        ? `${mount.kind} ${mount.target}`
        : `${mount.kind} ${mount.source}`,
    );
    expect(shown.map((line) => line.replace(scene.workspace, 'ws'))).toEqual([
      'write ws',
      'read ws/.vscode',
      'hide ws/.vscode/deep/.env',
      'write ws/lib',
      'read ws/lib/.envrc',
      'read ws/lib/vendor',
      'hide ws/lib/vendor/.env',
      'write ws/lib/vendor/out',
    ]);
  });
});

describe('from root to root', () => {
  it('a path and a link lead over what is above both, and nowhere else', async () => {
    symlinkSync('../ro', ws('beside'));
    symlinkSync(`../${scene.outside.split('/').at(-1)}/../ro`, ws('around'));
    symlinkSync('ws', join(scene.base, 'alias'));
    for (const path of ['../ro/r.txt', 'beside/r.txt', '../ws/../ro/r.txt', '../ws/f'])
      expect(await codeOf(guard.readFile(path)), path).toBe('done');
    for (const path of [
      'around/r.txt',
      '../outside/../ro/r.txt',
      '../alias/f',
      '../../nowhere/x',
      '..',
      '../ro/..',
    ])
      expect(await codeOf(guard.readFile(path)), path).toBe('E_OUTSIDE_WORKSPACE');
    expect(await codeOf(guard.writeFile('../ro/new', 'x'))).toBe('E_READ_ONLY');
  });

  it('a root that was moved is missed only by who asks for it', async () => {
    renameSync(scene.readable, `${scene.readable}.aside`);
    mkdirSync(scene.readable);
    expect(await codeOf(guard.readFile('f'))).toBe('done');
    expect(await codeOf(guard.readFile(ws('./lib/../f')))).toBe('done');
    expect(await codeOf(guard.readFile('../ro/r.txt'))).toBe('E_WORKSPACE_MOVED');
  });
});

it('a root within a root is neither moved nor removed from there', async () => {
  const inner = join(scene.workspace, 'inner');
  mkdirSync(inner);
  const both = openPathGuard({ roots: [scene.workspace, inner].map((path) => ({ path, write: true })) });
  expect(await codeOf(both.remove('inner'))).toBe('E_IS_DIRECTORY');
  expect(await codeOf(both.move('inner', 'other'))).toBe('E_IS_DIRECTORY');
  both.close();
});
