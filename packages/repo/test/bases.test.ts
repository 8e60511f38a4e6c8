import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runId } from '@switchyard/protocol';
import { discoverRepository, openRunRepository } from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entry, run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

describe('resolveBase', () => {
  it('takes branches, tags and commits, and HEAD where nothing is said', async () => {
    const one = user.commit({ a: '1' });
    user.git('tag', '-a', 'v1', '-m', 'annotated');
    user.git('branch', 'old/branch');
    const two = user.commit({ a: '2' });
    const repository = await user.open();
    expect(await repository.resolveBase()).toBe(two);
    for (const revision of ['v1', 'old/branch', one, one.slice(0, 12), 'HEAD~1', 'refs/heads/old/branch']) {
      expect(await repository.resolveBase(revision)).toBe(one);
    }
  });

  it.each([
    'nowhere',
    '',
    '-x',
    '--all',
    '--output=/tmp/x',
    'HEAD:a',
    'v1..HEAD',
    'f'.repeat(40),
    'a\nb',
    '@{u}',
  ])('refuses %j', async (revision) => {
    user.commit({ a: '1' });
    const repository = await user.open();
    await expect(repository.resolveBase(revision)).rejects.toMatchObject({ code: 'E_BASE_UNKNOWN' });
  });

  it('keeps the base when the user loses it', async () => {
    const lost = user.commit({ a: 'lost' });
    const repository = await user.open();
    await repository.resolveBase();
    user.git('checkout', '-q', '--orphan', 'other');
    user.commit({ a: 'other' });
    user.git('branch', '-D', 'main');
    user.git('reflog', 'expire', '--expire=now', '--all');
    user.git('gc', '-q', '--prune=now');
    expect(() => user.git('cat-file', '-e', lost)).toThrow();
    await repository.checkout(lost, join(user.root, 'out'));
    await repository.createRun(run, lost);
    await repository.publish(run);
    expect(user.git('show', `switchyard/${run}:a`)).toBe('lost');
    expect(user.git('fsck', '--connectivity-only')).not.toMatch(/missing|broken/);
  });

  it('carries a run over a repository with a cut history', async () => {
    for (const n of ['1', '2', '3', '4']) user.commit({ a: n });
    const shallow = join(user.root, 'shallow');
    user.git('clone', '-q', '--depth=1', `file://${user.folder}`, shallow);
    user.git('-C', shallow, 'config', 'user.email', 'user@example.org');
    user.git('-C', shallow, 'config', 'user.name', 'A User');
    Object.assign(user, { folder: shallow });
    const repository = await user.open();
    const base = await repository.resolveBase();
    await repository.createRun(run, base);
    const commit = user.attempt(repository, base, { b: 'b' });
    const { tip } = await repository.integrate({
      run,
      parent: base,
      at: 0,
      entries: [entry('t', { commit, base, workspace: ['b'] })],
    });
    await repository.moveRun(run, base, tip);
    await repository.publish(run);
    user.git('fetch', '-q', '--deepen=1');
    expect(await repository.resolveBase('HEAD~1')).not.toBe(base);
    user.commit({ c: 'c' });
    const applied = await repository.apply({ run, commit: tip, verify: () => Promise.resolve(undefined) });
    expect(applied.fastForward).toBe(false);
    expect(user.read('b')).toBe('b');
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('refuses submodules and files kept in LFS, with their paths', async () => {
    const plain = user.commit({ a: '1', '.gitattributes': '*.bin filter=lfs\n' });
    const repository = await user.open();
    await repository.resolveBase();
    user.commit({ 'big.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n' });
    await expect(repository.resolveBase()).rejects.toMatchObject({
      code: 'E_SUBMODULES',
      details: { paths: ['big.bin'] },
    });
    user.git('update-index', '--add', '--cacheinfo', `160000,${plain},lib/sub`);
    user.git('commit', '-q', '-m', 'sub');
    await expect(repository.resolveBase()).rejects.toMatchObject({
      code: 'E_SUBMODULES',
      details: { paths: ['lib/sub'] },
    });
  });

  it('does not mind old objects that a strict check would refuse', async () => {
    user.commit({ a: '1' });
    const tree = user.git('write-tree');
    const text = `tree ${tree}\nauthor nobody 1 +0000\ncommitter <> 1 +0000\n\nbroken people\n`;
    writeFileSync(join(user.root, 'commit'), text);
    const odd = user.git('hash-object', '-w', '-t', 'commit', '--literally', join(user.root, 'commit'));
    user.git('branch', 'odd', odd);
    const repository = await user.open();
    expect(await repository.resolveBase('odd')).toBe(odd);
  });

  it('says so when the repository lacks objects', async () => {
    user.commit({ a: 'one', b: 'two' });
    const blob = user.git('rev-parse', 'HEAD:a');
    const file = join(user.folder, '.git/objects', blob.slice(0, 2), blob.slice(2));
    const repository = await user.open();
    user.git('tag', 'x');
    rmSync(file);
    await expect(repository.resolveBase()).rejects.toMatchObject({ code: 'E_IO' });
  });
});

it('a partial clone is told what fetches the objects it lacks, and is a base after that', async () => {
  user.commit({ a: 'one' });
  user.commit({ a: 'two' });
  user.git('config', 'uploadpack.allowFilter', 'true');
  const partial = join(user.root, 'partial');
  user.git('clone', '-q', '--filter=blob:none', `file://${user.folder}`, partial);
  Object.assign(user, { folder: partial });
  const repository = await user.open();
  const refused: unknown = await repository.resolveBase().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'E_REPOSITORY_UNREADABLE' });
  const [command = ''] = /git fetch .*$/.exec((refused as Error).message) ?? [];
  user.git(...command.split(' ').slice(1));
  expect(await repository.resolveBase()).toBe(user.git('rev-parse', 'HEAD'));
});

describe('the private repository', () => {
  it('opens again after a crash in its making or in a write', async () => {
    const base = user.commit({ a: '1' });
    mkdirSync(join(user.root, 'state', 'repository.git.new', 'objects'), { recursive: true });
    const repository = await user.open();
    await repository.resolveBase();
    await repository.createRun(run, base);
    writeFileSync(join(repository.gitDir, 'packed-refs.lock'), '');
    writeFileSync(join(repository.gitDir, 'refs/heads/switchyard', `${run}.lock`), '');
    const again = await user.open();
    await again.moveRun(run, base, user.attempt(again, base, { a: '2' }));
  });

  it('is readable by its owner only and has no hooks', async () => {
    user.commit({ a: '1' });
    const { gitDir } = await user.open();
    expect(statSync(join(gitDir, '..')).mode & 0o077).toBe(0);
    expect(existsSync(join(gitDir, 'hooks'))).toBe(false);
  });

  it('names the files at the root of a commit', async () => {
    user.commit({ 'package.json': '{}', 'src/a': 'a', lock: { link: 'package.json' }, 'ü\n': 'x' });
    const repository = await user.open();
    const names = await repository.rootFiles(await repository.resolveBase());
    expect([...names].sort()).toEqual(['package.json', 'ü\n']);
  });

  it('serves repositories with SHA-256', async () => {
    const folder = join(user.root, 'wide');
    user.git('init', '-q', '-b', 'main', '--object-format=sha256', folder);
    Object.assign(user, { folder });
    user.git('config', 'user.name', 'A User');
    user.git('config', 'user.email', 'user@example.org');
    const base = user.commit({ 'a/f': 'one\n' });
    const repository = await openRunRepository({
      gitDir: join(user.root, 'wide.git'),
      user: await discoverRepository(folder),
      logger: silentLogger(),
    });
    expect(await repository.resolveBase()).toBe(base);
    await repository.createRun(run, base);
    const commit = user.attempt(repository, base, { 'a/f': undefined, 'a/g': 'two\n' });
    const { tip } = await repository.integrate({
      run,
      parent: base,
      at: 0,
      entries: [entry('t', { commit, base, workspace: ['a'] })],
    });
    await repository.moveRun(run, base, tip);
    await repository.apply({ run, commit: tip, verify: () => Promise.resolve(undefined) });
    expect(user.git('status', '--porcelain')).toBe('');
    expect(user.read('a/g')).toBe('two\n');
  });
});

describe('importFiles', () => {
  it('makes a pinned commit of untracked files, the same for the same files', async () => {
    user.commit({ a: '1', '.gitignore': '.env\nlocal/\n' });
    user.write({ '.env': 'KEY=1\n', 'local/deep/x': 'x', 'local/run.sh': { program: '#!/bin/sh\n' } });
    const repository = await user.open();
    const commit = await repository.importFiles(run, ['.env', 'local']);
    expect(commit).toBeDefined();
    if (commit === undefined) return;
    expect(user.files(repository.gitDir, commit)).toEqual({
      '.env': 'KEY=1',
      'local/deep/x': 'x',
      'local/run.sh': '#!/bin/sh',
    });
    expect(await repository.importFiles(run, ['local', '.env'])).toBe(commit);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('takes files as they are, many at once and for several runs at the same time', async () => {
    user.git('config', 'core.autocrlf', 'input');
    user.commit({ a: '1', '.gitattributes': '* text filter=evil\n' });
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`local/f${n}`, `${n}\r\n`]));
    user.write({ ...many, 'other/x': 'x', 'local/new\nline': 'n', 'local/sub/.git/config': 'hidden' });
    const repository = await user.open();
    const second = runId.parse('other-abcdef');
    const [local, other] = await Promise.all([
      repository.importFiles(run, ['local']),
      repository.importFiles(second, ['other']),
    ]);
    const listed = (commit = '') =>
      user.gitWith({ GIT_DIR: repository.gitDir }, 'ls-tree', '-r', '-z', '--name-only', commit).split('\0');
    expect(listed(other)).toEqual(['other/x', '']);
    expect(listed(local)).toHaveLength(302);
    expect(user.gitWith({ GIT_DIR: repository.gitDir }, 'show', `${local}:local/f7`)).toBe('7\r');
  });

  it('refuses what is not there, not plain, or not inside', async () => {
    user.commit({ a: '1' });
    writeFileSync(join(user.root, 'secret'), 'secret');
    user.write({ link: { link: '../secret' }, up: { link: '..' } });
    const repository = await user.open();
    for (const path of ['nothing', 'link', 'up/secret', '../secret', '/etc/passwd', '.git/config']) {
      await expect(repository.importFiles(run, [path]), path).rejects.toMatchObject({
        code: expect.stringMatching(/^E_(NOT_FOUND|NOT_REGULAR|PATH_INVALID)$/),
      });
    }
  });

  it('says why something cannot be looked at, which is not that it is not there', async () => {
    user.commit({ a: '1' });
    const repository = await user.open();
    await expect(repository.importFiles(run, ['x'.repeat(300)])).rejects.toMatchObject({
      code: 'E_ACCESS',
      message: expect.stringContaining('name too long'),
    });
  });
});
