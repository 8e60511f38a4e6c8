import { describe, expect, it } from 'vitest';
import { checkCommand, checkLexical, isProtected, openPathGuard } from '@switchyard/guard';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useScene } from './scene.ts';

const scene = useScene();

describe('protected names', () => {
  it.each([
    ['.git', '.git/config', '.git/config.worktree', '.git/hooks/pre-commit', '.git/modules/m/config'],
    ['.git/worktrees/w', '.git/commondir', '.git/gitdir', '.git/info/attributes'],
    ['.git/objects/info/alternates', '.git/objects/info/http-alternates'],
    ['.vscode/tasks.json', '.idea/x', '.claude/x', '.cursor/x', '.codex/x', '.roo/x', '.devcontainer/x'],
    ['.gitmodules', '.gitconfig', '.mcp.json', '.roomodes', '.rooignore', '.envrc', '.ripgreprc', '.inputrc'],
    ['.profile', '.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.kshrc'],
    ['.cshrc', '.tcshrc', '.login', '.logout', '.zshrc', '.zshenv', '.zprofile', '.zlogin', '.zlogout'],
    ['.shrc', '.mkshrc', '.yashrc', '.xonshrc', '.xprofile', '.xinitrc', '.xsessionrc', '.pam_environment'],
    ['.config/fish/x', '.config/nushell/x', '.config/powershell/x', '.config/xonsh/x'],
  ])('are held at the top and below: %s ...', (...names) => {
    for (const name of names)
      for (const path of [name, `a/b/${name}`]) expect(isProtected(path), path).toBe(true);
  });

  it.each([
    ['full width', '.\uff47\uff49\uff54/config'],
    ['capitals', '.GIT/CONFIG'],
    ['bold capitals', '.\u{1d406}\u{1d408}\u{1d413}/config'],
    ['a capital I with a dot', '.G\u0130T/config'],
    ['a small i without a dot', '.g\u0131t/config'],
    ['a sign that composes only when another is gone', '.g\u200ci\u00adt/config'],
    ['a joiner', '.gi\u200dt/config'],
    ['a stream', '.git::$INDEX_ALLOCATION/config'],
    ['dots and blanks behind', '.git. ./config'],
    ['the short name', 'GIT~1/config'],
    ['a short name with an end', 'git~2.x/config'],
    ['the short name of a folder', 'VSCODE~1/x'],
    ['the short name of a file', 'GITMOD~1'],
  ])('are held by %s', (_, path) => {
    expect(isProtected(path)).toBe(true);
  });

  it.each([
    '.gitignore',
    'git',
    '.github/workflows/a.yml',
    '.git/HEAD',
    '.git/refs/heads/x',
    '.config/x',
    'fish',
  ])('%s is none', (path) => {
    expect(isProtected(path)).toBe(false);
  });
});

describe('denied names', () => {
  it.each([
    ['.env', '.env'],
    ['.env', '.ENV'],
    ['.env', '.\uff45nv'],
    ['secrets', 'secrets/deep/x'],
    ['**/*.pem', 'a/.hidden/k.PEM'],
    ['!keep', '!keep'],
    ['SECRETS/**', 'secrets/x'],
  ])('%s denies %s', async (glob, path) => {
    const file = join(scene.workspace, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, 'x');
    writeFileSync(join(scene.workspace, 'other'), 'x');
    const guard = openPathGuard({ roots: [{ path: scene.workspace, write: true }], denyRead: [glob] });
    await expect(guard.readFile(path)).rejects.toMatchObject({ code: 'E_DENIED' });
    expect(Buffer.from(await guard.readFile('other')).toString()).toBe('x');
    guard.close();
  });
});

it('a denied name is so when a sign that is not seen parts its letters', async () => {
  for (const name of ['caf\u00e9', 'cafe\u200d\u0301', 'cafe\u0301'])
    writeFileSync(join(scene.workspace, name), 'x');
  const guard = openPathGuard({ roots: [{ path: scene.workspace, write: true }], denyRead: ['caf\u00e9'] });
  expect(await guard.listFiles('.')).toEqual([]);
  guard.close();
});

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('what is no path', () => {
  const on = (platform: 'linux' | 'darwin' | 'win32', path: unknown): unknown =>
    codeOf(() => checkLexical(path, { platform, root: platform === 'win32' ? 'C:\\ws' : '/ws' }));

  it.each([
    ['no text', 1],
    ['nothing', ''],
    ['blanks', ' \t'],
    ['half a pair', 'a\ud800'],
    ['a NUL byte', 'a\0'],
    ['a line end', 'a\nb'],
    ['an escape', 'a\u001b[2Jb'],
    ['a joiner', 'a\u200db'],
    ['a turn of direction', 'a\u202eb'],
    ['a filler', 'a\u3164b'],
    ['a blank of braille', 'a\u2800b'],
    ['a line separator', 'a\u2028b'],
    ['a tag', 'a\u{e0041}b'],
    ['a mark of annotations', 'a\ufff9b'],
    ['a long path of short names', 'a/'.repeat(2048)],
    ['a long name', 'a'.repeat(256)],
    ['a name that is long in bytes', '\u00e9'.repeat(128)],
    ['a URL', 'https://a/b'],
    ['a file URL', 'FILE:a'],
    ['a home', '~root/x'],
    ['a backslash', 'a\\b'],
  ])('%s', (_, path) => {
    expect(on('linux', path)).toBe('E_PATH_INVALID');
  });

  it.each([
    '\u2764\ufe0f.md',
    'a b',
    'a:b',
    'e\u0301',
    '..a',
    '...',
    'a'.repeat(255),
    '\u65e5\u672c',
    '-x',
    '@x',
  ])('but %s is one', (path) => {
    expect(on('linux', path)).toBeUndefined();
  });

  it.each([
    ['CON', 'E_PATH_INVALID'],
    ['lpt\u00b2.txt', 'E_PATH_INVALID'],
    ['conin$', 'E_PATH_INVALID'],
    ['nul .txt', 'E_PATH_INVALID'],
    ['a|b', 'E_PATH_INVALID'],
    ['a?', 'E_PATH_INVALID'],
    ['dir.\\x', 'E_PATH_INVALID'],
    ['PROGRA~1', 'E_PATH_INVALID'],
    ['c:x', 'E_PATH_INVALID'],
    ['C:\\ws\\a:b', 'E_PATH_INVALID'],
    ['\\??\\C:\\x', 'E_OUTSIDE_WORKSPACE'],
    ['//server/share', 'E_OUTSIDE_WORKSPACE'],
    ['C:\\ws2\\x', 'E_OUTSIDE_WORKSPACE'],
    ['D:\\ws\\x', 'E_OUTSIDE_WORKSPACE'],
    ['C:\\WS\\x', undefined],
    ['a/../b', undefined],
  ])('on Windows %s: %s', (path, code) => {
    expect(on('win32', path)).toBe(code);
  });

  it('on Windows a letter that only looks like one of the root is another', () => {
    const root = (path: string): unknown =>
      codeOf(() => checkLexical(path, { platform: 'win32', root: 'C:\\work' }));
    expect(root('C:\\WORK\\x')).toBeUndefined();
    expect(root('C:\\wor\u212a\\x')).toBe('E_OUTSIDE_WORKSPACE');
  });

  it.each(['a/..namedfork/rsrc', '/.vol/1/2', '/.nofollow/x', '/.resolve/x'])('on macOS %s', (path) => {
    expect(on('darwin', path)).toBe('E_PATH_INVALID');
  });
});

describe('what is no command', () => {
  it.each([
    ['no text', undefined],
    ['nothing', ' '],
    ['a NUL byte', 'a\0b'],
    ['half a pair', 'a\ud800'],
    ['too long', 'a'.repeat(131_072)],
  ])('%s', (_, command) => {
    expect(codeOf(() => checkCommand(command))).toBe('E_PATH_INVALID');
  });

  it('but the longest that Linux takes is one', () => {
    expect(codeOf(() => checkCommand('a'.repeat(131_071)))).toBeUndefined();
  });
});
