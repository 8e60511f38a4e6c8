/**
 * An attacker who strikes between two system calls of one operation: each operation is done as often as it has calls,
 * and each time the tree is changed before another of them. What the races try by chance, this tries one by one.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { GuardError, openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

type Spy = (name: string, args: readonly unknown[]) => void;
const calls = vi.hoisted(() => ({ spy: undefined as Spy | undefined }));

vi.mock('node:fs', async (original) => {
  const real = await original<Record<string, unknown>>();
  const watched = Object.entries(real).map(([name, work]) => {
    if (!name.endsWith('Sync') || typeof work !== 'function') return [name, work];
    const told = (...args: unknown[]): unknown => {
      const { spy } = calls;
      calls.spy = undefined; // what the attacker does himself is not told
      spy?.(name, args);
      calls.spy = spy;
      return Reflect.apply(work, undefined, args);
    };
    return [name, told];
  });
  return { ...Object.fromEntries(watched) };
});

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Every operation, each in a folder or on a file that the attacker exchanges; answers what it saw. */
const operations: Readonly<Record<string, (guard: PathGuard) => Promise<unknown>>> = {
  'reading a file': async (guard) => text(await guard.readFile('d/f')),
  'reading by a link': async (guard) => text(await guard.readFile('l/f')),
  'writing a file': (guard) => guard.writeFile('d/f', 'new'),
  'writing by a link': (guard) => guard.writeFile('l/f', 'new'),
  'making a file': (guard) => guard.writeFile('d/n', 'new'),
  'making folders and a file': (guard) => guard.writeFile('d/n/deep/f', 'new'),
  'making folders': (guard) => guard.makeDirectory('d/n/deep'),
  editing: (guard) => guard.editFile('d/f', (before) => `${before}!`),
  inserting: (guard) => guard.insertContent('d/f', 0, 'new'),
  'a diff': (guard) => guard.applyDiff('d/f', '<<<<<<< SEARCH\npublic\n=======\nnew\n>>>>>>> REPLACE'),
  listing: (guard) => guard.listFiles('d', { recursive: true }),
  searching: (guard) => guard.searchFiles('d', 'SECRET|HIDDEN|public'),
  'asking for facts': (guard) => guard.stat('d/f'),
  'moving a file': (guard) => guard.move('d/f', 'd/moved'),
  'moving a folder': (guard) => guard.move('d/sub', 'moved'),
  'moving a file in': (guard) => guard.move('g', 'd/moved'),
  'removing a file': (guard) => guard.remove('d/f'),
  'removing a folder': (guard) => guard.remove('d'),
  explaining: async (guard) => [guard.explain('d/f', 'write'), guard.explain('d/n/f', 'write')],
};

const isThere = (path: string): boolean => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;

function exchange(name: string, target: string): void {
  if (!isThere(ws(name))) return;
  fs.renameSync(ws(name), ws(`${name}.aside`));
  fs.symlinkSync(target, ws(name));
}

function putBack(name: string): void {
  if (!isThere(ws(`${name}.aside`))) return;
  fs.rmSync(ws(name), { recursive: true, force: true });
  fs.renameSync(ws(`${name}.aside`), ws(name));
}

function appear(name: string, target: string): void {
  if (isThere(ws('d')) && !isThere(ws(name))) fs.symlinkSync(target, ws(name));
}

interface Attack {
  /** The operations that it could harm; absent: all of them. */
  readonly of?: RegExp;
  readonly strike: () => void;
  readonly undo: () => void;
  /** Calls from the strike to the undoing; 0 is never. */
  readonly undoAfter?: readonly number[];
}

const swap = (name: string, target: () => string): Omit<Attack, 'of'> => ({
  strike: () => exchange(name, target()),
  undo: () => putBack(name),
});
const plant = (name: string, target: () => string): Omit<Attack, 'of'> => ({
  strike: () => appear(name, target()),
  undo: () => fs.rmSync(ws(name), { recursive: true, force: true }),
});

const attacks: Readonly<Record<string, Attack>> = {
  'a folder becomes a link out': swap('d', () => scene.outside),
  'a folder becomes a link to what is protected': {
    of: /^(?!list|search|read)/,
    ...swap('d', () => ws('.vscode')),
  },
  'a folder becomes a link to what is denied': swap('d', () => ws('secrets')),
  'a link is led out': { of: /link/, ...swap('l', () => scene.outside) },
  'a file becomes a link out': { of: /^(?!making)/, ...swap('d/f', () => join(scene.outside, 'f')) },
  'a file becomes a denied one': {
    of: /^(?!making|moving a f)/,
    strike() {
      if (!isThere(ws('d/f'))) return;
      fs.renameSync(ws('d/f'), ws('d/f.aside'));
      fs.linkSync(ws('secrets/f'), ws('d/f'));
    },
    undo: () => putBack('d/f'),
    undoAfter: [0, 1, 2, 3, 4, 5],
  },
  'a link out appears where something is to be made': { of: /^making/, ...plant('d/n', () => scene.outside) },
  'a link out appears below what was made': {
    of: /^making folders/,
    strike() {
      if (isThere(ws('d/n'))) appear('d/n/deep', scene.outside);
    },
    undo: () => undefined,
  },
  'a link out appears where something is moved to': {
    of: /^moving/,
    ...plant('d/moved', () => scene.outside),
  },
  'a folder below becomes a link out': { of: /folder|ing$/, ...swap('d/sub', () => scene.outside) },
  'the workspace becomes a link out': {
    strike() {
      fs.renameSync(scene.workspace, `${scene.workspace}.aside`);
      fs.symlinkSync(scene.outside, scene.workspace);
    },
    undo: giveBack,
  },
};

function giveBack(): void {
  if (!isThere(`${scene.workspace}.aside`)) return;
  fs.rmSync(scene.workspace);
  fs.renameSync(`${scene.workspace}.aside`, scene.workspace);
}

/** The names are the same inside and outside, so that a lost race would be served. */
function prepare(): void {
  fill(scene.outside, 'SECRET');
  fill(ws('secrets'), 'HIDDEN');
  fill(ws('.vscode'), 'public');
  fs.writeFileSync(join(scene.outside, 'only-outside'), 'SECRET');
  fs.symlinkSync('d', ws('l'));
}

function fill(folder: string, content: string): void {
  fs.mkdirSync(join(folder, 'sub'), { recursive: true });
  for (const name of ['f', 'sub/f']) fs.writeFileSync(join(folder, name), content);
}

/** Everything that no operation may change, as one text. */
function heldState(): string {
  const aside = `${scene.workspace}.aside`;
  const workspace = isThere(aside) ? aside : scene.workspace;
  const folders = [scene.outside, join(workspace, '.vscode'), join(workspace, 'secrets')];
  return folders.map((folder) => statesBelow(folder)).join('\n');
}

function statesBelow(folder: string): string {
  const states = fs.readdirSync(folder).map((name) => {
    const path = join(folder, name);
    const { mode, ino } = fs.lstatSync(path);
    const isFolder = (mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR;
    return `${name} ${mode} ${ino} ${isFolder ? `{${statesBelow(path)}}` : fs.readFileSync(path, 'utf8')}`;
  });
  return states.sort().join(', ');
}

/** Does an operation; before its `at`th call the attacker strikes, and before a later one he may undo it. */
async function perform(
  operation: (guard: PathGuard) => Promise<unknown>,
  { strike, undo }: Attack,
  { at, undoAt }: { readonly at: number; readonly undoAt: number },
): Promise<{ readonly calls: number }> {
  for (const name of ['d', 'd.aside', 'n', 'moved', 'l', 'l.aside'])
    fs.rmSync(ws(name), { recursive: true, force: true });
  fs.symlinkSync('d', ws('l'));
  fill(ws('d'), 'public');
  fs.writeFileSync(ws('g'), 'public');
  const roots = [{ path: scene.workspace, write: true }];
  const guard = openPathGuard({ roots, denyRead: ['secrets'], ripgrep: false });
  let count = 0;
  calls.spy = (name) => {
    if (name === 'closeSync') return; // striking before it is striking before the next
    count += 1;
    if (count === at) strike();
    if (count === undoAt) undo();
  };
  let seen = '';
  try {
    seen = JSON.stringify((await operation(guard)) ?? '');
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    seen = error.message;
  } finally {
    calls.spy = undefined;
    guard.close();
  }
  const trace = `struck before call ${at}, undone before call ${undoAt}`;
  expect(seen, trace).not.toMatch(/SECRET(?!\|)|HIDDEN|only-outside/);
  return { calls: count };
}

describe('an attacker between two steps', () => {
  it.each(Object.keys(operations))('gets nothing out of %s', async (name) => {
    const operation = operations[name] ?? (() => Promise.reject(new Error('no such operation')));
    prepare();
    const before = heldState();
    for (const [words, attack] of Object.entries(attacks)) {
      if (attack.of?.test(name) === false) continue;
      const { calls: whole } = await perform(operation, attack, { at: 0, undoAt: 0 });
      for (let at = 1; at <= whole; at += 1)
        for (const after of attack.undoAfter ?? [0, 1, 2]) {
          const undoAt = after === 0 ? 0 : at + after;
          await perform(operation, attack, { at, undoAt });
          giveBack();
          expect(heldState(), `${words}: struck before call ${at}, undone before call ${undoAt}`).toBe(
            before,
          );
        }
    }
  });
});
