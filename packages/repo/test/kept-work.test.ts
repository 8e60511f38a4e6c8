import { join } from 'node:path';
import { discoverRepository, openKeptWork } from '@switchyard/repo';
import { taskId } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

async function prepared() {
  user.commit({ a: 'one', b: 'left alone' });
  const repository = await user.open();
  const base = await repository.resolveBase();
  const commit = user.attempt(repository, base, { a: 'two\n', 'ä.bin': Buffer.from([0, 1, 2, 255]) });
  const ref = await repository.pinWip({ run, taskId: taskId.parse('docs'), fence: 1, commit });
  const kept = openKeptWork(repository.gitDir, await discoverRepository(user.folder));
  if (kept === undefined) throw new Error('nothing is there');
  return { kept, repository, base, commit, ref };
}

describe('kept work, for people', () => {
  it('is not there before an orchestrator was', async () => {
    user.commit({ a: 'one' });
    const found = await discoverRepository(user.folder);
    expect(openKeptWork(join(user.root, 'nothing.git'), found)).toBeUndefined();
  });

  it('says what stands and what each changed', async () => {
    const { kept, ref, base, commit } = await prepared();
    const gone = ref.replace(/1$/, '2');
    expect(await kept.standing([gone, ref])).toEqual(new Set([ref]));
    expect(await kept.standing([])).toEqual(new Set());
    expect(await kept.changes({ base, commit })).toEqual([
      { path: 'a', change: 'modified' },
      { path: 'ä.bin', change: 'added' },
    ]);
  });

  it('gives a patch that git applies, binary files too', async () => {
    const { kept, base, commit } = await prepared();
    user.write({ 'kept.patch': await kept.patch({ base, commit }) });
    user.git('apply', 'kept.patch');
    expect(user.read('a')).toBe('two\n');
    expect(user.git('hash-object', 'ä.bin')).toBe(
      user.gitWith({ GIT_DIR: (await user.open()).gitDir }, 'rev-parse', `${commit}:ä.bin`),
    );
  });

  it('becomes a branch of the user, and nothing of theirs changes', async () => {
    const { kept, commit, base } = await prepared();
    const head = user.git('rev-parse', 'HEAD');
    await kept.makeBranch('switchyard/wip/x', commit);
    await kept.makeBranch('switchyard/wip/x', commit);
    expect(user.git('rev-parse', 'switchyard/wip/x', 'HEAD')).toBe(`${commit}\n${head}`);
    expect(user.git('status', '--porcelain')).toBe('');
    expect(user.git('show', 'switchyard/wip/x:a')).toBe('two');
    await expect(kept.makeBranch('main', commit)).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(kept.makeBranch('switchyard/wip/x/y', commit)).rejects.toMatchObject({ code: 'E_USAGE' });
    for (const name of ['-x', 'a..b', 'a b', ''])
      await expect(kept.makeBranch(name, commit)).rejects.toMatchObject({ code: 'E_USAGE' });
    expect(user.git('rev-parse', 'main')).toBe(base);
  });

  it('runs no hook of the user', async () => {
    const { kept, commit } = await prepared();
    user.write({ '.git/hooks/reference-transaction': { program: `#!/bin/sh\n${user.trap}\n` } });
    await kept.makeBranch('switchyard/wip/x', commit);
    expect(user.wasTrapped).toBe(false);
  });
});
