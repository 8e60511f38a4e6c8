import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { taskId, type CommitId, type Receipt } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { change, ran, start } from './applied-run.ts';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

const accept = () => Promise.resolve(undefined);
const failing = (commit: CommitId): Receipt => ({
  ...{ criterion: 'npm test', command: 'npm test', commit, exitCode: 1, ended: 'exited' },
  ...{ durationMs: 1, startedAt: 1, outputTail: 'a lot\n1 of 9 fails\n', truncated: false },
});

describe('apply', () => {
  it('goes forward where the head is the base, without asking for verification', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    const verify = () => Promise.reject(new Error('not asked'));
    const result = await repository.apply({ run, commit: tip, verify });
    expect(result).toEqual({
      commit: tip,
      fastForward: true,
      files: expect.arrayContaining(['gone', 'src/a', 'src/new/n']),
    });
    expect(user.git('rev-parse', 'main')).toBe(tip);
    expect(user.git('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(user.git('status', '--porcelain')).toBe('');
    expect(user.read('src/new/n')).toBe('n\n');
    expect(existsSync(join(user.folder, 'gone'))).toBe(false);
    expect(user.git('fsck', '--strict')).not.toMatch(/error|missing/);
    expect(user.git('reflog', '-1')).toContain('switchyard');
  });

  it('once more changes nothing', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    await repository.apply({ run, commit: tip, verify: accept });
    const theirs = user.commit({ mine: 'm' });
    const again = await repository.apply({ run, commit: tip, verify: accept });
    expect(again).toEqual({ commit: theirs, fastForward: true, files: [] });
    expect(user.git('rev-parse', 'HEAD')).toBe(theirs);
  });

  it('moves no branch where the run has been rolled back whole, also one that went on', async () => {
    const base = user.commit(start);
    const { repository, tip } = await ran(user, change);
    const entries = [{ taskId: taskId.parse('t'), merge: tip, workspace: ['.'], title: 't' }];
    const reverted = await repository.revert({ run, parent: tip, base, at: 1_700_000_001_000, entries });
    await repository.moveRun(run, tip, reverted.tip);
    const verify = () => Promise.reject(new Error('not asked'));
    for (const head of [() => base, () => user.commit({ mine: 'm' })]) {
      const commit = head();
      const applied = await repository.apply({ run, commit: reverted.tip, verify });
      expect(applied).toEqual({ commit, fastForward: true, files: [] });
      expect(user.git('rev-parse', 'main')).toBe(commit);
      expect(user.git('reflog', '-1')).not.toContain('switchyard');
    }
  });

  it('takes a run off again that was applied before it was rolled back', async () => {
    const base = user.commit(start);
    const { repository, tip } = await ran(user, change);
    await repository.apply({ run, commit: tip, verify: accept });
    const entries = [{ taskId: taskId.parse('t'), merge: tip, workspace: ['.'], title: 't' }];
    const reverted = await repository.revert({ run, parent: tip, base, at: 1_700_000_001_000, entries });
    const applied = await repository.apply({ run, commit: reverted.tip, verify: accept });
    expect(applied.commit).toBe(reverted.tip);
    expect(user.read('src/a')).toBe('a\n');
  });

  it('merges onto a head that moved, verifies that, and is a merge of the user', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, { ...change, 'src/b': '1\n2\n3\n4\nFIVE\n' });
    const moved = user.commit({ 'src/b': 'ONE\n2\n3\n4\n5\n', other: 'o' });
    const verified: CommitId[] = [];
    const result = await repository.apply({
      run,
      commit: tip,
      verify: (commit) => {
        verified.push(commit);
        expect(user.git('rev-parse', 'HEAD')).toBe(moved);
        return Promise.resolve(undefined);
      },
    });
    expect(result.fastForward).toBe(false);
    expect(verified).toEqual([result.commit]);
    expect(user.git('log', '-1', '--format=%P %an <%ae>')).toBe(`${moved} ${tip} A User <user@example.org>`);
    expect(user.read('src/b')).toBe('ONE\n2\n3\n4\nFIVE\n');
    expect(user.read('other')).toBe('o');
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('leaves everything as it was when the merged result does not pass', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    await repository.publish(run);
    const moved = user.commit({ other: 'o' });
    await expect(
      repository.apply({ run, commit: tip, verify: (commit) => Promise.resolve(failing(commit)) }),
    ).rejects.toMatchObject({
      code: 'E_APPLY_UNVERIFIED',
      message: expect.stringMatching(
        /git merge switchyard\/\S+\n`npm test` ended with 1:\na lot\n1 of 9 fails$/,
      ) as string,
    });
    expect(user.git('rev-parse', 'HEAD')).toBe(moved);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('lists the files that conflict', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    const moved = user.commit({ 'src/a': 'mine\n' });
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
      code: 'E_APPLY_CONFLICT',
      details: { paths: ['src/a'] },
    });
    expect(user.git('rev-parse', 'HEAD')).toBe(moved);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('works on a detached head', async () => {
    const base = user.commit(start);
    user.git('checkout', '-q', '--detach');
    const { repository, tip } = await ran(user, change);
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('rev-parse', 'HEAD')).toBe(tip);
    expect(user.git('rev-parse', 'main')).toBe(base);
    expect(() => user.git('symbolic-ref', '-q', 'HEAD')).toThrow();
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('works in a linked worktree', async () => {
    user.commit(start);
    const linked = join(user.root, 'linked');
    user.git('worktree', 'add', '-q', '-b', 'side', linked);
    const main = user.folder;
    Object.assign(user, { folder: linked });
    const { repository, base, tip } = await ran(user, change);
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('rev-parse', 'side')).toBe(tip);
    expect(user.git('rev-parse', 'main')).toBe(base);
    expect(user.git('status', '--porcelain')).toBe('');
    Object.assign(user, { folder: main });
    expect(user.git('status', '--porcelain')).toBe('');
  });
});

describe('apply and uncommitted work', () => {
  it('keeps what it does not touch: changed, staged, untracked', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.write({ 'src/b': 'dirty\n', 'docs/d': 'staged\n', untracked: 'mine\n' });
    user.git('add', 'docs/d');
    const before = user.git('status', '--porcelain');
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('status', '--porcelain')).toBe(before);
    expect(user.read('src/a')).toBe('A\n');
    expect(user.read('src/b')).toBe('dirty\n');
    expect(user.read('untracked')).toBe('mine\n');
  });

  const cases: readonly (readonly [string, (checkout: UserCheckout) => void, readonly string[]])[] = [
    ['a changed file', (u) => u.write({ 'src/a': 'mine\n' }), ['src/a']],
    ['a staged file', (u) => (u.write({ 'src/a': 'mine\n' }), u.git('add', 'src/a')), ['src/a']],
    [
      'a staged change that the checkout has no more',
      (u) => (u.write({ 'src/a': 'mine\n' }), u.git('add', 'src/a'), u.write({ 'src/a': 'a\n' })),
      ['src/a'],
    ],
    ['a deleted file', (u) => u.write({ 'src/a': undefined }), ['src/a']],
    ['a change in a file that goes', (u) => u.write({ gone: 'mine\n' }), ['gone']],
    ['an untracked file in the way', (u) => u.write({ 'src/new/n': 'mine\n' }), ['src/new/n']],
    ['an untracked file where a folder must be', (u) => u.write({ 'src/new': 'mine\n' }), ['src/new']],
    [
      'an untracked folder where a file must be',
      (u) => u.write({ 'src/new/n/deep': 'mine\n' }),
      ['src/new/n/deep'],
    ],
    [
      'an ignored file in the way',
      (u) => u.write({ '.git/info/exclude': 'n\n', 'src/new/n': 'mine\n' }),
      ['src/new/n'],
    ],
    ['an executable bit', (u) => chmodSync(join(u.folder, 'src/a'), 0o755), ['src/a']],
    ['a link in place of a folder', (u) => u.write({ 'src/new': { link: '../docs' } }), ['src/new']],
  ];
  for (const [name, dirty, paths] of cases) {
    it(`refuses ${name}`, async () => {
      user.commit(start);
      const { repository, base, tip } = await ran(user, change);
      dirty(user);
      const before = user.git('status', '--porcelain', '--ignored');
      await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
        code: 'E_APPLY_DIRTY',
        details: { paths },
      });
      expect(user.git('rev-parse', 'HEAD')).toBe(base);
      expect(user.git('status', '--porcelain', '--ignored')).toBe(before);
    });
  }

  it.each(['skip-worktree', 'assume-unchanged'])(
    'says what is hidden from git status by %s',
    async (mark) => {
      user.commit(start);
      const { repository, base, tip } = await ran(user, change);
      user.git('update-index', `--${mark}`, 'src/a', 'src/b');
      user.write({ 'src/a': 'mine\n' });
      const refused: unknown = await repository
        .apply({ run, commit: tip, verify: accept })
        .catch((e: unknown) => e);
      expect(refused).toMatchObject({ code: 'E_APPLY_DIRTY', details: { paths: ['src/a'] } });
      expect([user.git('rev-parse', 'HEAD'), user.read('src/a')]).toEqual([base, 'mine\n']);
      user.git('update-index', `--no-${mark}`, 'src/a');
      user.git('checkout', '-q', 'src/a');
      await repository.apply({ run, commit: tip, verify: accept });
      expect(user.read('src/a')).toBe('A\n');
    },
  );

  it('lets a file pass that only was touched', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.write({ 'src/a': 'a\n' });
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('finishes a move that was cut off, wherever that was', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    // Files written, index not.
    user.write(change);
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('rev-parse', 'HEAD')).toBe(tip);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('finishes a move that was cut off before the branch moved', async () => {
    const base = user.commit(start);
    const { repository, tip } = await ran(user, change);
    await repository.publish(run);
    user.git('read-tree', '-m', '-u', base, tip);
    expect(user.git('status', '--porcelain')).not.toBe('');
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('rev-parse', 'HEAD')).toBe(tip);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('finishes a move of which some files were written', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.write({ 'src/new/n': 'n\n', gone: undefined });
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('status', '--porcelain')).toBe('');
    expect(user.read('src/a')).toBe('A\n');
  });

  /** What a git that is killed while it writes files leaves: it unlinks each, makes it anew and fills it. */
  const halfWritten = { 'src/a': '', 'src/b': undefined, 'src/new/n': 'n' };

  it('writes whole what a killed git left half written', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, { ...change, 'src/b': 'B\n' });
    user.lockBranch();
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toThrow(/main\.lock/);
    user.unlockBranch();
    user.write(halfWritten);
    user.git('read-tree', 'HEAD');
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('rev-parse', 'HEAD')).toBe(tip);
    expect(user.git('status', '--porcelain')).toBe('');
    expect(user.read('src/a') + user.read('src/b') + user.read('src/new/n')).toBe('A\nB\nn\n');
  });

  it.each(Object.entries(halfWritten))(
    'leaves %s of the user alone where no move was begun',
    async (path, content) => {
      user.commit(start);
      const { repository, base, tip } = await ran(user, { ...change, 'src/b': 'B\n' });
      user.write({ [path]: content });
      const before = user.git('status', '--porcelain');
      await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
        code: 'E_APPLY_DIRTY',
        details: { paths: [path] },
      });
      expect(user.git('rev-parse', 'HEAD')).toBe(base);
      expect(user.git('status', '--porcelain')).toBe(before);
    },
  );

  it('leaves what the user wrote alone, also where a move was begun', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.lockBranch();
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toThrow(/main\.lock/);
    user.unlockBranch();
    user.write({ 'src/a': 'mine\n' });
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
      details: { paths: ['src/a'] },
    });
    expect(user.read('src/a')).toBe('mine\n');
  });

  it('says so when the index is locked by another git, and leaves all as it is', async () => {
    user.commit(start);
    const { repository, base, tip } = await ran(user, change);
    writeFileSync(join(user.folder, '.git/index.lock'), '');
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toThrow(/index\.lock/);
    expect(user.git('rev-parse', 'HEAD')).toBe(base);
    expect(user.read('src/a')).toBe('a\n');
  });

  it('says so, too, where it is to finish a move that was cut off', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.write(change);
    // So that nothing is left to do for the look that comes first, which would meet the lock.
    expect(() => user.git('update-index', '--refresh')).toThrow(/--refresh/);
    writeFileSync(join(user.folder, '.git/index.lock'), '');
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
      code: 'E_APPLY_DIRTY',
      message: expect.stringContaining('index.lock'),
    });
  });

  it('refuses in the middle of a merge', async () => {
    user.commit(start);
    user.git('checkout', '-q', '-b', 'side');
    user.commit({ 'src/b': 'side\n' });
    user.git('checkout', '-q', 'main');
    user.commit({ 'src/b': 'main\n' });
    const { repository, tip } = await ran(user, change);
    expect(() => user.git('merge', 'side')).toThrow();
    const before = user.git('status', '--porcelain');
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
      code: 'E_APPLY_DIRTY',
    });
    expect(user.git('status', '--porcelain')).toBe(before);
  });
});
