import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discoverRepository, type RunRepository } from '@switchyard/repo';
import type { CommitId } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attributes, HostileUser } from './hostile-user.ts';
import { entry, run } from './user-checkout.ts';

// Dozens of gits on a busy machine.
let user: HostileUser;
beforeEach(() => {
  user = new HostileUser();
  user.commit({
    'a/f': '1\n2\n3\n',
    'b/h.i': 'i\n',
    'b/t.w': 'w\n',
    'b/.gitattributes': { link: '/etc/hostname' },
    '.gitattributes': attributes,
  });
  user.git('branch', 'side');
  user.traps.set(join(user.folder, '.git'), user.root);
});
afterEach(() => user.close());

/** Plain git, where the repository lies. A trap ends with exit code 1, and so may git. */
function plain(...args: string[]): void {
  try {
    user.git('--git-dir=.git', '--work-tree=.', ...args);
  } catch {
    // What was sprung is what counts.
  }
}

/** Two attempts at one base, integrated and published; the way of every run. */
async function runOn(repository: RunRepository): Promise<{ base: CommitId; tip: CommitId }> {
  const base = await repository.resolveBase();
  await repository.createRun(run, base);
  const commits = ['ONE\n2\n3\n', '1\n2\nTHREE\n'].map((text) =>
    user.attempt(repository, base, { 'a/f': text }),
  );
  for (const commit of commits) await repository.checkAttempt({ base, commit, workspace: ['a'] });
  const entries = commits.map((commit, index) => entry(`t${index}`, { commit, base, workspace: ['a'] }));
  const { tip } = await repository.integrate({ run, parent: base, at: 1_700_000_000_000, entries });
  await repository.moveRun(run, base, tip);
  await repository.changedLines(base, tip);
  await repository.checkout(tip, join(user.root, 'out'));
  await repository.publish(run);
  return { base, tip };
}

describe('a repository of the user that is a trap', () => {
  it('is one that plain git walks into', () => {
    user.write({ 'a/f': 'changed\n' });
    plain('diff');
    plain('-c', 'diff.evil.command=', 'log', '-p');
    plain('add', 'a/f');
    plain('checkout', '-f', 'side');
    rmSync(join(user.folder, 'b'), { recursive: true });
    plain('checkout', 'side', '--', 'b');
    plain('commit', '--allow-empty', '-m', 'x');
    plain('cat-file', '-p', 'f'.repeat(40));
    expect(user.traps.sprung).toEqual(
      expect.arrayContaining([
        'config.worktree',
        'diff.evil.command',
        'diff.evil.textconv',
        'filter.evil.clean',
        'filter.evil.smudge',
        'filter.included.smudge',
        'hooks.post-checkout',
        'hooks.post-index-change',
        'hooks.pre-commit',
        'remote.ext',
      ]),
    );
  });

  it('runs nothing on the way from its base to a published run', async () => {
    writeFileSync(join(user.folder, 'local.env'), 'x');
    const repository = await user.open();
    expect(await discoverRepository(join(user.folder, 'a'))).toMatchObject({ workTree: user.folder });
    const { tip } = await runOn(repository);
    await repository.importFiles(run, ['local.env']);
    await repository.pinAttempt(run, 'task/1', tip);
    await repository.dropRun(run);
    expect(user.files(repository.gitDir, tip)['a/f']).toBe('ONE\n2\nTHREE');
    expect(user.traps.sprung).toEqual([]);
  });

  it("runs nothing when a run is applied, but for filters, which are the user's to choose", async () => {
    user.dropFilters();
    const repository = await user.open();
    const { tip } = await runOn(repository);
    await repository.planApply(run, tip);
    await repository.apply({ run, commit: tip, verify: () => Promise.resolve(undefined) });
    expect(user.read('a/f')).toBe('ONE\n2\nTHREE\n');
    expect(user.traps.sprung).toEqual([]);
  });

  it('is asked for no object that it lacks', async () => {
    user.dropFilters();
    const repository = await user.open();
    const base = await repository.resolveBase();
    await repository.createRun(run, base);
    // The same content at another place: the user's repository is taken to have it.
    const commit = user.attempt(repository, base, { 'b/copy.txt': 'i\n' });
    const entries = [entry('t', { commit, base, workspace: ['b'] })];
    const { tip } = await repository.integrate({ run, parent: base, at: 0, entries });
    const blob = user.git('--git-dir=.git', '-c', 'core.fsmonitor=false', 'rev-parse', 'HEAD:b/h.i');
    rmSync(join(user.folder, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    const applied = repository.apply({ run, commit: tip, verify: () => Promise.resolve(undefined) });
    await expect(applied).rejects.toThrow(/unable to read .*b\/copy\.txt/);
    expect(user.traps.sprung).toEqual([]);
    expect(existsSync(join(user.folder, 'b/copy.txt'))).toBe(false);
  });
});

describe('a history that is not what it seems', () => {
  it.each(['info/grafts', 'refs/replace'])('is the one of the commits, whatever %s says', async (way) => {
    const git = (...args: string[]) =>
      user.git('--git-dir=.git', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args);
    const first = git('rev-parse', 'HEAD');
    const tree = git('rev-parse', 'HEAD^{tree}');
    const commit = (...parents: string[]) =>
      git('commit-tree', tree, ...parents.flatMap((id) => ['-p', id]), '-m', 'x');
    const second = commit(first);
    git('update-ref', 'refs/heads/main', second);
    if (way === 'info/grafts') writeFileSync(join(user.folder, '.git/info/grafts'), `${second}\n`);
    else git('update-ref', `refs/replace/${second}`, commit());
    expect(git('rev-list', '--count', 'HEAD')).toBe('1'); // git believes it
    const repository = await user.open();
    const base = await repository.resolveBase();
    await repository.createRun(run, base);
    const seen = user.gitWith({ GIT_DIR: repository.gitDir }, 'rev-list', base);
    expect(seen).toContain(first);
    expect(user.traps.sprung).toEqual([]);
  });

  it.each<[string, (gitDir: string) => void]>([
    [
      'a head that names a file outside',
      (gitDir) => writeFileSync(join(gitDir, 'HEAD'), 'ref: refs/../../secret\n'),
    ],
    ['a head that is an option', (gitDir) => writeFileSync(join(gitDir, 'HEAD'), 'ref: --upload-pack=x\n')],
    ['a head of two lines', (gitDir) => writeFileSync(join(gitDir, 'HEAD'), 'ref: refs/heads/a\nb\n')],
    [
      'a branch that is a link to a file outside',
      (gitDir) => {
        rmSync(join(gitDir, 'refs/heads/main'));
        symlinkSync(join(gitDir, '../../secret'), join(gitDir, 'refs/heads/main'));
      },
    ],
    [
      'packed refs with a name that climbs',
      (gitDir) => {
        rmSync(join(gitDir, 'refs/heads/main'));
        writeFileSync(
          join(gitDir, 'packed-refs'),
          `${'1'.repeat(40)} refs/../../secret\n${'1'.repeat(40)} refs/heads/main\n`,
        );
      },
    ],
  ])('is refused where there is %s', async (_, lay) => {
    writeFileSync(join(user.root, 'secret'), 'SECRET\n');
    lay(join(user.folder, '.git'));
    const told = await user.open().then(
      () => 'opened',
      (error: unknown) => error as { code: string; message: string },
    );
    expect(told).toMatchObject({
      code: expect.stringMatching(/^E_(?:NOT_A_REPOSITORY|NO_COMMITS)$/) as string,
    });
    expect(JSON.stringify(told)).not.toContain('SECRET');
    expect(user.traps.sprung).toEqual([]);
  });
});

describe('a folder that is not what it seems', () => {
  it('is no repository when it only looks like a bare one inside the checkout', async () => {
    const inner = join(user.folder, 'a/inner');
    user.gitWith({ GIT_DIR: '/nonexistent' }, 'init', '-q', '--bare', inner);
    user.traps.set(inner, user.root);
    await expect(discoverRepository(join(inner, 'refs'))).rejects.toMatchObject({
      code: 'E_BARE_REPOSITORY',
    });
    expect(user.traps.sprung).toEqual([]);
  });

  it.each(['a file', 'a link'])('runs nothing where .git is %s that leads elsewhere', async (kind) => {
    const elsewhere = join(user.root, 'elsewhere');
    const folder = join(user.root, 'led');
    const link =
      kind === 'a link' ? `ln -s ${elsewhere} ${folder}/.git` : `echo gitdir: ${elsewhere} > ${folder}/.git`;
    execFileSync('sh', ['-c', `mkdir ${folder} && cp -a ${user.folder}/.git ${elsewhere} && ${link}`]);
    const found = await discoverRepository(folder);
    expect(found).toMatchObject({ workTree: folder, gitDir: elsewhere });
    Object.assign(user, { folder });
    await (await user.open()).resolveBase();
    expect(user.traps.sprung).toEqual([]);
    expect(readdirSync(folder)).toEqual(['.git']);
  });
});
