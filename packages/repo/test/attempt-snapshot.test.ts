import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone, AttemptRequest, ObjectCache, SandboxRunRequest } from '@switchyard/repo';
import { openObjectCache } from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { baseFiles } from './attempt-cases.ts';
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
  base = bench.hub.commit(baseFiles);
  cache = await bench.open();
  await cache.fetch([base]);
});
afterEach(() => bench.close());

const prepare = (more: Partial<AttemptRequest> = {}): Promise<AttemptClone> =>
  cache.prepareAttempt({ folder: bench.folder(), base, ...more });

const wanted = (
  workspace: string[] = ['src'],
  more: { exclude?: string[]; workspaceOnly?: boolean } = {},
) => ({
  base,
  workspace,
  exclude: [],
  message: 'work in progress\n',
  at,
  workspaceOnly: false,
  ...more,
});

const filesOf = async (commit: CommitId): Promise<Record<string, string>> => {
  const folder = bench.folder();
  await cache.checkout(commit, folder);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    names.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(folder.length + 1), readFileSync(file, 'utf8')];
    }),
  );
};

describe('a snapshot of an attempt', () => {
  it('has what it committed and what it did not, in its workspace, as a commit on the base', async () => {
    const clone = await prepare();
    expect(await clone.snapshot(wanted())).toBeUndefined();
    layFiles(clone.tree, { 'src/new.txt': 'new\n', 'docs/d.md': 'not mine' });
    execFileSync('git', ['commit', '-q', '-am', 'mine'], { cwd: clone.tree });
    execFileSync('git', ['add', '-A'], { cwd: clone.tree });
    rmSync(join(clone.tree, 'src/b.txt'));
    const taken = await clone.snapshot(wanted());
    expect(taken).toMatchObject({
      files: [
        { path: 'src/b.txt', change: 'deleted' },
        { path: 'src/new.txt', change: 'added' },
      ],
      outside: ['docs/d.md'],
    });
    if (taken === undefined) throw new Error('nothing');
    const { 'src/b.txt': _, ...rest } = { ...baseFiles, 'src/new.txt': 'new\n', 'tool.sh': '#!/bin/sh\n' };
    expect(await filesOf(taken.commit)).toEqual(rest);
    await clone.push(`refs/switchyard/uploads/r/t/1/${taken.commit}`, taken.commit);
    expect(bench.hub.git(['rev-list', '--parents', '-1', taken.commit])).toBe(`${taken.commit} ${base}`);
  });

  it('is the same commit until something changes, and leaves nothing beside the attempt', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'src/new.txt': 'new\n' });
    const first = await clone.snapshot(wanted());
    expect((await clone.snapshot({ ...wanted(), at: at + 5_000 }))?.commit).toBe(first?.commit);
    // Same size, same second as the checkout: only the time of the index tells git to look.
    layFiles(clone.tree, { 'src/new.txt': 'old\n' });
    const second = await clone.snapshot(wanted());
    expect(second?.commit).not.toBe(first?.commit);
    rmSync(join(clone.tree, 'src/new.txt'));
    expect(await clone.snapshot(wanted())).toBeUndefined();
    expect(readdirSync(join(clone.tree, '..')).sort()).toEqual([
      'git',
      'index',
      'laid.json',
      'objects',
      'tree',
    ]);
  });

  it('does not miss a change of the same size in the second of the checkout', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      const clone = await prepare();
      layFiles(clone.tree, { 'src/a.txt': 'A\n' });
      expect((await clone.snapshot(wanted()))?.files).toEqual([{ path: 'src/a.txt', change: 'modified' }]);
    }
  });

  it('does not change what the attempt hands in', async () => {
    const continueFrom = bench.hub.commit({ ...baseFiles, 'src/more': 'm' }, base);
    await cache.fetch([continueFrom]);
    const clone = await prepare({ continueFrom });
    layFiles(clone.tree, { 'src/a.txt': 'A\n' });
    await clone.snapshot(wanted());
    rmSync(join(clone.tree, 'src/more'));
    const { workspaceOnly: _, ...request } = wanted();
    expect(await clone.buildCommit(request)).toMatchObject({
      files: [{ path: 'src/a.txt', change: 'modified' }],
      outside: [],
    });
  });

  it('leaves out what cannot be kept, and scratch places', async () => {
    const clone = await prepare();
    layFiles(clone.tree, {
      'src/fine': 'f',
      'src/out': { link: '/etc/passwd' },
      'src/dist/x': 'x',
      'src/large': '',
      'src/closed/x': 'x',
    });
    truncateSync(join(clone.tree, 'src/large'), 101 * 1024 * 1024);
    execFileSync('mkfifo', [join(clone.tree, 'src/pipe')]);
    mkdirSync(join(clone.tree, 'src/nested'));
    execFileSync('git', ['init', '-q', join(clone.tree, 'src/nested')]);
    chmodSync(join(clone.tree, 'src/closed'), 0);
    const taken = await clone.snapshot(wanted(['src'], { exclude: ['**/dist'] }));
    const kept = taken?.files.map(({ path }) => path);
    expect(kept).toContain('src/fine');
    for (const path of ['src/out', 'src/dist/x', 'src/large', 'src/pipe']) expect(kept).not.toContain(path);
    chmodSync(join(clone.tree, 'src/closed'), 0o755);
  });

  it('holds while the attempt writes, renames and deletes', async () => {
    const clone = await prepare();
    const busy = sandbox.run({
      argv: [
        'sh',
        '-c',
        'i=0; while [ ! -e src/stop ]; do i=$((i+1)); mkdir -p src/d; echo $i > src/d/x; mv src/d src/e; ln -s ../docs src/d; rm -r src/e src/d; mkfifo src/p; rm src/p; done',
      ],
      cwd: clone.tree,
      mounts: [
        { kind: 'read', source: clone.tree },
        { kind: 'write', source: join(clone.tree, 'src') },
      ],
      env: {},
      network: 'none',
      timeoutMs: 50_000,
    });
    layFiles(clone.tree, { 'src/still.txt': 's' });
    for (let turn = 0; turn < 5; turn += 1) {
      const taken = await clone.snapshot(wanted());
      expect(taken?.files.map(({ path }) => path)).toContain('src/still.txt');
      for (const { path } of taken?.files ?? []) expect(path).toMatch(/^src\//);
    }
    layFiles(clone.tree, { 'src/stop': '' });
    expect((await busy).exitCode).toBe(0);
  });

  it('leaves out what turns into a folder just as git comes to it', async () => {
    let tree = '';
    let swapped = false;
    const swapping = await openObjectCache({
      folder: bench.folder(),
      url: await bench.hub.listen(),
      token: () => bench.hub.token,
      logger: silentLogger(),
      sandbox: (request) => {
        if (tree !== '' && request.argv.includes('--add') && !swapped) {
          swapped = true;
          rmSync(join(tree, 'src/link'));
          layFiles(tree, { 'src/link/inside.txt': 'i' });
        }
        return bench.sandbox(request);
      },
    });
    await swapping.fetch([base]);
    const clone = await swapping.prepareAttempt({ folder: bench.folder(), base });
    tree = clone.tree;
    layFiles(tree, { 'src/link': { link: '../docs' }, 'src/still.txt': 's' });
    const taken = await clone.snapshot(wanted());
    expect(taken?.files).toEqual([{ path: 'src/still.txt', change: 'added' }]);
    await swapping.close();
  });

  it('reads contents only where the attempt may', async () => {
    const asked: SandboxRunRequest[] = [];
    const watched = await openObjectCache({
      folder: bench.folder(),
      url: await bench.hub.listen(),
      token: () => bench.hub.token,
      logger: silentLogger(),
      sandbox: (request) => {
        asked.push(request);
        return bench.sandbox(request);
      },
    });
    await watched.fetch([base]);
    const clone = await watched.prepareAttempt({ folder: bench.folder(), base, readable: ['src'] });
    layFiles(clone.tree, { 'src/new.txt': 'new\n' });
    const taken = await clone.snapshot(wanted(['src', 'made/later'], { workspaceOnly: true }));
    expect(taken?.files).toEqual([{ path: 'src/new.txt', change: 'added' }]);
    const adding = asked.find(({ argv }) => argv.includes('--add'));
    expect(adding?.read).toEqual([join(clone.tree, 'src'), join(clone.tree, '..', 'git')]);
    await watched.close();
  });
});

describe('a clone that an earlier process made', () => {
  it('is found as the attempt left it, with the files that were included', async () => {
    const include = bench.hub.commit({ 'src/local.env': 'E=1', '.env': 'F=1' });
    await cache.fetch([include]);
    const folder = bench.folder();
    const { tree } = await cache.prepareAttempt({ folder, base, include });
    layFiles(tree, { 'src/a.txt': 'A\n' });
    const found = await (await bench.open()).findAttempt(folder, base);
    expect((await found?.snapshot(wanted()))?.files).toEqual([{ path: 'src/a.txt', change: 'modified' }]);
    layFiles(tree, { 'src/local.env': 'E=2' });
    expect((await found?.snapshot(wanted()))?.files.map(({ path }) => path)).toEqual([
      'src/a.txt',
      'src/local.env',
    ]);
    await found?.dispose();
  });

  it('that was not made to its end tells nothing', async () => {
    const folder = bench.folder();
    await cache.prepareAttempt({ folder, base });
    rmSync(join(folder, 'laid.json'));
    expect(await cache.findAttempt(folder, base)).toBeUndefined();
    expect(await cache.findAttempt(bench.folder(), base)).toBeUndefined();
  });
});

describe('an attempt that goes on from work in progress', () => {
  it('has the workspace as it was left, on a base that has moved on, uncommitted', async () => {
    const wip = bench.hub.commit(
      { 'src/a.txt': 'half', 'src/more/x': 'x', 'docs/d.md': 'not mine', 'tool.sh': { run: '#!/bin/sh\n' } },
      base,
    );
    const moved = bench.hub.commit({ ...baseFiles, 'docs/d.md': 'newer\n' }, base);
    await cache.fetch([moved, wip]);
    const clone = await cache.prepareAttempt({
      folder: bench.folder(),
      base: moved,
      resumeFrom: { commit: wip, workspace: ['src/', 'nowhere'] },
    });
    const status = execFileSync('git', ['status', '--porcelain', '-uall'], {
      cwd: clone.tree,
      encoding: 'utf8',
    });
    expect(status.split('\n').filter(Boolean).sort()).toEqual([
      ' D src/b.txt',
      ' M src/a.txt',
      '?? src/more/x',
    ]);
    expect(readFileSync(join(clone.tree, 'docs/d.md'), 'utf8')).toBe('newer\n');
    const taken = await clone.snapshot({ ...wanted(), base: moved });
    expect(taken?.files.map(({ change, path }) => `${change} ${path}`).sort()).toEqual([
      'added src/more/x',
      'deleted src/b.txt',
      'modified src/a.txt',
    ]);
  });
});
