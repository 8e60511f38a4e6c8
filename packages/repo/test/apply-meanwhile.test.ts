import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { change, ran, start } from './applied-run.ts';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

const accept = () => Promise.resolve(undefined);

describe('apply and what happens meanwhile', () => {
  it('merges once more when the branch moved during verification', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.commit({ other: '1' });
    const verified: CommitId[] = [];
    const result = await repository.apply({
      run,
      commit: tip,
      verify: (commit) => {
        verified.push(commit);
        if (verified.length === 1) user.commit({ later: '2' });
        return Promise.resolve(undefined);
      },
    });
    expect(verified).toHaveLength(2);
    expect(result.commit).toBe(verified[1]);
    expect(user.git('rev-parse', 'main')).toBe(result.commit);
    expect(user.read('later')).toBe('2');
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('goes to the branch that is checked out at the end, and moves no other', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    const main = user.commit({ other: '1' });
    user.git('branch', 'side', 'HEAD~1');
    const result = await repository.apply({
      run,
      commit: tip,
      verify: () => {
        user.git('checkout', '-q', 'side');
        return Promise.resolve(undefined);
      },
    });
    expect(user.git('rev-parse', 'main')).toBe(main);
    expect(result).toMatchObject({ commit: tip, fastForward: true });
    expect(user.git('rev-parse', 'side')).toBe(tip);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('gives up when the branch never rests', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    user.commit({ other: '1' });
    let moves = 0;
    const verify = () => {
      user.commit({ later: String((moves += 1)) });
      return Promise.resolve(undefined);
    };
    await expect(repository.apply({ run, commit: tip, verify })).rejects.toMatchObject({
      code: 'E_APPLY_CONFLICT',
    });
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('refuses work that began during verification', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    const head = user.commit({ other: '1' });
    const verify = () => {
      user.write({ 'src/a': 'just now\n' });
      return Promise.resolve(undefined);
    };
    await expect(repository.apply({ run, commit: tip, verify })).rejects.toMatchObject({
      code: 'E_APPLY_DIRTY',
      details: { paths: ['src/a'] },
    });
    expect(user.git('rev-parse', 'HEAD')).toBe(head);
    expect(user.read('src/a')).toBe('just now\n');
  });

  it('does not move a branch under a merge that waits for its commit', async () => {
    user.commit(start);
    const { repository, base, tip } = await ran(user, change);
    user.git('checkout', '-q', '-b', 'side');
    user.commit({ unrelated: 'u' });
    user.git('checkout', '-q', 'main');
    user.git('merge', '-q', '--no-ff', '--no-commit', 'side');
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
      code: 'E_APPLY_DIRTY',
      message: expect.stringContaining('MERGE_HEAD'),
    });
    expect(user.git('rev-parse', 'HEAD')).toBe(base);
  });

  it('turns a folder into a file and a file into a folder', async () => {
    user.commit({ 'folder/x': 'x', 'folder/deep/y': 'y', file: 'f' });
    const { repository, tip } = await ran(user, { folder: 'now a file', file: undefined, 'file/z': 'z' });
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('status', '--porcelain')).toBe('');
    expect([user.read('folder'), user.read('file/z')]).toEqual(['now a file', 'z']);
  });

  it('keeps untracked files in a folder that goes', async () => {
    user.commit({ 'folder/x': 'x' });
    const { repository, tip } = await ran(user, { 'folder/x': undefined });
    user.write({ 'folder/mine': 'mine' });
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.read('folder/mine')).toBe('mine');
    expect(user.git('status', '--porcelain')).toBe('?? folder/');
  });

  it('stays in the checkout wherever its configuration leads', async () => {
    user.commit(start);
    const { repository, tip } = await ran(user, change);
    const elsewhere = join(user.root, 'elsewhere');
    mkdirSync(elsewhere);
    user.git('config', 'core.worktree', elsewhere);
    user.git('config', 'core.fsmonitor', user.trap);
    await repository.apply({ run, commit: tip, verify: accept });
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(user.read('src/a')).toBe('A\n');
    expect(user.wasTrapped).toBe(false);
  });

  it('does not move a run branch that is checked out', async () => {
    user.commit(start);
    const { repository, base, tip } = await ran(user, change);
    user.git('checkout', '-q', '-b', `switchyard/${run}`);
    await repository.publish(run);
    expect(user.git('rev-parse', 'HEAD')).toBe(base);
    expect(user.git('status', '--porcelain')).toBe('');
    user.git('checkout', '-q', 'main');
    await repository.publish(run);
    expect(user.git('rev-parse', `switchyard/${run}`)).toBe(tip);
  });

  it('publishes no branch where one of the user is in its way', async () => {
    user.commit(start);
    user.git('branch', 'switchyard');
    const { repository, tip } = await ran(user, change);
    await repository.publish(run);
    expect(user.git('rev-parse', `refs/switchyard/runs/${run}`)).toBe(tip);
    user.commit({ 'src/a': 'mine\n' });
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toThrow(
      `git merge refs/switchyard/runs/${run}`,
    );
    user.git('branch', '-m', 'switchyard', `switchyard/${run}/below`);
    await repository.publish(run);
    user.git('branch', '-D', `switchyard/${run}/below`);
    await repository.publish(run);
    await repository.publish(run);
    expect(user.git('rev-parse', `switchyard/${run}`)).toBe(tip);
  });
});
