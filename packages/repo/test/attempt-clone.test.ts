import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone, ObjectCache } from '@switchyard/repo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attemptCases, baseFiles } from './attempt-cases.ts';
import { CacheBench, realSandbox } from './cache-bench.ts';
import { layFiles } from './git-hub.ts';

// Real git and real sandboxes on a busy machine.
const at = 1_700_000_000_000;

let sandbox: Sandbox;
let bench: CacheBench;
let cache: ObjectCache;
let base: CommitId;
beforeAll(async () => void (sandbox = await realSandbox()));
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new CacheBench(sandbox);
  base = bench.hub.commit(baseFiles, bench.hub.commit({ 'old.txt': 'old\n' }));
  cache = await bench.open();
  await cache.fetch([base]);
});
afterEach(() => bench.close());

const prepare = (more: { continueFrom?: CommitId; include?: CommitId } = {}): Promise<AttemptClone> =>
  cache.prepareAttempt({ folder: bench.folder(), base, ...more });

const build = (clone: AttemptClone, workspace: string[] = ['.'], exclude: string[] = []) =>
  clone.buildCommit({ base, workspace, exclude, message: 'work\n', at });

const gitIn = (clone: AttemptClone, line: string): string =>
  execFileSync('git', line.split(' '), { cwd: clone.tree, encoding: 'utf8' }).trim();

describe("an attempt's git", () => {
  it('is on a branch at the base, clean, complete in itself, and its own', async () => {
    const clone = await prepare();
    expect(gitIn(clone, 'status --porcelain --branch')).toBe('## attempt');
    expect(gitIn(clone, 'rev-parse HEAD')).toBe(base);
    expect(gitIn(clone, 'log --format=%H -- src')).toBe(base);
    expect(gitIn(clone, 'rev-list --count HEAD')).toBe('2');
    expect(gitIn(clone, 'fsck --full')).toBe('');
    expect(gitIn(clone, 'remote')).toBe('');
    layFiles(clone.tree, { 'src/a.txt': 'changed\n' });
    gitIn(clone, 'commit -q -am mine');
    const built = await build(clone);
    expect(built.files).toEqual([{ path: 'src/a.txt', change: 'modified' }]);
  });
});

describe('the git of an attempt that may not read everything', () => {
  it('holds nothing else, is clean, and changes nothing for the commit', async () => {
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base, readable: ['src', 'tool.sh'] });
    expect(gitIn(clone, 'ls-tree -r --name-only HEAD').split('\n')).toEqual([
      'src/a.txt',
      'src/b.txt',
      'tool.sh',
    ]);
    const objects = gitIn(clone, 'cat-file --batch-all-objects --batch-check=%(objecttype)').split('\n');
    expect(objects.filter((type) => type === 'blob')).toHaveLength(3);
    rmSync(join(clone.tree, 'docs'), { recursive: true });
    expect(gitIn(clone, 'status --porcelain')).toBe('');
    layFiles(clone.tree, { 'docs/d.md': 'd\n', 'src/a.txt': 'A\n' });
    expect(await build(clone, ['src'])).toMatchObject({
      files: [{ path: 'src/a.txt', change: 'modified' }],
      outside: [],
    });
  });
});

describe('a built commit', () => {
  it('has the files of the tree, the base as its only parent, and can be pushed and checked out', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'src/new.txt': 'new\n', 'src/a.txt': 'A\n' });
    rmSync(join(clone.tree, 'src/b.txt'));
    const { commit, files: changed, outside } = await build(clone, ['src']);
    expect({ changed, outside }).toEqual({
      changed: [
        { path: 'src/a.txt', change: 'modified' },
        { path: 'src/b.txt', change: 'deleted' },
        { path: 'src/new.txt', change: 'added' },
      ],
      outside: [],
    });
    const ref = 'refs/switchyard/attempts/r/t/1';
    await clone.push(ref, commit as CommitId);
    await clone.push(ref, commit as CommitId);
    expect(bench.hub.git(['rev-parse', ref])).toBe(commit);
    expect(bench.hub.git(['log', '-1', '--format=%P|%an|%ae|%cn|%at|%ct|%B', ref])).toBe(
      `${base}|Switchyard|switchyard@localhost|Switchyard|1700000000|1700000000|work\n`,
    );
    const folder = bench.folder();
    await cache.checkout(commit as CommitId, folder);
    expect(readFileSync(join(folder, 'src/new.txt'), 'utf8')).toBe('new\n');
    await clone.dispose();
    await clone.dispose();
    expect(existsSync(clone.tree)).toBe(false);
  });
});

describe('an attempt with', () => {
  it.each(Object.entries(attemptCases))(
    '%s',
    async (_, { does, workspace, exclude, changed = [], outside = [] }) => {
      const clone = await prepare();
      does(clone.tree);
      const built = await build(clone, workspace, exclude);
      expect({
        changed: built.files.map(({ path, change }) => `${change} ${path}`),
        outside: built.outside,
      }).toEqual({ changed, outside });
      expect(built.commit === undefined).toBe(changed.length === 0);
      if (built.commit === undefined) return;
      await clone.push('refs/switchyard/attempts/r/t/1', built.commit);
      expect(bench.hub.git(['fsck', '--strict', built.commit])).toBe('');
      await clone.dispose();
      expect(existsSync(clone.tree)).toBe(false);
    },
  );

  it('a change in the second of the checkout, to the same size, is found in the next second', async () => {
    const untilNextSecond = (): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
    await untilNextSecond();
    const clone = await prepare();
    layFiles(clone.tree, { 'src/a.txt': 'A\n', 'src/b.txt': 'B\n' });
    rmSync(join(clone.tree, 'tool.sh'));
    await untilNextSecond();
    const built = await build(clone);
    expect(built.files.map(({ path }) => path)).toEqual(['src/a.txt', 'src/b.txt', 'tool.sh']);
  });

  it('a file that is too large fails with its name', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'src/huge.bin': '', 'scratch/huge.bin': '' });
    for (const path of ['src/huge.bin', 'scratch/huge.bin'])
      truncateSync(join(clone.tree, path), 100 * 1024 * 1024 + 1);
    await expect(build(clone, ['src'], ['scratch'])).rejects.toMatchObject({
      code: 'E_TOO_LARGE',
      message: expect.stringContaining('src/huge.bin') as string,
    });
  });

  it('a path that is too long for a checkout fails with its beginning, and not where it is scratch', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'src/new.txt': 'new\n' });
    for (const [place, depth, file] of [
      ['scratch', 30, 'f'],
      ['src/deeper', 30, 'f'],
      ['src/deep', 19, 'f'.repeat(250)],
    ] as const) {
      const script =
        'mkdir "$1" && cd "$1" && i=0; while [ $i -lt $2 ]; do mkdir $4 && cd -P $4; i=$((i+1)); done; : > $3';
      execFileSync('bash', ['-ec', script, 'sh', place, String(depth), file, 'd'.repeat(200)], {
        cwd: clone.tree,
      });
      const built = build(clone, ['src'], ['scratch']);
      if (place === 'scratch')
        await expect(built).resolves.toMatchObject({ files: [{ path: 'src/new.txt' }] });
      else
        await expect(built).rejects.toMatchObject({
          code: 'E_PATH_INVALID',
          message: expect.stringContaining(`${place}/ddd`) as string,
        });
      execFileSync('rm', ['-r', place], { cwd: clone.tree });
    }
  });

  it('hostile attributes is committed byte for byte', async () => {
    const clone = await prepare();
    attemptCases['hostile attributes']?.does(clone.tree);
    const { commit } = await build(clone);
    const content = await cache.readFile(commit as CommitId, 'src/a.txt');
    expect(Buffer.from(content).toString()).toBe('a\r\n$Id: x$\r\n');
  });

  it('folders that nobody may read leaves nothing behind', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'closed/in/x': 'x' });
    chmodSync(join(clone.tree, 'closed/in'), 0);
    await clone.dispose();
    expect(existsSync(clone.tree)).toBe(false);
  });

  it('paths deeper than the system takes leaves nothing behind', async () => {
    const clone = await prepare();
    const script = 'cd "$1"; for i in $(seq 60); do mkdir $2 && cd $2 || exit 1; done; echo x > x';
    execFileSync('bash', ['-c', script, 'bash', clone.tree, 'd'.repeat(200)]);
    await clone.dispose();
    expect(existsSync(clone.tree)).toBe(false);
  });
});

describe('included files', () => {
  let include: CommitId;
  beforeEach(async () => {
    include = bench.hub.commit({
      '.env.test': 'E=1\n',
      'src/local.json': '{}',
      'src/a.txt': 'not this',
      'tool.sh/x': 'x',
    });
    await cache.fetch([include]);
  });

  it('lie in the tree where the base has none, unseen by git, and are not committed', async () => {
    const clone = await prepare({ include });
    expect(gitIn(clone, 'status --porcelain')).toBe('');
    expect(readFileSync(join(clone.tree, '.env.test'), 'utf8')).toBe('E=1\n');
    expect(readFileSync(join(clone.tree, 'src/a.txt'), 'utf8')).toBe('a\n');
    layFiles(clone.tree, { 'src/new': 'x' });
    const built = await build(clone, ['src']);
    expect(built).toMatchObject({ files: [{ path: 'src/new', change: 'added' }], outside: [] });
  });

  it('are committed when the attempt changed them in its workspace, and a violation elsewhere', async () => {
    const clone = await prepare({ include });
    layFiles(clone.tree, { 'src/local.json': '{"a":1}', '.env.test': 'E=2\n' });
    const built = await build(clone, ['src']);
    expect(built).toMatchObject({
      files: [{ path: 'src/local.json', change: 'added' }],
      outside: ['.env.test'],
    });
  });

  it('may be deleted by the attempt', async () => {
    const clone = await prepare({ include });
    rmSync(join(clone.tree, '.env.test'));
    expect(await build(clone, ['src'])).toMatchObject({ files: [], outside: [] });
  });
});

describe('going on from an earlier attempt', () => {
  it('has its files uncommitted on the base, and commits both rounds as one', async () => {
    const first = bench.hub.commit({ ...baseFiles, 'src/a.txt': 'first\n', 'src/draft': 'd' }, base);
    await cache.fetch([first]);
    const clone = await prepare({ continueFrom: first });
    expect(gitIn(clone, 'status --porcelain')).toBe('M src/a.txt\n?? src/draft');
    layFiles(clone.tree, { 'src/second': 's' });
    const built = await build(clone, ['src']);
    expect(built.files.map(({ path }) => path)).toEqual(['src/a.txt', 'src/draft', 'src/second']);
    expect(built.outside).toEqual([]);
  });

  it('may change again, or take back, what the earlier attempt changed', async () => {
    const first = bench.hub.commit({ ...baseFiles, 'src/a.txt': 'first\n', 'src/draft': 'd' }, base);
    await cache.fetch([first]);
    const clone = await prepare({ continueFrom: first });
    layFiles(clone.tree, { 'src/a.txt': 'second, longer\n' });
    rmSync(join(clone.tree, 'src/draft'));
    const built = await build(clone, ['src']);
    expect(built).toMatchObject({ files: [{ path: 'src/a.txt', change: 'modified' }], outside: [] });
  });

  it('keeps what others brought into the base meanwhile', async () => {
    const first = bench.hub.commit({ ...baseFiles, 'src/a.txt': 'first\n' }, base);
    const later = bench.hub.commit({ ...baseFiles, 'docs/d.md': 'theirs\n', 'docs/new': 'n' }, base);
    await cache.fetch([first, later]);
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base: later, continueFrom: first });
    expect(readFileSync(join(clone.tree, 'docs/d.md'), 'utf8')).toBe('theirs\n');
    const built = await clone.buildCommit({ base: later, workspace: ['src'], exclude: [], message: 'm', at });
    expect(built).toMatchObject({ files: [{ path: 'src/a.txt', change: 'modified' }], outside: [] });
  });

  it('shows both sides where both changed the same lines', async () => {
    const first = bench.hub.commit({ ...baseFiles, 'src/a.txt': 'mine\n' }, base);
    const later = bench.hub.commit({ ...baseFiles, 'src/a.txt': 'theirs\n' }, base);
    await cache.fetch([first, later]);
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base: later, continueFrom: first });
    expect(readFileSync(join(clone.tree, 'src/a.txt'), 'utf8')).toMatch(
      /<<<<<<<[^]*theirs[^]*mine[^]*>>>>>>>/,
    );
  });
});

describe('a repository of SHA-256 names', () => {
  it('is worked with like any other', async () => {
    const other = new CacheBench(sandbox, 'sha256');
    try {
      const start = other.hub.commit(baseFiles);
      const objects = await other.open();
      await objects.fetch([start]);
      const clone = await objects.prepareAttempt({ folder: other.folder(), base: start });
      expect(gitIn(clone, 'status --porcelain --branch')).toBe('## attempt');
      layFiles(clone.tree, { 'src/new': 'x' });
      rmSync(join(clone.tree, 'tool.sh'));
      const { commit } = await clone.buildCommit({
        base: start,
        workspace: ['.'],
        exclude: [],
        message: 'm',
        at,
      });
      await clone.push('refs/switchyard/attempts/r/t/1', commit as CommitId);
      expect(commit).toHaveLength(64);
      expect(other.hub.git(['diff', '--name-status', start, commit ?? ''])).toBe('A\tsrc/new\nD\ttool.sh');
    } finally {
      await other.close();
    }
  });
});
