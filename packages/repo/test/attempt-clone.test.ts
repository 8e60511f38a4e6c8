import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone, ObjectCache } from '@switchyard/repo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CacheBench, realSandbox } from './cache-bench.ts';
import { layFiles } from './git-hub.ts';

// Real git and real sandboxes on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const files = {
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
  'docs/d.md': 'd\n',
  'tool.sh': { run: '#!/bin/sh\n' },
};
const at = 1_700_000_000_000;

let sandbox: Sandbox;
let bench: CacheBench;
let cache: ObjectCache;
let base: CommitId;
beforeAll(async () => void (sandbox = await realSandbox()));
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new CacheBench(sandbox);
  base = bench.hub.commit(files, bench.hub.commit({ 'old.txt': 'old\n' }));
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
    expect(gitIn(clone, 'log --format=%s')).toBe('test');
    expect(gitIn(clone, 'fsck --full')).toBe('');
    expect(gitIn(clone, 'remote')).toBe('');
    layFiles(clone.tree, { 'src/a.txt': 'changed\n' });
    gitIn(clone, 'commit -q -am mine');
    const built = await build(clone);
    expect(built.files).toEqual([{ path: 'src/a.txt', change: 'modified' }]);
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
