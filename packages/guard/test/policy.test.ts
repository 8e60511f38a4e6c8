import { execFileSync } from 'node:child_process';
import {
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GuardError, openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
let guard: PathGuard;
const ws = (name: string): string => join(scene.workspace, name);
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
const openCode = (...paths: string[]): unknown => {
  try {
    openPathGuard({ roots: paths.map((path) => ({ path, write: true })) }).close();
    return 'opened';
  } catch (error) {
    return error instanceof GuardError ? error.code : error;
  }
};

beforeEach(() => {
  guard = openPathGuard({
    roots: [
      { path: scene.workspace, write: true },
      { path: scene.readable, write: false },
    ],
    denyRead: ['.env', 'secrets/**'],
  });
  mkdirSync(ws('a/b'), { recursive: true });
  mkdirSync(ws('secrets'));
  for (const name of ['f', '.env', 'a/g', 'secrets/s']) writeFileSync(ws(name), 'text');
});
afterEach(() => guard.close());

describe('what is no root', () => {
  it.each([
    'relative',
    '/',
    '/tmp',
    '/home/somebody',
    '/var/tmp',
    '/run/lock',
    '/usr/lib',
    '/etc',
    homedir(),
  ])('%s', (path) => {
    expect(openCode(path)).toBe('E_BAD_ROOT');
  });

  it('nothing, a file, a link to a system folder, and one that cannot be named by a text', () => {
    symlinkSync('/usr/lib', ws('lib'));
    expect(openCode()).toBe('E_BAD_ROOT');
    expect(openCode(ws('f'))).toBe('E_BAD_ROOT');
    expect(openCode(ws('lib'))).toBe('E_BAD_ROOT');
    expect(openCode('/dev/../proc/self/cwd')).toBe('E_BAD_ROOT');
    process.chdir(scene.workspace);
    expect(openCode('a')).toBe('E_BAD_ROOT');
  });

  it('what holds the home, wherever that is', () => {
    mkdirSync(join(scene.base, 'people/somebody/work'), { recursive: true });
    vi.stubEnv('HOME', join(scene.base, 'people/somebody'));
    expect(openCode(join(scene.base, 'people'))).toBe('E_BAD_ROOT');
    expect(openCode(join(scene.base, 'people/somebody'))).toBe('E_BAD_ROOT');
    expect(openCode(join(scene.base, 'people/somebody/work'))).toBe('opened');
    vi.unstubAllEnvs();
  });

  it('leaves no root open when another is bad', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    expect(openCode(scene.workspace, '/')).toBe('E_BAD_ROOT');
    expect(open()).toBe(before);
  });
});

describe('the door', () => {
  it('is shut on systems where files cannot be opened without a race', () => {
    for (const system of ['darwin', 'win32', 'freebsd'] as const) {
      const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue(system);
      expect(openCode(scene.workspace)).toBe('E_SANDBOX_UNAVAILABLE');
      platform.mockRestore();
    }
  });

  it('does nothing once closed, and closes no descriptor that is another by then', async () => {
    const other = openPathGuard({ roots: [{ path: scene.workspace, write: true }] });
    const number = other.rootDescriptor;
    other.close();
    expect(await codeOf(other.listFiles('.'))).toBe('E_WORKSPACE_MOVED');
    const reused = openSync(ws('f'), 'r');
    expect(reused).toBe(number);
    other.close();
    expect(fstatSync(reused).isFile()).toBe(true);
  });

  it('takes a text or bytes as the content of a file, and nothing else', async () => {
    const given: unknown[] = [1, undefined, null, {}, ['a']];
    for (const content of given)
      expect(await codeOf(guard.writeFile('n', content as string))).toBe('E_PATH_INVALID');
    expect(await codeOf(guard.writeFile('n', new Uint8Array([1])))).toBe('done');
  });

  it('lets commands work in writable folders only', async () => {
    expect(await guard.checkWorkingDirectory('a')).toBe(ws('a'));
    expect(await codeOf(guard.checkWorkingDirectory(scene.readable))).toBe('E_READ_ONLY');
    expect(await codeOf(guard.checkWorkingDirectory('f'))).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.checkWorkingDirectory('secrets'))).toBe('E_DENIED');
  });

  it('answers what the system says as a refusal', async () => {
    expect(await codeOf(guard.readFile(`${'a/'.repeat(1)}${'b'.repeat(255)}/${'c'.repeat(255)}`))).toBe(
      'E_NOT_FOUND',
    );
    const deep = Array.from({ length: 30 }, () => 'd'.repeat(130)).join('/');
    expect(await codeOf(guard.stat(deep))).toBe('E_NOT_FOUND');
  });
});

describe('every refusal', () => {
  it('has code, reason and path, shortened, and the roots only where something is outside', async () => {
    const long = `${'x'.repeat(200)}/`.repeat(3);
    const error = await guard.readFile(`../${long}`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'E_OUTSIDE_WORKSPACE',
      details: { roots: [scene.workspace, scene.readable] },
    });
    expect((error as Error).message.length).toBeLessThan(500);
    const inside = await guard.readFile('nothing').catch((thrown: unknown) => thrown);
    expect(inside).toMatchObject({ code: 'E_NOT_FOUND', details: { path: 'nothing' } });
    expect((inside as GuardError).details).not.toHaveProperty('roots');
  });
});

describe('a name of the machine', () => {
  it('is outside, whichever way leads there', async () => {
    symlinkSync('/etc', ws('etc'));
    symlinkSync('/proc/self/root', ws('root'));
    symlinkSync(`${scene.workspace}-evil`, ws('neighbour'));
    mkdirSync(`${scene.workspace}-evil`);
    writeFileSync(`${scene.workspace}-evil/f`, 'SECRET');
    for (const path of [
      '/etc/passwd',
      'etc/passwd',
      'root/etc/passwd',
      'neighbour/f',
      `${scene.workspace}-evil/f`,
      '../ws-evil/f',
      '/f',
      '..',
    ])
      expect(await codeOf(guard.readFile(path)), path).toBe('E_OUTSIDE_WORKSPACE');
  });

  it('is not reached by as many links as one likes', async () => {
    symlinkSync('f', ws('l0'));
    for (let index = 1; index <= 60; index += 1) symlinkSync(`l${index - 1}`, ws(`l${index}`));
    expect(await codeOf(guard.readFile('l39'))).toBe('done');
    expect(await codeOf(guard.readFile('l60'))).toBe('E_SYMLINK_LOOP');
  });
});

describe('what is denied', () => {
  it('is so for each operation, there or not', async () => {
    const works: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
      read: (path) => guard.readFile(path),
      write: (path) => guard.writeFile(path, 'x'),
      edit: (path) => guard.editFile(path, () => 'x'),
      insert: (path) => guard.insertContent(path, 0, 'x'),
      stat: (path) => guard.stat(path),
      search: (path) => guard.searchFiles(path, 'text'),
      move: (path) => guard.move(path, 'z'),
      give: (path) => guard.move('f', path),
      remove: (path) => guard.remove(path),
      make: (path) => guard.makeDirectory(path),
    };
    for (const [name, work] of Object.entries(works))
      for (const path of ['.env', 'secrets/s', 'secrets/none'])
        expect(await codeOf(work(path)), `${name} ${path}`).toBe('E_DENIED');
    expect(await guard.searchFiles('.', 'text')).toEqual(['a/g:1:text', 'f:1:text']);
    const listed = await guard.listFiles('.', { recursive: true });
    expect(listed.map(({ path }) => path)).toEqual(['a', 'a/b', 'a/g', 'f']);
  });

  it('by a second name in any root, and by the same number on another disk it is not', async () => {
    linkSync(ws('.env'), ws('second'));
    writeFileSync(join(scene.readable, '.env'), 'text');
    linkSync(join(scene.readable, '.env'), ws('third'));
    for (const path of ['second', 'third']) {
      expect(await codeOf(guard.readFile(path)), path).toBe('E_DENIED');
      expect(await codeOf(guard.writeFile(path, 'x')), path).toBe('E_DENIED');
      expect(await codeOf(guard.editFile(path, () => 'x')), path).toBe('E_DENIED');
      expect(guard.explain(path, 'read')).toMatchObject({ rule: 'denied' });
    }
    expect(await guard.searchFiles('.', 'text')).toEqual(['a/g:1:text', 'f:1:text']);
  });

  it('is kept from being moved with its folder, protected or not', async () => {
    mkdirSync(ws('d/deep'), { recursive: true });
    writeFileSync(ws('d/deep/.envrc'), 'x');
    expect(await codeOf(guard.move('d', 'e'))).toBe('E_PROTECTED');
    expect(await codeOf(guard.remove('d'))).toBe('E_PROTECTED');
    mkdirSync(ws('g/.git/refs'), { recursive: true });
    expect(await codeOf(guard.move('g', 'h'))).toBe('E_PROTECTED');
    expect(await codeOf(guard.remove('g/.git/refs'))).toBe('E_PROTECTED');
  });
});

it('a root goes with no folder that holds it', async () => {
  mkdirSync(ws('lib/vendor'), { recursive: true });
  const nested = openPathGuard({
    roots: [
      { path: scene.workspace, write: true },
      { path: ws('lib/vendor'), write: false },
    ],
  });
  for (const work of [nested.move('lib', 'z'), nested.remove('lib')])
    expect(await codeOf(work)).toBe('E_PROTECTED');
  nested.close();
});

describe('a file', () => {
  it('is no folder, and a pipe is no file', async () => {
    execFileSync('mkfifo', [ws('pipe')]);
    for (const path of ['f/', 'f/.', 'f/x', 'a/g/'])
      for (const work of [guard.readFile(path), guard.stat(path), guard.listFiles(path)])
        expect(await codeOf(work), path).toBe('E_NOT_FOUND');
    for (const path of ['f/', 'a/g/'])
      for (const work of [guard.move(path, 'z'), guard.remove(path)])
        expect(await codeOf(work)).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.writeFile('f/', 'x'))).toMatch(/E_NOT_FOUND|E_IS_DIRECTORY/);
    expect(await codeOf(guard.writeFile('f/x', 'x'))).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.makeDirectory('f'))).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.makeDirectory('f/x'))).toBe('E_NOT_FOUND');
    for (const work of [
      guard.readFile('pipe'),
      guard.writeFile('pipe', 'x'),
      guard.editFile('pipe', () => 'x'),
      guard.searchFiles('pipe', 'x'),
    ])
      expect(await codeOf(work)).toBe('E_NOT_REGULAR');
    expect(await codeOf(guard.writeFile('a', 'x'))).toBe('E_IS_DIRECTORY');
    expect(await codeOf(guard.move('f', 'nothing/'))).toBe('E_IS_DIRECTORY');
  });

  it('is moved and removed as the link that it is', async () => {
    writeFileSync(ws('target'), 'x');
    symlinkSync('target', ws('link'));
    symlinkSync('nowhere', ws('dangling'));
    await guard.move('link', 'moved');
    await guard.remove('moved');
    await guard.remove('dangling');
    expect(readdirSync(scene.workspace)).toContain('target');
  });

  it('has a size that can be read, written and edited', async () => {
    truncateSync(ws('f'), 9_000_000);
    expect(await codeOf(guard.readFile('f'))).toBe('E_TOO_LARGE');
    expect(guard.explain('f', 'read')).toMatchObject({ rule: 'limit' });
    expect(guard.explain('f', 'edit')).toMatchObject({ rule: 'limit' });
    expect(guard.explain('f', 'write')).toMatchObject({ allowed: true });
    expect(await codeOf(guard.writeFile('new/large', 'x'.repeat(9_000_000)))).toBe('E_TOO_LARGE');
    expect(readdirSync(scene.workspace)).not.toContain('new');
    expect(await codeOf(guard.editFile('a/g', () => 'x'.repeat(9_000_000)))).toBe('E_TOO_LARGE');
  });

  it('that is no text is not edited', async () => {
    writeFileSync(ws('f'), new Uint8Array([0xff, 0xfe, 0x41]));
    expect(await codeOf(guard.editFile('f', (text) => text))).toBe('E_NOT_REGULAR');
    expect(await codeOf(guard.insertContent('f', 0, 'x'))).toBe('E_NOT_REGULAR');
  });
});

describe('what is missing', () => {
  it('is made below what is there only', async () => {
    symlinkSync('nowhere', ws('dangling'));
    expect(await codeOf(guard.writeFile('nothing/../x', 'x'))).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.makeDirectory('nothing/../x'))).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.writeFile('dangling', 'x'))).toBe('E_DANGLING_LINK');
    expect(await codeOf(guard.writeFile('dangling/x', 'x'))).toBe('E_DANGLING_LINK');
    for (const path of ['new/', 'new/.', '.', 'a/..'])
      expect(await codeOf(guard.writeFile(path, 'x')), path).toBe('E_IS_DIRECTORY');
    expect(readdirSync(scene.workspace).sort()).toEqual(['.env', 'a', 'dangling', 'f', 'secrets']);
  });

  it('in a read root is read-only, not missing', async () => {
    for (const path of ['nothing', 'nothing/../x', 'r.txt'].map((name) => `${scene.readable}/${name}`)) {
      expect(await codeOf(guard.writeFile(path, 'x')), path).toBe('E_READ_ONLY');
      expect(await codeOf(guard.editFile(path, () => 'x')), path).toBe('E_READ_ONLY');
      expect(await codeOf(guard.makeDirectory(path)), path).toBe('E_READ_ONLY');
    }
    expect(await codeOf(guard.makeDirectory(scene.readable))).toBe('E_READ_ONLY');
  });

  it('cannot be edited, and what would refuse to make it is said first', async () => {
    expect(await codeOf(guard.editFile('nothing', () => 'x'))).toBe('E_NOT_FOUND');
    expect(await codeOf(guard.editFile('.vscode/x', () => 'x'))).toBe('E_PROTECTED');
    expect(guard.explain('.vscode/x', 'edit')).toMatchObject({ rule: 'protected' });
    expect(guard.explain('nothing', 'edit')).toMatchObject({ rule: 'not-found' });
  });
});

describe('dots and roots', () => {
  it('are neither moved nor removed', async () => {
    for (const path of [
      '.',
      '..',
      'a/..',
      'a/.',
      '/',
      scene.workspace,
      `${scene.workspace}/`,
      scene.readable,
    ]) {
      expect(['E_IS_DIRECTORY', 'E_OUTSIDE_WORKSPACE', 'E_READ_ONLY'], path).toContain(
        await codeOf(guard.remove(path)),
      );
      expect(['E_IS_DIRECTORY', 'E_OUTSIDE_WORKSPACE', 'E_READ_ONLY'], path).toContain(
        await codeOf(guard.move('f', path)),
      );
    }
    expect(readdirSync(scene.workspace)).toContain('f');
  });
});

describe('a workspace that is another now', () => {
  it('is refused whichever way is asked, also outside', async () => {
    renameSync(scene.workspace, `${scene.workspace}.old`);
    mkdirSync(scene.workspace);
    writeFileSync(ws('f'), 'other');
    for (const path of ['f', ws('f'), 'nothing', 'a/../f', '/etc/passwd'])
      expect(await codeOf(guard.readFile(path)), path).toBe('E_WORKSPACE_MOVED');
    expect(await codeOf(guard.writeFile('x', 'x'))).toBe('E_WORKSPACE_MOVED');
  });
});

describe('an explanation', () => {
  it('is what the operation would be told', async () => {
    execFileSync('mkfifo', [ws('pipe')]);
    const works = {
      read: (path: string) => guard.readFile(path),
      list: (path: string) => guard.listFiles(path),
    };
    for (const [intent, work] of Object.entries(works))
      for (const path of [
        'f',
        'a',
        'pipe',
        '.env',
        'secrets',
        'nothing',
        '../x',
        'a\u200bb',
        `${scene.readable}/r.txt`,
      ]) {
        const { allowed, code } = guard.explain(path, intent as 'read' | 'list');
        expect(allowed ? 'done' : code, `${intent} ${path}`).toBe(await codeOf(work(path)));
      }
    for (const path of [
      'f',
      'f/x',
      'a',
      'pipe',
      '.env',
      'nothing',
      '../x',
      'a/n/x',
      '.vscode/x',
      `${scene.readable}/r.txt`,
    ]) {
      const { allowed, code } = guard.explain(path, 'write');
      expect(allowed ? 'done' : code, `write ${path}`).toBe(await codeOf(guard.writeFile(path, 'x')));
    }
    for (const path of ['a/g', '.env', 'none', '../x', '.', `${scene.readable}/r.txt`, 'a', 'f/']) {
      const { allowed, code } = guard.explain(path, 'change');
      expect(allowed ? 'done' : code, `change ${path}`).toBe(await codeOf(guard.remove(path)));
    }
  });
});
