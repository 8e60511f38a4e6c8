import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { discoverRepository } from '@switchyard/repo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
  user.commit({ 'README.md': 'hello\n', 'src/deep/file.txt': 'x\n' });
});
afterEach(() => user.close());

describe('discoverRepository', () => {
  it('finds the repository from any folder inside, with branch and commit', async () => {
    expect(await discoverRepository(join(user.folder, 'src', 'deep'))).toMatchObject({
      workTree: user.folder,
      gitDir: join(user.folder, '.git'),
      gitCommonDir: join(user.folder, '.git'),
      objectFormat: 'sha1',
      head: { branch: 'refs/heads/main', commit: user.git('rev-parse', 'HEAD') },
    });
  });

  it('has no branch when the head is detached', async () => {
    user.git('checkout', '-q', '--detach');
    expect((await discoverRepository(user.folder)).head).toEqual({ commit: user.git('rev-parse', 'HEAD') });
  });

  it('knows a linked worktree, its own head and the shared git directory', async () => {
    const linked = join(user.root, 'linked');
    user.git('worktree', 'add', '-q', '-b', 'side', linked);
    expect(await discoverRepository(linked)).toMatchObject({
      workTree: linked,
      gitCommonDir: join(user.folder, '.git'),
      head: { branch: 'refs/heads/side' },
    });
  });

  it('takes the worktrees of a bare repository, and not the folder whose .git names it', async () => {
    const home = join(user.root, 'home');
    user.git('clone', '-q', '--bare', user.folder, join(home, '.bare'));
    writeFileSync(join(home, '.git'), 'gitdir: ./.bare\n');
    user.git('-C', join(home, '.bare'), 'worktree', 'add', '-q', '-b', 'side', '../side');
    expect(await discoverRepository(join(home, 'side'))).toMatchObject({ workTree: join(home, 'side') });
    await expect(discoverRepository(home)).rejects.toMatchObject({ code: 'E_BARE_REPOSITORY' });
    const apart = join(user.root, 'apart');
    user.git('clone', '-q', `--separate-git-dir=${join(user.root, 'apart.git')}`, user.folder, apart);
    expect(await discoverRepository(apart)).toMatchObject({ workTree: apart });
  });

  it('works on repositories with SHA-256', async () => {
    const tree = join(user.root, 'wide');
    user.git('-C', user.root, 'init', '-q', '--object-format=sha256', tree);
    user.git(
      '-C',
      tree,
      '-c',
      'user.name=U',
      '-c',
      'user.email=u@x',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    );
    const found = await discoverRepository(tree);
    expect(found.objectFormat).toBe('sha256');
    expect(found.head.commit).toHaveLength(64);
  });

  it('refuses what has no repository, no checkout or no commit', async () => {
    const code = (cwd: string) => discoverRepository(cwd).catch((error: unknown) => error);
    expect(await code(user.root)).toMatchObject({ code: 'E_NOT_A_REPOSITORY' });
    expect(await code(join(user.root, 'nowhere'))).toMatchObject({ code: 'E_NOT_A_REPOSITORY' });
    const bare = join(user.root, 'bare.git');
    user.git('-C', user.root, 'init', '-q', '--bare', bare);
    expect(await code(bare)).toMatchObject({ code: 'E_BARE_REPOSITORY' });
    expect(await code(join(bare, 'objects'))).toMatchObject({ code: 'E_BARE_REPOSITORY' });
    const home = join(user.root, 'home');
    user.git('-C', user.root, 'init', '-q', '--bare', join(home, '.git'));
    expect(await code(home)).toMatchObject({ code: 'E_BARE_REPOSITORY' });
    const empty = join(user.root, 'empty');
    user.git('-C', user.root, 'init', '-q', empty);
    expect(await code(empty)).toMatchObject({ code: 'E_NO_COMMITS' });
    mkdirSync(join(user.root, 'broken', '.git'), { recursive: true });
    expect(await code(join(user.root, 'broken'))).toMatchObject({ code: 'E_NOT_A_REPOSITORY' });
    const lost = join(user.root, 'lost');
    mkdirSync(lost);
    writeFileSync(join(lost, '.git'), 'gitdir: /nowhere/at/all\n');
    expect(await code(lost)).toMatchObject({ code: 'E_NOT_A_REPOSITORY' });
  });

  it.each(['.git', '.git/HEAD', '.git/objects', '.git/refs'])(
    'says that %s may not be read',
    async (name) => {
      const path = join(user.folder, name);
      chmodSync(user.root, 0o755);
      chmodSync(path, 0);
      const isRoot = process.getuid?.() === 0;
      if (isRoot) process.seteuid?.(65_534);
      const found = await discoverRepository(user.folder)
        .catch((error: unknown) => error)
        .finally(() => isRoot && process.seteuid?.(0));
      chmodSync(path, 0o700);
      expect(found).toMatchObject({
        code: 'E_REPOSITORY_UNREADABLE',
        exitCode: 5,
        message: expect.stringMatching(
          new RegExp(`^${path}\\S* cannot be read by user \\d+: EACCES.*; have its owner let you`),
        ) as string,
      });
    },
  );

  it('runs nothing that the configuration names and is not led elsewhere', async () => {
    user.git('config', 'core.fsmonitor', user.trap);
    user.git('config', 'core.worktree', user.root);
    user.git('config', 'core.pager', user.trap);
    user.git('config', 'alias.rev-parse', `!${user.trap}`);
    expect(await discoverRepository(user.folder)).toMatchObject({ workTree: user.folder });
    expect(user.wasTrapped).toBe(false);
  });

  it('says so where file descriptors are used up, and works again once they are back', () => {
    const program = fileURLToPath(new URL('few-descriptors.ts', import.meta.url));
    const line = 'ulimit -n 200; exec "$0" --import tsx "$@"';
    const { stdout, stderr } = spawnSync('sh', ['-c', line, process.execPath, program, user.folder], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'found E_IO found', stderr: '' });
  });

  it('follows a link to the checkout', async () => {
    symlinkSync(user.folder, join(user.root, 'link'));
    expect((await discoverRepository(join(user.root, 'link'))).workTree).toBe(user.folder);
  });
});
