import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  compareSnapshots,
  findAttemptViolations,
  findSuspicious,
  findViolations,
  Snapshot,
  takeSnapshot,
} from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);
const put = (name: string, content = 'x'): void => {
  mkdirSync(dirname(ws(name)), { recursive: true });
  writeFileSync(ws(name), content);
};
const snapshot = () => takeSnapshot(scene.workspace);
const changes = async (work: () => void): Promise<string[]> => {
  const before = await snapshot();
  work();
  return compareSnapshots(before, await snapshot()).map(({ change, path }) => `${change} ${path}`);
};
const suspicious = async (): Promise<string[]> =>
  findSuspicious(await snapshot(), { readable: [scene.readable] }).map(({ kind, path }) => `${kind} ${path}`);

describe('a change', () => {
  it('of the mode of a folder and of a file', async () => {
    put('d/f');
    expect(
      await changes(() => {
        chmodSync(ws('d'), 0o700);
        chmodSync(ws('d/f'), 0o711);
      }),
    ).toEqual(['mode-changed d', 'mode-changed d/f']);
  });

  it('of what a link leads to, and of a file into a link', async () => {
    put('f');
    put('g');
    symlinkSync('f', ws('l'));
    const seen = await changes(() => {
      rmSync(ws('l'));
      symlinkSync('g', ws('l'));
      rmSync(ws('g'));
      mkdirSync(ws('g'));
    });
    expect(seen).toEqual(['changed g', 'changed l']);
  });

  it('of a file that another took the place of, as large and as old', async () => {
    for (const name of ['f', 'g']) {
      put(name);
      utimesSync(ws(name), 1000, 1000);
    }
    expect(await changes(() => renameSync(ws('g'), ws('f')))).toEqual(['changed f', 'removed g']);
  });

  it('of the content, by size, by time, and by the time that nobody can set', async () => {
    for (const name of ['size', 'time', 'quiet']) put(name, 'old');
    const { atime, mtime } = statSync(ws('quiet'));
    const seen = await changes(() => {
      writeFileSync(ws('size'), 'longer');
      utimesSync(ws('time'), 1000, 1000);
      writeFileSync(ws('quiet'), 'new');
      utimesSync(ws('quiet'), atime, mtime);
    });
    expect(seen).toEqual(['changed quiet', 'changed size', 'changed time']);
  });

  it('is not that a folder was read, or nothing', async () => {
    put('d/f');
    expect(await changes(() => undefined)).toEqual([]);
  });

  it('is that a file got a second name: behind that, other content of the same size would be hidden', async () => {
    put('d/f');
    const { atime, mtime } = statSync(ws('d/f'));
    const hidden = await changes(() => {
      linkSync(ws('d/f'), ws('second'));
      writeFileSync(ws('d/f'), 'x'.repeat(statSync(ws('d/f')).size));
      utimesSync(ws('d/f'), atime, mtime);
    });
    expect(hidden).toEqual(['changed d/f', 'created second']);
  });

  it('is compared by facts alone: a pure answer, whatever the snapshot came from', () => {
    const was = {
      kind: 'f',
      mode: '644',
      links: 1,
      inode: 7,
      size: 3,
      modified: '1.5',
      changed: '2.5',
      target: '',
    };
    const snapshotOf = (entry: typeof was): Snapshot => {
      const { kind, mode, links, inode, size, modified, changed, target } = entry;
      const facts = [kind, mode, links, inode, size, modified, changed].join(' ');
      return new Snapshot('/tree', Buffer.from(`${facts}\0./f\0${target}\0`));
    };
    const kindOf = (more: Partial<typeof was>, before = was): string | undefined =>
      compareSnapshots(snapshotOf(before), snapshotOf({ ...before, ...more }))[0]?.change;
    expect(kindOf({ size: 9 })).toBe('changed');
    expect(kindOf({ target: 'elsewhere' }, { ...was, kind: 'l' })).toBe('changed');
    expect(kindOf({ modified: '9' })).toBe('changed');
    expect(kindOf({ inode: 9 })).toBe('changed');
    expect(kindOf({ kind: 's' })).toBe('changed');
    expect(kindOf({ mode: '777' })).toBe('mode-changed');
    expect(kindOf({ changed: '9' })).toBe('changed');
    expect(kindOf({ changed: '9', links: 2 })).toBe('changed');
  });
});

describe('suspicious is', () => {
  it('a link that leads out by others, by many or by none that is there', async () => {
    put('f');
    symlinkSync('..', ws('up'));
    symlinkSync('up/outside', ws('by-up'));
    symlinkSync('f', ws('fine'));
    symlinkSync(join(scene.readable, 'r.txt'), ws('readable'));
    symlinkSync('cycle', ws('cycle'));
    expect((await suspicious()).sort()).toEqual([
      'symlink-escape by-up',
      'symlink-escape cycle',
      'symlink-escape up',
    ]);
  });

  it('a link that seems to stay inside, behind one that does not', async () => {
    mkdirSync(ws('a/b'), { recursive: true });
    symlinkSync('a/b', ws('deep'));
    symlinkSync('deep/../../../outside', ws('through'));
    symlinkSync('deep/../f', ws('inside'));
    expect(await suspicious()).toEqual(['symlink-escape through']);
  });

  it('a repository, by any name, as file or folder, bare, borrowed, or the root itself', async () => {
    put('sub/.git', 'gitdir: elsewhere');
    put('other/.GIT', 'gitdir: elsewhere');
    put('short/git~1/x');
    for (const name of ['bare/HEAD', 'bare/objects/x', 'bare/refs/x', 'borrowed/HEAD', 'borrowed/commondir'])
      put(name);
    put('half/HEAD');
    put('half/refs/x');
    expect((await suspicious()).sort()).toEqual([
      'git-dir bare',
      'git-dir borrowed',
      'git-dir other/.GIT',
      'git-dir short/git~1',
      'git-dir sub/.git',
    ]);
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(name);
    expect(await suspicious()).toContain('git-dir .');
  });

  it('only what was not so before', async () => {
    symlinkSync(scene.outside, ws('old'));
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(name);
    const before = await snapshot();
    symlinkSync(scene.outside, ws('new'));
    expect(findViolations(before, await snapshot())).toEqual([{ kind: 'symlink-escape', path: 'new' }]);
  });
});

describe('an attempt', () => {
  it('may make folders on the way to its workspace, and change none of them', async () => {
    put('src/other');
    const before = await snapshot();
    put('src/new/deep/f');
    put('src/new/beside');
    writeFileSync(ws('src/other'), 'changed');
    chmodSync(ws('src'), 0o700);
    const events = findAttemptViolations(before, await snapshot(), { workspace: ['src/new/deep'] });
    expect(events.map(({ path }) => path)).toEqual(['src', 'src/new/beside', 'src/other']);
  });

  it('may not make a file where a folder leads to its workspace', async () => {
    const before = await snapshot();
    put('src');
    const events = findAttemptViolations(before, await snapshot(), { workspace: ['src/deep'] });
    expect(events).toEqual([{ kind: 'outside-workspace', path: 'src' }]);
  });

  it('has changed a folder that was there, though it is told twice', () => {
    const tree = (...modes: string[]): Snapshot =>
      new Snapshot('/tree', Buffer.from(modes.map((mode) => `d ${mode} 2 7 0 1 1\0./src\0\0`).join('')));
    const found = (after: Snapshot) => findAttemptViolations(tree('755'), after, { workspace: ['src/deep'] });
    expect(found(tree('755'))).toEqual([]);
    for (const after of [tree('755', '700'), tree('700', '755')])
      expect(found(after)).toContainEqual({ kind: 'outside-workspace', path: 'src' });
  });

  it('does not answer for what is thrown away', async () => {
    const before = await snapshot();
    symlinkSync(scene.outside, ws('cache'));
    put('w/f');
    linkSync(ws('w/f'), ws('w/g'));
    const policy = { workspace: ['w'], isDiscarded: (path: string) => path === 'cache' };
    expect(findAttemptViolations(before, await snapshot(), policy)).toEqual([]);
  });
});

describe('a snapshot', () => {
  it('leaves out what it is told to letter for letter, not by a pattern', async () => {
    for (const name of ['a*/x', 'ab/x', 'q?/x', 'qq/x', 'b\\/x']) put(name);
    const { entries } = await takeSnapshot(scene.workspace, { exclude: ['a*', 'q?', 'b\\'] });
    expect([...entries.keys()].sort()).toEqual(['ab', 'ab/x', 'qq', 'qq/x']);
  });

  it('that is ended before it has seen all is taken anew, and is none when that is ended as well', async () => {
    // A tree that takes a while: the process that lists it is there when it is killed.
    const outcome = async (kills: number): Promise<unknown> => {
      let left = kills;
      const killing = setInterval(() => {
        for (const pid of ownFinds().slice(0, left)) left -= Number(isKilled(pid));
      }, 1);
      const taken = await takeSnapshot('/usr').catch((error: unknown) => error);
      clearInterval(killing);
      expect(left).toBeLessThanOrEqual(kills === 1 ? 0 : kills - 2);
      return taken instanceof Snapshot ? taken.entries.has('bin/env') : taken;
    };
    expect(await outcome(1)).toBe(true);
    const message = 'find was ended by SIGKILL: look again';
    expect(await outcome(Number.MAX_SAFE_INTEGER)).toMatchObject({ code: 'E_IO', message });
  });
});

/** False: it has ended since it was seen. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

/** Those that this process started itself, or a shell of it did. */
function ownFinds(): number[] {
  const isOwn = (pid: string): boolean => {
    try {
      const parent = parentOf(pid);
      const isBelow = parent === process.pid || parentOf(String(parent)) === process.pid;
      return isBelow && readlinkSync(`/proc/${pid}/exe`).endsWith('/find');
    } catch {
      return false; // no process, not ours, or ended
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOwn(name))
    .map(Number);
}

function parentOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
