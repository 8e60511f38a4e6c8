import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
let guard: PathGuard;
const ws = (name: string): string => join(scene.workspace, name);
const text = async (path: string): Promise<string> =>
  Buffer.from(await guard.readFile(path)).toString('utf8');

beforeEach(() => {
  guard = openPathGuard({
    roots: [
      { path: scene.workspace, write: true },
      { path: scene.readable, write: false },
    ],
    denyRead: ['.env', 'secrets/**', '**/*.pem'],
  });
});
afterEach(() => guard.close());

describe('reading', () => {
  it('reads inside, also through links inside and dots', async () => {
    mkdirSync(ws('a/b'), { recursive: true });
    writeFileSync(ws('a/b/t'), 'hello');
    symlinkSync('a/b', ws('l'));
    for (const path of ['a/b/t', 'l/t', 'a/../a/./b/t', 'l/../b/t', ws('a/b/t')])
      expect(await text(path)).toBe('hello');
    expect(await text(join(scene.readable, 'r.txt'))).toBe('READABLE');
  });

  it.each([
    ['a path up', '../outside/secret.txt', 'E_OUTSIDE_WORKSPACE'],
    ['what is not there outside', '../outside/nothing', 'E_OUTSIDE_WORKSPACE'],
    ['an absolute path', '/etc/passwd', 'E_OUTSIDE_WORKSPACE'],
    ['a link out', 'out/secret.txt', 'E_OUTSIDE_WORKSPACE'],
    ['a link to nothing outside', 'dangling', 'E_OUTSIDE_WORKSPACE'],
    ['the descriptors of the daemon', '/proc/self/environ', 'E_OUTSIDE_WORKSPACE'],
    ['a cycle of links', 'cycle/x', 'E_SYMLINK_LOOP'],
    ['a pipe', 'pipe', 'E_NOT_REGULAR'],
    ['a folder', 'folder', 'E_IS_DIRECTORY'],
    ['a file as a folder', 'file/x', 'E_NOT_FOUND'],
    ['a slash behind a file', 'file/', 'E_NOT_FOUND'],
    ['a link that has a slash behind a file', 'asks-for-folder', 'E_NOT_FOUND'],
    ['out and in again behind what is not there', 'nothing/../../ws/file', 'E_OUTSIDE_WORKSPACE'],
    ['what is not there', 'nothing', 'E_NOT_FOUND'],
    ['a huge file', 'huge', 'E_TOO_LARGE'],
    ['a denied file', '.env', 'E_DENIED'],
    ['a denied file in another case', 'folder/../.ENV', 'E_DENIED'],
    ['another name of a denied file', 'second-name', 'E_DENIED'],
    ['a link to a denied file', 'to-env', 'E_DENIED'],
    ['what is in a denied folder', 'secrets/deep/x', 'E_DENIED'],
    ['a NUL byte', 'file\0', 'E_PATH_INVALID'],
    ['an invisible sign', 'fi\u200ble', 'E_PATH_INVALID'],
    ['nothing', ' ', 'E_PATH_INVALID'],
    ['a backslash', '..\\x', 'E_PATH_INVALID'],
    ['a URL', 'file:///etc/passwd', 'E_PATH_INVALID'],
    ['a home', '~/x', 'E_PATH_INVALID'],
  ])('refuses %s', async (_, path, code) => {
    symlinkSync(scene.outside, ws('out'));
    symlinkSync(join(scene.outside, 'nothing'), ws('dangling'));
    symlinkSync('cycle', ws('cycle'));
    symlinkSync('file/', ws('asks-for-folder'));
    symlinkSync('.env', ws('to-env'));
    execFileSync('mkfifo', [ws('pipe')]);
    mkdirSync(ws('folder'));
    mkdirSync(ws('secrets/deep'), { recursive: true });
    for (const name of ['file', 'huge', '.env', '.ENV', 'secrets/deep/x']) writeFileSync(ws(name), 'SECRET');
    truncateSync(ws('huge'), 20_000_000_000);
    linkSync(ws('.env'), ws('second-name'));
    const error = await guard.readFile(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'GuardError', code });
    expect((error as Error).message).not.toContain('SECRET');
  });

  it('names the roots that are allowed, and nothing of what lies outside', async () => {
    symlinkSync(join(scene.outside, 'secret.txt'), ws('l'));
    const error = await guard.readFile('l').catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      message: `File access denied: outside workspace: "l" (allowed: ${scene.workspace}, ${scene.readable})`,
    });
  });
});

describe('writing', () => {
  it('makes folders, keeps modes, and writes through a link inside', async () => {
    await guard.writeFile('new/deep/f', 'x');
    expect(readFileSync(ws('new/deep/f'), 'utf8')).toBe('x');
    writeFileSync(ws('s.sh'), 'old');
    chmodSync(ws('s.sh'), 0o755);
    symlinkSync('s.sh', ws('l'));
    await guard.writeFile('l', 'new');
    expect(readFileSync(ws('s.sh'), 'utf8')).toBe('new');
    expect(statSync(ws('s.sh')).mode & 0o777).toBe(0o755);
    expect(readdirSync(scene.workspace).sort()).toEqual(['l', 'new', 's.sh']);
  });

  it('parts a hard link to a file outside', async () => {
    linkSync(join(scene.outside, 'secret.txt'), ws('h'));
    await guard.writeFile('h', 'PWNED');
    await guard.editFile('h', (before) => `${before}!`);
    expect(readFileSync(join(scene.outside, 'secret.txt'), 'utf8')).toBe('SECRET');
    expect(await text('h')).toBe('PWNED!');
  });

  it.each([
    ['outside', '../outside/new', 'E_OUTSIDE_WORKSPACE'],
    ['through a link out', 'out/new', 'E_OUTSIDE_WORKSPACE'],
    ['through a dangling link out', 'dangling', 'E_OUTSIDE_WORKSPACE'],
    ['through a dangling link inside', 'inside', 'E_DANGLING_LINK'],
    ['in a folder that may only be read', '$RO/new', 'E_READ_ONLY'],
    ['to a folder', '.', 'E_IS_DIRECTORY'],
    ['to a folder that is not there', 'new/', 'E_IS_DIRECTORY'],
    ['to git configuration', '.git/config', 'E_PROTECTED'],
    ['to git configuration by another spelling', '.GIT./config', 'E_PROTECTED'],
    ['to a hook', 'sub/.git/hooks/pre-commit', 'E_PROTECTED'],
    ['to settings of an editor', 'sub/.vscode/tasks.json', 'E_PROTECTED'],
    ['to a denied name', 'key.pem', 'E_DENIED'],
    ['too much', 'large', 'E_TOO_LARGE'],
  ])('refuses %s', async (_, path, code) => {
    symlinkSync(scene.outside, ws('out'));
    symlinkSync(join(scene.outside, 'made'), ws('dangling'));
    symlinkSync('nothing', ws('inside'));
    const content = path === 'large' ? 'x'.repeat(9_000_000) : 'PWNED';
    const asked = path.replace('$RO', scene.readable);
    await expect(guard.writeFile(asked, content)).rejects.toMatchObject({ name: 'GuardError', code });
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
    expect(readdirSync(scene.readable)).toEqual(['r.txt']);
  });

  it('allows ordinary names that look like protected ones', async () => {
    for (const name of ['.gitignore', '.github/workflows/a.yml', 'gitignore.txt', '..a', 'a..', '...'])
      await guard.writeFile(name, 'x');
  });

  it('changes nothing when an edit fails', async () => {
    writeFileSync(ws('f'), 'old');
    const fail = (): string => {
      throw new Error('no');
    };
    await expect(guard.editFile('f', fail)).rejects.toThrow();
    expect(readdirSync(scene.workspace)).toEqual(['f']);
    expect(readFileSync(ws('f'), 'utf8')).toBe('old');
  });
});

describe('moving, removing, making', () => {
  it('does so inside', async () => {
    await guard.makeDirectory('a/b');
    await guard.writeFile('a/b/f', 'x');
    await guard.move('a/b/f', 'a/g');
    expect(await text('a/g')).toBe('x');
    await guard.remove('a');
    expect(readdirSync(scene.workspace)).toEqual([]);
  });

  it('removes a link, not what it leads to', async () => {
    symlinkSync(scene.outside, ws('out'));
    mkdirSync(ws('d'));
    symlinkSync(scene.outside, ws('d/out'));
    await guard.remove('out');
    await guard.remove('d');
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
  });

  it.each([
    ['what is outside', '../outside/secret.txt', 'x', 'E_OUTSIDE_WORKSPACE'],
    ['out', 'f', '../outside/f', 'E_OUTSIDE_WORKSPACE'],
    ['through a link out', 'f', 'out/f', 'E_OUTSIDE_WORKSPACE'],
    ['to a hook', 'f', '.git/hooks/pre-commit', 'E_PROTECTED'],
    ['git away', '.git', 'g', 'E_PROTECTED'],
    ['a denied file', '.env', 'x', 'E_DENIED'],
    ['from a folder that may only be read', '$RO/r.txt', 'x', 'E_READ_ONLY'],
    ['the root itself', '.', 'x', 'E_IS_DIRECTORY'],
  ])('refuses to move %s', async (_, from, to, code) => {
    mkdirSync(ws('.git/hooks'), { recursive: true });
    for (const name of ['f', '.env']) writeFileSync(ws(name), 'x');
    symlinkSync(scene.outside, ws('out'));
    await expect(guard.move(from.replace('$RO', scene.readable), to)).rejects.toMatchObject({ code });
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
  });

  it('does not remove a folder that holds protected files', async () => {
    mkdirSync(ws('sub/.git/hooks'), { recursive: true });
    await expect(guard.remove('sub')).rejects.toMatchObject({ code: 'E_PROTECTED' });
    expect(existsSync(ws('sub/.git/hooks'))).toBe(true);
  });
});

describe('listing and searching', () => {
  it('does not follow links and leaves out what is denied', async () => {
    mkdirSync(ws('a/secrets'), { recursive: true });
    for (const name of ['a/f', '.env', 'a/k.pem']) writeFileSync(ws(name), 'one\nneedle two\n');
    symlinkSync(scene.outside, ws('out'));
    const listed = await guard.listFiles('.', { recursive: true });
    expect(listed.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'folder a',
      'file a/f',
      'folder a/secrets',
      'link out',
    ]);
    expect(await guard.searchFiles('.', 'needle')).toEqual(['a/f:2:needle two']);
    expect(await guard.searchFiles('.', 'SECRET')).toEqual([]);
    await expect(guard.listFiles('out')).rejects.toMatchObject({ code: 'E_OUTSIDE_WORKSPACE' });
    await expect(guard.listFiles('a/f')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('refuses patterns that are wrong or explode', async () => {
    writeFileSync(ws('f'), 'a'.repeat(40));
    await expect(guard.searchFiles('.', '(')).rejects.toMatchObject({ code: 'E_BAD_PATTERN' });
    await expect(guard.searchFiles('.', '^(a+)+$b')).rejects.toMatchObject({ code: 'E_BAD_PATTERN' });
  });
});

describe('roots', () => {
  it.each(['/', '/home', '/usr/lib', '/nowhere/at/all'])('%s is no workspace', (path) => {
    expect(() => openPathGuard({ roots: [{ path, write: true }] })).toThrow(
      expect.objectContaining({ code: 'E_BAD_ROOT' }) as Error,
    );
  });

  it('notice that they were replaced', async () => {
    renameSync(scene.workspace, `${scene.workspace}.old`);
    symlinkSync(scene.outside, scene.workspace);
    await expect(guard.readFile('secret.txt')).rejects.toMatchObject({ code: 'E_WORKSPACE_MOVED' });
    await expect(guard.writeFile('x', 'x')).rejects.toMatchObject({ code: 'E_WORKSPACE_MOVED' });
  });

  it('are closed once, and then nothing is done', async () => {
    guard.close();
    guard.close();
    await expect(guard.readFile('x')).rejects.toMatchObject({ name: 'GuardError' });
  });
});
