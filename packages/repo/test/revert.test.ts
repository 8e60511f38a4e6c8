import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommitId } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import { entry, run, UserCheckout, type Content } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

const at = 1_700_000_000_000;

/** A run onto which changes were merged one after the other, each made on the tip before it. */
async function merged(
  files: Readonly<Record<string, Content>>,
  changes: readonly { readonly workspace: string[]; readonly files: Record<string, Content> }[],
): Promise<{ repository: RunRepository; base: CommitId; merges: CommitId[] }> {
  user.commit(files);
  const repository = await user.open();
  const base = await repository.resolveBase();
  await repository.createRun(run, base);
  const merges: CommitId[] = [];
  let tip = base;
  for (const [place, change] of changes.entries()) {
    const commit = user.attempt(repository, tip, change.files);
    const entries = [entry(`t${place}`, { commit, base: tip, workspace: change.workspace })];
    ({ tip } = await repository.integrate({ run, parent: tip, at, entries }));
    merges.push(tip);
  }
  return { repository, base, merges };
}

const revert = (place: number, merge: CommitId | undefined, workspace: string[]) => ({
  ...{ taskId: `t${place}` as never, title: `do t${place}`, workspace },
  merge: merge ?? ('' as CommitId),
});

describe('taking merges back', () => {
  it('removes what one brought, also new, deleted and binary files, and nothing that others brought', async () => {
    const { repository, base, merges } = await merged({ 'a/1': 'one', 'a/2': 'two', 'b/1': 'b' }, [
      { workspace: ['a'], files: { 'a/1': 'ONE', 'a/2': undefined, 'a/new/x': Buffer.from([0, 1, 2]) } },
      { workspace: ['b'], files: { 'b/1': 'B' } },
    ]);
    const parent = merges[1] ?? ('' as CommitId);
    const entries = [revert(0, merges[0], ['a'])];
    const { tip, conflicts, isBase } = await repository.revert({ run, parent, base, at, entries });
    expect({ conflicts, isBase }).toEqual({ conflicts: [], isBase: false });
    expect(user.files(repository.gitDir, tip)).toEqual({ 'a/1': 'one', 'a/2': 'two', 'b/1': 'B' });
    const shown = user.gitWith({ GIT_DIR: repository.gitDir }, 'log', '-1', '--format=%P%n%B', tip);
    expect(shown.trim().split('\n')).toEqual([
      parent,
      'Roll back: do t0',
      '',
      'Switchyard-Rollback: t0',
      `Switchyard-Reverts: ${merges[0]}`,
      `Switchyard-Run: ${run}`,
    ]);
  });

  it('gives the same commits however often and wherever it is made', async () => {
    const { repository, base, merges } = await merged({ 'a/1': 'one' }, [
      { workspace: ['a'], files: { 'a/1': 'two' } },
    ]);
    const request = {
      run,
      base,
      parent: merges[0] ?? ('' as CommitId),
      at,
      entries: [revert(0, merges[0], ['a'])],
    };
    const first = await repository.revert(request);
    expect(await repository.revert(request)).toEqual(first);
    expect(await (await user.open()).revert(request)).toEqual(first);
    expect((await repository.revert({ ...request, at: at + 1000 })).tip).not.toBe(first.tip);
  });

  it('gives back the base where all of a run goes, newest first', async () => {
    const files = { 'a/1': '1\n2\n3', top: 't' };
    const { repository, base, merges } = await merged(files, [
      { workspace: ['a'], files: { 'a/1': '1\n2\nthree' } },
      { workspace: ['a', 'top'], files: { 'a/1': '1\ntwo\nthree', top: 'T' } },
      { workspace: ['a'], files: { 'a/1': undefined } },
    ]);
    const workspaces = [['a'], ['a', 'top'], ['a']];
    const entries = [2, 1, 0].map((place) => revert(place, merges[place], workspaces[place] ?? []));
    const { tip, conflicts, isBase } = await repository.revert({
      run,
      base,
      parent: merges[2] ?? ('' as CommitId),
      at,
      entries,
    });
    expect({ conflicts, isBase }).toEqual({ conflicts: [], isBase: true });
    expect(user.files(repository.gitDir, tip)).toEqual(files);
  });

  it('keeps what came later on other lines, and names the file where it came on the same', async () => {
    const lines = (...some: string[]): string => some.join('\n');
    const { repository, base, merges } = await merged({ 'a/1': lines('1', '2', '3', '4', '5', '6', '7') }, [
      { workspace: ['a'], files: { 'a/1': lines('one', '2', '3', '4', '5', '6', '7') } },
      { workspace: ['a'], files: { 'a/1': lines('one', '2', '3', '4', '5', '6', 'seven') } },
    ]);
    const parent = merges[1] ?? ('' as CommitId);
    const kept = await repository.revert({ run, parent, base, at, entries: [revert(0, merges[0], ['a'])] });
    expect(user.files(repository.gitDir, kept.tip)).toEqual({
      'a/1': lines('1', '2', '3', '4', '5', '6', 'seven'),
    });
    const later = user.attempt(repository, parent, { 'a/1': lines('uno', '2', '3', '4', '5', '6', 'seven') });
    const again = await repository.integrate({
      ...{ run, parent, at },
      entries: [entry('t2', { commit: later, base: parent, workspace: ['a'] })],
    });
    const mixed = await repository.revert({
      ...{ run, parent: again.tip, base, at },
      entries: [revert(0, merges[0], ['a'])],
    });
    expect(mixed.tip).toBe(again.tip);
    expect(mixed.conflicts.map(({ taskId, files }) => [taskId, files.map(({ path }) => path)])).toEqual([
      ['t0', ['a/1']],
    ]);
  });
});
