import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attemptPathPolicy, openPathGuard, type AttemptPaths, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
let guard: PathGuard | undefined;
const ws = (name: string): string => join(scene.workspace, name);
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
const open = (more: Partial<AttemptPaths>): PathGuard => {
  guard = openPathGuard(
    attemptPathPolicy({ tree: scene.workspace, workspace: ['src/auth/login'], reads: 'workspace', ...more }),
  );
  return guard;
};

beforeEach(() => {
  for (const name of [
    'src/auth/login/index.ts',
    'src/auth/session/index.ts',
    'src/api/routes.ts',
    'package.json',
    'docs/a.md',
  ]) {
    mkdirSync(dirname(ws(name)), { recursive: true });
    writeFileSync(ws(name), `export // ${name}\n`);
  }
});
afterEach(() => guard?.close());

describe('reads: workspace', () => {
  it('opens the workspace by the paths of the checkout', async () => {
    const asked = open({});
    for (const path of [
      './src/auth/login/index.ts',
      ws('src/auth/login/index.ts'),
      'src/../src/auth/./login/index.ts',
    ])
      expect(await codeOf(asked.readFile(path)), path).toBe('done');
    expect(await codeOf(asked.writeFile('./src/auth/login/handlers.ts', 'x'))).toBe('done');
    expect(await codeOf(asked.makeDirectory('src/auth/login/deep/er'))).toBe('done');
    const listed = await asked.listFiles('src/auth/login');
    expect(listed.map(({ path }) => path)).toEqual(['deep', 'handlers.ts', 'index.ts']);
    expect(await asked.searchFiles('src/auth/login', 'export')).toHaveLength(1);
  });

  it.each([
    './src/auth/session/index.ts',
    'src/auth/session/nothing.ts',
    './src/api/routes.ts',
    'src/api/nothing/deep',
    './package.json',
    'nothing',
    'src',
    'src/auth',
    '.',
    'src/auth/login/../session/index.ts',
    'src/auth/login/..',
    'src/auth/loginx',
    'beside/index.ts',
    'to-login/index.ts',
    'src/auth/login/out',
    'src/auth/login/loop-there/x',
    'nothing/../src/auth/login/index.ts',
    '../outside/secret.txt',
  ])('refuses %s as outside, with the paths that are allowed, there or not', async (path) => {
    symlinkSync('src/auth/session', ws('beside'));
    symlinkSync('src/auth/login', ws('to-login'));
    symlinkSync('../session/index.ts', ws('src/auth/login/out'));
    symlinkSync('loop', ws('src/auth/session/loop'));
    symlinkSync('../session/loop', ws('src/auth/login/loop-there'));
    const asked = open({});
    const works: Readonly<Record<string, () => Promise<unknown>>> = {
      read: () => asked.readFile(path),
      stat: () => asked.stat(path),
      list: () => asked.listFiles(path),
      search: () => asked.searchFiles(path, 'x'),
      write: () => asked.writeFile(path, 'x'),
      edit: () => asked.editFile(path, () => 'x'),
      make: () => asked.makeDirectory(path),
      'be moved to': () => asked.move('src/auth/login/index.ts', `${path}/x`),
    };
    for (const [name, work] of Object.entries(works)) {
      const error = await work().catch((thrown: unknown) => thrown);
      expect(error, name).toMatchObject({
        name: 'GuardError',
        code: 'E_OUTSIDE_WORKSPACE',
        details: { roots: [ws('src/auth/login')] },
      });
      expect(String(error)).toContain('File access denied: outside workspace');
    }
    expect(asked.explain(path, 'read')).toMatchObject({
      allowed: false,
      rule: 'outside',
      code: 'E_OUTSIDE_WORKSPACE',
      roots: [ws('src/auth/login')],
    });
  });

  it('a workspace that is a file, or is not there yet', async () => {
    const asked = open({ workspace: ['package.json', 'new/deep', 'new/file.ts'] });
    expect(await codeOf(asked.readFile('package.json'))).toBe('done');
    expect(await codeOf(asked.writeFile('package.json', '{}'))).toBe('done');
    expect(await codeOf(asked.readFile('new/deep/f'))).toBe('E_NOT_FOUND');
    for (const work of [
      asked.readFile('new/other.ts'),
      asked.writeFile('new/other.ts', 'x'),
      asked.stat('new'),
    ])
      expect(await codeOf(work)).toBe('E_OUTSIDE_WORKSPACE');
    expect(await codeOf(asked.writeFile('new/deep/f', 'x'))).toBe('done');
    expect(await codeOf(asked.writeFile('new/file.ts', 'x'))).toBe('done');
    expect(await codeOf(asked.writeFile('new/other.ts', 'x'))).toBe('E_OUTSIDE_WORKSPACE');
    expect(readFileSync(ws('package.json'), 'utf8')).toBe('{}');
  });

  it('is neither moved nor removed itself, and denies what is denied', async () => {
    writeFileSync(ws('src/auth/login/.env'), 'SECRET');
    const asked = open({ denyRead: ['**/.env'] });
    expect(await codeOf(asked.remove('src/auth/login'))).toBe('E_OUTSIDE_WORKSPACE');
    expect(await codeOf(asked.remove('src'))).toBe('E_OUTSIDE_WORKSPACE');
    expect(await codeOf(asked.readFile('src/auth/login/.env'))).toBe('E_DENIED');
    expect(await codeOf(asked.remove('src/auth/login/index.ts'))).toBe('done');
  });
});

describe('reads: paths', () => {
  it('adds them, to read', async () => {
    const asked = open({ reads: ['docs', 'package.json'] });
    for (const path of ['docs/a.md', 'package.json', 'src/auth/login/index.ts'])
      expect(await codeOf(asked.readFile(path)), path).toBe('done');
    expect(await codeOf(asked.writeFile('docs/a.md', 'x'))).toBe('E_READ_ONLY');
    expect(await codeOf(asked.writeFile('docs/new.md', 'x'))).toBe('E_READ_ONLY');
    expect(await codeOf(asked.checkWorkingDirectory('docs'))).toBe('E_READ_ONLY');
    expect(await codeOf(asked.checkWorkingDirectory('src/auth/login'))).toBe('done');
    expect(await codeOf(asked.readFile('src/api/routes.ts'))).toBe('E_OUTSIDE_WORKSPACE');
    expect(asked.explain('docs/a.md', 'write')).toMatchObject({
      rule: 'read-only-root',
      code: 'E_READ_ONLY',
    });
    expect(asked.explain('x', 'read').roots).toEqual(['src/auth/login', 'docs', 'package.json'].map(ws));
  });
});

describe('reads: all', () => {
  it('shows the checkout, and lets the workspace be written', async () => {
    const asked = open({ reads: 'all' });
    for (const path of ['docs/a.md', 'package.json', 'src/auth/session/index.ts'])
      expect(await codeOf(asked.readFile(path)), path).toBe('done');
    expect(await asked.searchFiles('.', 'export')).toHaveLength(5);
    expect(await codeOf(asked.writeFile('src/auth/login/new/f', 'x'))).toBe('done');
    for (const path of ['docs/a.md', 'src/auth/f', 'package.json'])
      expect(await codeOf(asked.writeFile(path, 'x')), path).toBe('E_READ_ONLY');
    for (const path of ['src/auth/login', 'src', 'docs/a.md'])
      expect(await codeOf(asked.remove(path)), path).toBe(path === 'src/auth/login' ? 'done' : 'E_READ_ONLY');
    expect(await codeOf(asked.readFile('../outside/secret.txt'))).toBe('E_OUTSIDE_WORKSPACE');
  });

  it('lets all of it be written where the workspace is all of it', async () => {
    const asked = open({ reads: 'all', workspace: ['.'] });
    expect(await codeOf(asked.writeFile('docs/a.md', 'x'))).toBe('done');
  });
});

describe('a reviewer', () => {
  it('reads everything of the checkout and writes nothing', async () => {
    const asked = open({ reads: 'all', workspace: [] });
    expect(await codeOf(asked.readFile('src/api/routes.ts'))).toBe('done');
    const works: Readonly<Record<string, Promise<unknown>>> = {
      write: asked.writeFile('docs/a.md', 'x'),
      make: asked.writeFile('docs/new', 'x'),
      edit: asked.editFile('docs/a.md', () => 'x'),
      insert: asked.insertContent('docs/a.md', 0, 'x'),
      diff: asked.applyDiff('docs/a.md', ''),
      folder: asked.makeDirectory('new'),
      move: asked.move('docs/a.md', 'docs/b.md'),
      remove: asked.remove('docs'),
      work: asked.checkWorkingDirectory('.'),
    };
    for (const [name, work] of Object.entries(works)) expect(await codeOf(work), name).toBe('E_READ_ONLY');
    expect(asked.roots).toEqual([{ path: scene.workspace, write: false }]);
  });
});
