/** What the operating system is told when a file is read and replaced: defences that show only when something goes wrong. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

type Call = readonly [name: string, ...args: unknown[]];
const told = vi.hoisted(() => ({
  calls: [] as Call[],
  before: undefined as ((call: Call) => void) | undefined,
  changed: undefined as ((call: Call, answer: unknown) => unknown) | undefined,
}));

vi.mock('node:fs', async (original) => {
  const real = await original<Record<string, unknown>>();
  const watched = Object.entries(real).map(([name, work]) => {
    if (!name.endsWith('Sync') || typeof work !== 'function') return [name, work];
    const telling = (...args: unknown[]): unknown => {
      told.calls.push([name, ...args]);
      const { before } = told;
      told.before = undefined;
      try {
        before?.([name, ...args]);
      } finally {
        told.before = before;
      }
      const answer: unknown = Reflect.apply(work, undefined, args);
      return told.changed === undefined ? answer : told.changed([name, ...args], answer);
    };
    return [name, telling];
  });
  return Object.fromEntries(watched);
});

const { O_CREAT, O_EXCL, O_NONBLOCK, O_NOFOLLOW, O_DIRECTORY } = fs.constants;
const scene = useScene();
let guard: PathGuard;
const ws = (name: string): string => join(scene.workspace, name);
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

beforeEach(() => {
  guard = openPathGuard({ roots: [{ path: scene.workspace, write: true }] });
  fs.writeFileSync(ws('f'), 'old', { mode: 0o640 });
  told.calls.length = 0;
});
afterEach(() => {
  told.before = undefined;
  told.changed = undefined;
  guard.close();
});

/** Opens that make a file: path, flags and mode. */
const making = () =>
  told.calls.filter(
    ([name, , flags]) => name === 'openSync' && typeof flags === 'number' && (flags & O_CREAT) !== 0,
  );

describe('a file is replaced', () => {
  it('by one that nobody else can have made, under a name that nobody can guess', async () => {
    for (const name of ['f', 'f', 'new']) await guard.writeFile(name, 'x');
    expect(making()).toHaveLength(3);
    for (const [, path, flags] of making()) {
      expect(String(path)).toMatch(/^\/proc\/(?:self|\d+)\/fd\/\d+\/\.switchyard-[0-9a-f]{24}$/);
      expect(Number(flags) & O_EXCL).toBe(O_EXCL);
    }
    expect(new Set(making().map(([, path]) => path)).size).toBe(3);
  });

  it('by one that only its owner can read until it has its mode', async () => {
    await guard.writeFile('f', 'x');
    expect(making().map(([, , , mode]) => mode)).toEqual([0o600]);
    expect(fs.statSync(ws('f')).mode & 0o777).toBe(0o640);
  });

  it('without set-uid bits, and with its owner', async () => {
    fs.chmodSync(ws('f'), 0o4755);
    if (process.getuid?.() === 0) fs.chownSync(ws('f'), 12, 34);
    fs.chmodSync(ws('f'), 0o4755);
    await guard.writeFile('f', 'x');
    const { mode, uid, gid } = fs.statSync(ws('f'));
    expect(mode & 0o7777).toBe(0o755);
    if (process.getuid?.() === 0) expect([uid, gid]).toEqual([12, 34]);
  });

  it('or stays, and nothing else does, whatever goes wrong on the way', async () => {
    for (const step of ['writeFileSync', 'fchmodSync', 'renameSync']) {
      told.before = ([name]) => {
        if (name === step) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      };
      expect(await codeOf(guard.writeFile('f', 'x'))).toBe('E_IO');
      expect(fs.readdirSync(scene.workspace)).toEqual(['f']);
      expect(fs.readFileSync(ws('f'), 'utf8')).toBe('old');
    }
  });
});

describe('a folder is made', () => {
  it('one name at a time, and what stands there by then has to be a folder', async () => {
    await guard.writeFile('a/b/f', 'x');
    const steps = told.calls.filter(([name, path]) => name === 'openSync' && /\/(?:a|b)$/.test(String(path)));
    const entered = steps.filter(([, , flags]) => (Number(flags) & O_DIRECTORY) !== 0);
    expect(entered).toHaveLength(2);
    for (const [, , flags] of entered) expect(Number(flags) & O_NOFOLLOW).toBe(O_NOFOLLOW);
  });
});

describe('a change of a tree that changes', () => {
  it('is begun again, eight times at most', async () => {
    let count = 0;
    told.before = ([name]) => {
      if (name !== 'renameSync') return;
      count += 1;
      throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    };
    expect(await codeOf(guard.writeFile('f', 'x'))).toBe('E_NOT_FOUND');
    expect(count).toBe(8);
    told.before = ([name]) => {
      if (name === 'renameSync' && ++count === 9) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    };
    expect(await codeOf(guard.writeFile('f', 'x'))).toBe('done');
  });
});

describe('a file is read', () => {
  it('without waiting for what took its place', async () => {
    await guard.readFile('f');
    const opened = told.calls.filter(
      ([name, path]) => name === 'openSync' && /\/fd\/\d+$/.test(String(path)),
    );
    expect(opened.some(([, , flags]) => (Number(flags) & O_NONBLOCK) !== 0)).toBe(true);
  });

  it('to its end when it has grown meanwhile, and not further than may be', async () => {
    const grow = (bytes: number): void => {
      let isGrown = false;
      told.before = ([name]) => {
        if (name !== 'readSync' || isGrown) return;
        isGrown = true;
        fs.appendFileSync(ws('f'), 'x'.repeat(bytes));
      };
    };
    grow(100_000);
    expect((await guard.readFile('f')).length).toBe(100_003);
    grow(9_000_000);
    expect(await codeOf(guard.readFile('f'))).toBe('E_TOO_LARGE');
  });
});

describe('a folder is removed', () => {
  it('but not what came into it after it was looked through', async () => {
    fs.mkdirSync(ws('d'));
    fs.writeFileSync(ws('d/x'), 'x');
    let looks = 0;
    told.before = ([name]) => {
      if (name === 'readdirSync' && ++looks === 2) fs.writeFileSync(ws('d/.envrc'), 'x');
    };
    expect(await codeOf(guard.remove('d'))).toBe('E_PROTECTED');
    expect(fs.existsSync(ws('d/.envrc'))).toBe(true);
  });
});

describe('a folder that was moved out of the workspace in the middle of a way', () => {
  const moveOut = (): void => fs.renameSync(ws('d/sub'), join(scene.outside, 'sub'));

  it('leads nowhere: what is beside it there is not told', async () => {
    fs.symlinkSync('loop', join(scene.outside, 'loop'));
    const answers = new Set<unknown>();
    for (let at = 1; at < 40; at += 1) {
      fs.rmSync(join(scene.outside, 'sub'), { recursive: true, force: true });
      fs.mkdirSync(ws('d/sub'), { recursive: true });
      let count = 0;
      told.before = () => {
        if (++count === at) moveOut();
      };
      answers.add(await codeOf(guard.readFile('d/sub/../loop')));
      told.before = undefined;
    }
    expect(answers).toEqual(new Set(['E_NOT_FOUND', 'E_OUTSIDE_WORKSPACE']));
  });

  it('is outside, also where the name of the place begins like that of the workspace', async () => {
    fs.mkdirSync(ws('d/sub'), { recursive: true });
    fs.writeFileSync(ws('d/sub/f'), 'text');
    fs.symlinkSync('d', ws('l'));
    told.before = ([name, path]) => {
      if (name === 'openSync' && /\/fd\/\d+\/f$/.test(String(path)) && fs.existsSync(ws('d/sub')))
        fs.renameSync(ws('d/sub'), `${scene.workspace}-evil`);
    };
    expect(await codeOf(guard.readFile('l/sub/f'))).toBe('E_OUTSIDE_WORKSPACE');
  });

  it('is outside, before anything that the system says of what is in it', async () => {
    fs.mkdirSync(ws('d/sub'), { recursive: true });
    fs.symlinkSync('d', ws('l'));
    told.before = ([name, path]) => {
      if (name !== 'openSync' || !/\/fd\/\d+\/closed$/.test(String(path))) return;
      if (fs.existsSync(ws('d/sub'))) moveOut();
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    expect(await codeOf(guard.readFile('l/sub/closed'))).toBe('E_OUTSIDE_WORKSPACE');
  });
});

it('a denied file that is removed while it is opened is denied all the same', async () => {
  const careful = openPathGuard({ roots: [{ path: scene.workspace, write: true }], denyRead: ['.env'] });
  for (let at = 2; at < 40; at += 1) {
    fs.writeFileSync(ws('.env'), 'SECRET');
    let count = 0;
    told.before = () => {
      if (++count === at >> 1) fs.rmSync(ws('.env'));
    };
    expect(await codeOf(careful.readFile(at % 2 === 0 ? '.env' : './.env')), `before call ${at >> 1}`).toBe(
      'E_DENIED',
    );
    told.before = undefined;
  }
  careful.close();
});

it('a list ends at a hundred thousand entries', async () => {
  told.changed = ([name], answer) =>
    name === 'readdirSync' ? Array.from({ length: 100_001 }, () => 'f') : answer;
  expect(await guard.listFiles('.')).toHaveLength(100_000);
});

it('a folder that may not be read, and an entry that is gone, are passed over', async () => {
  fs.mkdirSync(ws('d'));
  for (const name of ['d/x', 'g']) fs.writeFileSync(ws(name), 'old');
  const refuse = (wanted: string, path: RegExp, code: string): void => {
    told.before = ([name, where]) => {
      if (name === wanted && path.test(String(where))) throw Object.assign(new Error(code), { code });
    };
  };
  const listed = async (): Promise<string[]> =>
    (await guard.listFiles('.', { recursive: true })).map(({ path }) => path);
  refuse('openSync', /\/f$/, 'ENOENT');
  expect(await listed()).toEqual(['d', 'd/x', 'g']);
  let looks = 0;
  told.before = ([name]) => {
    if (name === 'readdirSync' && ++looks === 2) throw Object.assign(new Error('no'), { code: 'EACCES' });
  };
  expect(await listed()).toEqual(['d', 'f', 'g']);
});

it('what is made in a folder that got a protected name meanwhile is made again where it was asked for', async () => {
  for (const work of [() => guard.writeFile('d/x/f', 'text'), () => guard.makeDirectory('d/x/f')]) {
    for (const name of ['d', '.claude']) fs.rmSync(ws(name), { recursive: true, force: true });
    fs.mkdirSync(ws('d'));
    told.before = ([name, path]) => {
      if (name === 'mkdirSync' && String(path).endsWith('/x') && !fs.existsSync(ws('.claude')))
        fs.renameSync(ws('d'), ws('.claude'));
    };
    expect(await codeOf(work())).toBe('done');
    told.before = undefined;
    expect(fs.existsSync(ws('d/x/f'))).toBe(true);
    expect(fs.statSync(ws('.claude/x/f'), { throwIfNoEntry: false })?.isFile()).not.toBe(true);
  }
});

it.each([
  ['EACCES', 'E_ACCESS'],
  ['EPERM', 'E_ACCESS'],
  ['EROFS', 'E_ACCESS'],
  ['ELOOP', 'E_SYMLINK_LOOP'],
  ['ENXIO', 'E_NOT_REGULAR'],
  ['ENODEV', 'E_NOT_REGULAR'],
  ['ENAMETOOLONG', 'E_PATH_INVALID'],
  ['EIO', 'E_IO'],
])('what the system says is told by a code: %s is %s', async (said, code) => {
  told.before = ([name, path]) => {
    if (name === 'openSync' && String(path).endsWith('/f'))
      throw Object.assign(new Error(said), { code: said });
  };
  expect(await codeOf(guard.readFile('f'))).toBe(code);
});
