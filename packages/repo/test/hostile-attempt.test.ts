import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone, ObjectCache } from '@switchyard/repo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheBench, realSandbox } from './cache-bench.ts';
import { layFiles } from './git-hub.ts';
import { attributes, Traps } from './hostile-user.ts';

// Real git and real sandboxes on a busy machine.
let sandbox: Sandbox;
let bench: CacheBench;
let cache: ObjectCache;
let base: CommitId;
let clone: AttemptClone;
let folder = '';
let traps: Traps;
beforeAll(async () => void (sandbox = await realSandbox()));
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new CacheBench(sandbox);
  base = bench.hub.commit({
    'src/a.txt': 'a\n',
    'src/b.i': 'b\n',
    'src/t.w': 'w\n',
    'docs/d.md': 'd\n',
  });
  cache = await bench.open();
  await cache.fetch([base]);
  folder = bench.folder();
  clone = await cache.prepareAttempt({ folder, base });
  // The programs lie where git in the sandbox can run them, the canaries where it can write.
  traps = new Traps({ programs: join(clone.tree, 'src/traps'), canaries: join(folder, 'objects') });
});
afterEach(() => bench.close());

/** A repository in a folder of the attempt's, everything in it a trap. */
function plant(place: string, ...options: string[]): void {
  const path = join(clone.tree, place);
  mkdirSync(path, { recursive: true });
  execFileSync('git', ['init', '-q', ...options, path]);
  traps.set(options.includes('--bare') ? path : join(path, '.git'), bench.hub.root);
}

/** All that an attempt can think of: its own git, repositories of all kinds inside, attributes, modules. */
function plantAll(): void {
  traps.set(join(clone.tree, '.git'), bench.hub.root);
  plant('src/inner');
  plant('src/bare', '--bare');
  plant('docs');
  layFiles(clone.tree, {
    '.gitattributes': attributes,
    'src/.gitattributes': attributes,
    '.gitmodules': `[submodule "evil"]\n\tpath = src/inner\n\turl = ext::${traps.laid('modules.url')}\n\tupdate = !${traps.laid('modules.update')}\n`,
    'src/file/.git': 'gitdir: ../bare\n',
    'src/linked/x': 'x',
    'src/a.txt': 'changed\n',
    'src/new.i': 'new\n',
    'src/new.w': 'new\n',
  });
  layFiles(clone.tree, { 'src/linked/.git': { link: '../bare' } });
}

const commandsOfGit = (cwd: string) =>
  bench.sandbox({
    argv: ['sh', '-c', 'git status; git add -A; git commit -m x; git checkout -f HEAD -- .; true'],
    cwd,
    read: [],
    write: [clone.tree, join(folder, 'objects')],
    env: {},
    timeoutMs: 30_000,
  });

describe('an attempt that turns everything in its tree into a trap', () => {
  it('makes one that git in the sandbox walks into', async () => {
    plantAll();
    renameSync(join(clone.tree, '.git/worktrees'), join(clone.tree, '.git/no'));
    await commandsOfGit(clone.tree);
    expect(traps.sprung).toEqual(expect.arrayContaining(['config.worktree', 'hooks.post-index-change']));
    await commandsOfGit(join(clone.tree, 'src/bare'));
    await commandsOfGit(join(clone.tree, 'docs'));
    expect(traps.sprung).toEqual(expect.arrayContaining(['filter.evil.clean', 'hooks.pre-commit']));
  });

  it('is committed, handed in, compared, checked out and removed without walking into one', async () => {
    plantAll();
    const built = await clone.buildCommit({
      base,
      workspace: ['src', '.gitattributes'],
      exclude: [],
      message: 'x',
      at: 0,
    });
    expect(traps.sprung).toEqual([]);
    expect(built.outside).toEqual([
      '.gitmodules',
      'docs/.git',
      'src/bare/worktrees',
      'src/file',
      'src/inner',
      'src/linked',
    ]);
    const commit = built.commit ?? base;
    await clone.push('refs/switchyard/attempts/r/t/1', commit);
    await cache.changedLines(base, commit);
    await cache.diff(base, commit);
    const out = join(bench.folder(), 'out');
    await cache.checkout(commit, out);
    expect(readFileSync(join(out, 'src/a.txt'), 'utf8')).toBe('changed\n');
    expect(existsSync(join(out, 'src/bare/HEAD'))).toBe(true);
    const next = await cache.prepareAttempt({ folder: bench.folder(), base: commit });
    await next.dispose();
    expect(traps.sprung).toEqual([]);
    await clone.dispose();
    expect(existsSync(folder)).toBe(false);
  });
});
