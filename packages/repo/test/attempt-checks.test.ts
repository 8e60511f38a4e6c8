import { existsSync, lstatSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
let repository: RunRepository;
let base: CommitId;
beforeEach(async () => {
  user = new UserCheckout();
  user.commit({ 'a/f': '1\n2\n3\n4\n5\n', 'a/g': 'g\n', 'b/h': 'h\n', 'a/link': { link: 'f' } });
  repository = await user.open();
  base = await repository.resolveBase();
  await repository.createRun(run, base);
});
afterEach(() => user.close());

describe('checkAttempt', () => {
  it('lists what changed and what of it lies outside the workspace', async () => {
    const commit = user.attempt(repository, base, {
      'a/f': 'new\n',
      'a/g': undefined,
      'a/n': 'n\n',
      'a/link': 'no link\n',
      'b/h': 'changed\n',
      'ab/x': 'beside\n',
    });
    const { files, outside } = await repository.checkAttempt({ commit, base, workspace: ['a', 'c/d'] });
    expect(files).toEqual([
      { path: 'a/f', change: 'modified' },
      { path: 'a/g', change: 'deleted' },
      { path: 'a/link', change: 'type-changed' },
      { path: 'a/n', change: 'added' },
      { path: 'ab/x', change: 'added' },
      { path: 'b/h', change: 'modified' },
    ]);
    expect(outside.sort()).toEqual(['ab/x', 'b/h']);
    const all = await repository.checkAttempt({ commit, base, workspace: ['.'] });
    expect(all.outside).toEqual([]);
  });

  it('does not let a move hide what was taken away', async () => {
    const commit = user.attempt(repository, base, { 'b/h': undefined, 'a/h': 'h\n' });
    const { outside } = await repository.checkAttempt({ commit, base, workspace: ['a'] });
    expect(outside).toEqual(['b/h']);
  });

  it.each([
    ['/etc/passwd', false],
    ['../../x', false],
    ['../..', false],
    ['deep/../../../x', false],
    ['deep/../f', false],
    ['../.git/config', false],
    ['../.GIT/config', false],
    ['f', true],
    ['../b/h', true],
    ['./deep/./f', true],
    ['nowhere', true],
  ])('a link in a/ to %s may be committed: %s', async (link, isFine) => {
    const commit = user.attempt(repository, base, { 'a/new': { link } });
    const { outside } = await repository.checkAttempt({ commit, base, workspace: ['a'] });
    expect(outside).toEqual(isFine ? [] : ['a/new']);
  });

  it('refuses submodules anywhere', async () => {
    const git = (...args: string[]) =>
      user.gitWith({ GIT_DIR: repository.gitDir, GIT_INDEX_FILE: join(user.root, 'index') }, ...args);
    git('read-tree', base);
    git('update-index', '--add', '--cacheinfo', `160000,${base},a/sub`);
    const identity = ['-c', 'user.name=W', '-c', 'user.email=w@x'];
    const commit = git(...identity, 'commit-tree', git('write-tree'), '-p', base, '-m', 'sub') as CommitId;
    const { outside } = await repository.checkAttempt({ commit, base, workspace: ['a'] });
    expect(outside).toEqual(['a/sub']);
  });

  it('refuses a commit that is not there or rests on something else', async () => {
    const missing = 'f'.repeat(40) as CommitId;
    const check = (commit: CommitId) => repository.checkAttempt({ commit, base, workspace: ['.'] });
    await expect(check(missing)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    const first = user.attempt(repository, base, { 'a/f': '1' });
    const second = user.attempt(repository, first, { 'a/f': '2' });
    await expect(check(second)).rejects.toMatchObject({ code: 'E_WORKSPACE_VIOLATION' });
    const merge = user.attempt(repository, base, { 'a/f': '2' }, first);
    await expect(check(merge)).rejects.toMatchObject({ code: 'E_WORKSPACE_VIOLATION' });
    await expect(check(base)).rejects.toMatchObject({ code: 'E_WORKSPACE_VIOLATION' });
  });
});

describe('changedLines', () => {
  it('gives the lines of the new files', async () => {
    const commit = user.attempt(repository, base, {
      'a/f': '1\nTWO\n3\n5\nsix\nseven\n',
      'a/g': undefined,
      'a/link': '-- not\n++ a header\n@@ -1 +1 @@\n',
      'b/bin': Buffer.from([0, 1, 2, 10, 0]),
      'b/new "name"\n': 'x',
      'b/empty': '',
      'b/run': { program: 'diff --git a/x b/x\n' },
    });
    expect(await repository.changedLines(base, commit)).toEqual([
      {
        path: 'a/f',
        change: 'modified',
        lines: [
          [2, 2],
          [5, 6],
        ],
        binary: false,
      },
      { path: 'a/g', change: 'deleted', lines: [], binary: false },
      { path: 'a/link', change: 'type-changed', lines: [[1, 3]], binary: false },
      { path: 'b/bin', change: 'added', lines: [], binary: true },
      { path: 'b/empty', change: 'added', lines: [], binary: false },
      { path: 'b/new "name"\n', change: 'added', lines: [[1, 1]], binary: false },
      { path: 'b/run', change: 'added', lines: [[1, 1]], binary: false },
    ]);
  });

  it('is not blinded by attributes of the change', async () => {
    const commit = user.attempt(repository, base, { '.gitattributes': '* -diff\n', 'a/g': 'shown\n' });
    const lines = await repository.changedLines(base, commit);
    expect(lines.find(({ path }) => path === 'a/g')).toMatchObject({ lines: [[1, 1]], binary: false });
  });
});

describe('checkout', () => {
  it('lays plain files, byte for byte, without a .git', async () => {
    user.git('config', 'filter.evil.smudge', user.trap);
    user.git('config', 'core.autocrlf', 'true');
    const commit = user.attempt(repository, base, {
      '.gitattributes': '* text eol=crlf ident filter=evil working-tree-encoding=UTF-16\n',
      'a/f': 'one\n$Id$\n',
      'a/run': { program: '#!/bin/sh\n' },
      'a/out': { link: '/etc/passwd' },
    });
    const folder = join(user.root, 'out', 'deep');
    await repository.checkout(commit, folder);
    expect(readFileSync(join(folder, 'a/f'), 'utf8')).toBe('one\n$Id$\n');
    expect(lstatSync(join(folder, 'a/run')).mode & 0o111).not.toBe(0);
    expect(readlinkSync(join(folder, 'a/out'))).toBe('/etc/passwd');
    expect(existsSync(join(folder, '.git'))).toBe(false);
    expect(user.wasTrapped).toBe(false);
    expect(readdirSync(repository.gitDir)).not.toContain('index');
    await expect(repository.checkout(commit, folder)).rejects.toMatchObject({ code: 'E_IO' });
  });
});
