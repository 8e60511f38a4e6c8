import { linkSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLexical, openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
let guard: PathGuard;
const ws = (name: string): string => join(scene.workspace, name);
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

beforeEach(() => {
  guard = openPathGuard({
    roots: [
      { path: scene.workspace, write: true },
      { path: scene.readable, write: false },
    ],
    denyRead: ['.env', 'a/b/secret', '**/*.pem'],
  });
  mkdirSync(join(scene.outside, 'folder'));
  mkdirSync(ws('a/b'), { recursive: true });
  for (const name of ['t', 'a/b/secret', 'a/b/plain']) writeFileSync(ws(name), 'text');
});
afterEach(() => guard.close());

describe('no answer depends on what is outside', () => {
  it.each([
    ['../outside/folder/../../ws/t', '../outside/nothing/../../ws/t'],
    ['$B/outside/folder/../../ws/t', '$B/outside/nothing/../../ws/t'],
    ['through-there/t', 'through-nowhere/t'],
    ['out/folder/x', 'out/nothing/x'],
    ['out/secret.txt/x', 'out/nothing/x'],
    ['loop-outside/x', 'out/nothing'],
  ])('%s is answered like %s', async (there, nowhere) => {
    symlinkSync('../outside/folder/../../ws', ws('through-there'));
    symlinkSync('../outside/nothing/../../ws', ws('through-nowhere'));
    symlinkSync(scene.outside, ws('out'));
    symlinkSync('loop', join(scene.outside, 'loop'));
    symlinkSync('../outside/loop', ws('loop-outside'));
    for (const asked of [there, nowhere].map((path) => path.replace('$B', scene.base))) {
      expect(await codeOf(guard.readFile(asked))).toBe('E_OUTSIDE_WORKSPACE');
      expect(await codeOf(guard.writeFile(asked, 'PWNED'))).toBe('E_OUTSIDE_WORKSPACE');
      expect(guard.explain(asked, 'read')).toMatchObject({ rule: 'outside', code: 'E_OUTSIDE_WORKSPACE' });
    }
  });

  it('what climbs out behind a missing name is outside, not missing', async () => {
    expect(await codeOf(guard.readFile('nothing/../../outside/secret.txt'))).toBe('E_OUTSIDE_WORKSPACE');
    expect(await codeOf(guard.readFile('nothing/../t'))).toBe('E_NOT_FOUND');
  });
});

describe('good work stays possible', () => {
  it('through links that name a root by its path, as the policy spells it or as the kernel does', async () => {
    symlinkSync(ws('a'), ws('absolute'));
    symlinkSync(scene.base, join(scene.base, 'alias'));
    const alias = join(scene.base, 'alias/ws');
    const other = openPathGuard({ roots: [{ path: alias, write: true }] });
    for (const path of [`${alias}/a/b/plain`, ws('a/b/plain'), 'absolute/b/plain', `/${ws('t')}`, './/t'])
      expect(await codeOf(other.readFile(path)), path).toBe('done');
    other.close();
    expect(await codeOf(guard.readFile('absolute/b/plain'))).toBe('done');
  });
});

describe('names by which something is held cannot be moved away', () => {
  it('neither from above a denied file nor onto protected names', async () => {
    mkdirSync(ws('settings'));
    mkdirSync(ws('c/config'), { recursive: true });
    writeFileSync(ws('settings/tasks.json'), '{}');
    mkdirSync(ws('nested/.git'), { recursive: true });
    expect(await codeOf(guard.move('a', 'z'))).toBe('E_PROTECTED');
    expect(await codeOf(guard.move('a/b', 'z'))).toBe('E_PROTECTED');
    expect(await codeOf(guard.move('settings', '.vscode'))).toBe('E_PROTECTED');
    expect(await codeOf(guard.move('nested', 'n2'))).toBe('E_PROTECTED');
    mkdirSync(ws('stuff/fish'), { recursive: true });
    expect(await codeOf(guard.move('stuff', '.config'))).toBe('E_PROTECTED');
    expect(await codeOf(guard.move('c', 'd'))).toBe('done');
    expect(readdirSync(ws('a/b'))).toContain('secret');
  });

  it('nor read, written or moved by another name of a denied file', async () => {
    linkSync(ws('a/b/secret'), ws('other'));
    expect(await codeOf(guard.readFile('other'))).toBe('E_DENIED');
    expect(await codeOf(guard.writeFile('other', 'x'))).toBe('E_DENIED');
    expect(await codeOf(guard.insertContent('other', 0, 'x'))).toBe('E_DENIED');
    expect(await codeOf(guard.move('other', 'third'))).toBe('E_DENIED');
  });

  it.each([
    '.GIT./config',
    'GIT~1/config',
    'VSCODE~1/x',
    '.v\u017fcode/x',
    '.\uff47it/config',
    '.git:x/config',
    '.G\u0131T/config',
  ])('%s is protected', async (path) => {
    expect(await codeOf(guard.writeFile(path, 'x'))).toBe('E_PROTECTED');
  });
});

describe('explain', () => {
  it('says what would happen and by which rule, and does nothing', async () => {
    symlinkSync('nothing', ws('dangling'));
    const rule = (path: string, intent: Parameters<PathGuard['explain']>[1]): string =>
      guard.explain(path, intent).rule;
    const before = readdirSync(scene.workspace);
    expect(guard.explain('t', 'read')).toMatchObject({ allowed: true, rule: 'root' });
    expect(rule('new/deep/file', 'write')).toBe('root');
    expect(rule('t', 'edit')).toBe('root');
    expect(rule('a', 'list')).toBe('root');
    expect(rule('a', 'read')).toBe('kind');
    expect(rule('dangling', 'write')).toBe('links');
    expect(rule('nothing', 'edit')).toBe('not-found');
    expect(rule('nothing', 'change')).toBe('not-found');
    expect(rule('.env', 'write')).toBe('denied');
    expect(rule('.git/config', 'write')).toBe('protected');
    expect(rule(join(scene.readable, 'r.txt'), 'write')).toBe('read-only-root');
    expect(rule('a\0', 'read')).toBe('lexical');
    expect(guard.explain('/etc/passwd', 'read')).toMatchObject({
      allowed: false,
      code: 'E_OUTSIDE_WORKSPACE',
      roots: [scene.workspace, scene.readable],
    });
    expect(readdirSync(scene.workspace)).toEqual(before);
    renameSync(scene.workspace, `${scene.workspace}.old`);
    expect(rule('t', 'read')).toBe('root-moved');
    expect(await codeOf(guard.readFile(ws('t')))).toBe('E_WORKSPACE_MOVED');
  });
});

describe('lexical rules of other systems', () => {
  const code = (path: string, platform: 'linux' | 'darwin' | 'win32'): string | undefined => {
    try {
      checkLexical(path, { platform, root: platform === 'win32' ? 'C:\\ws' : '/ws' });
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  it.each([
    ['a/..namedfork/rsrc', undefined, 'E_PATH_INVALID'],
    ['/.vol/16777220/2', undefined, 'E_PATH_INVALID'],
    ['a:b', undefined, undefined],
    ['aux.c', undefined, undefined],
    ['a\\b', 'E_PATH_INVALID', 'E_PATH_INVALID'],
    ['e\u0301.txt', undefined, undefined],
    ['\u115f', 'E_PATH_INVALID', 'E_PATH_INVALID'],
  ])('%s on Linux %s, on macOS %s', (path, linux, darwin) => {
    expect([code(path, 'linux'), code(path, 'darwin')]).toEqual([linux, darwin]);
  });
  it.each(['\\windows', '/etc/passwd', 'C:\\ws\\..\\x', 'a\\..\\..\\x', '//./pipe/x'])(
    '%s is outside on Windows',
    (path) => {
      expect(code(path, 'win32')).toBe('E_OUTSIDE_WORKSPACE');
    },
  );
});
