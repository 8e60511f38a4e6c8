import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entry, run, UserCheckout, type Content } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

const at = 1_700_000_000_000;

async function prepared(files: Readonly<Record<string, Content>>) {
  user.commit(files);
  const repository = await user.open();
  const base = await repository.resolveBase();
  await repository.createRun(run, base);
  return { repository, base };
}

describe('integration', () => {
  it('takes each workspace and leaves the rest of the tip alone', async () => {
    const { repository, base } = await prepared({ 'a/1': 'one', 'b/1': 'one', 'c.txt': 'c', top: 't' });
    const first = user.attempt(repository, base, { 'a/1': 'two', 'a/new/x': 'x' });
    const second = user.attempt(repository, base, { 'b/1': undefined, 'b/2': 'two', 'c.txt': 'C' });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [
        entry('first', { commit: first, base, workspace: ['a'] }),
        entry('second', { commit: second, base, workspace: ['b', 'c.txt'] }),
      ],
    });
    expect(result.conflicts).toEqual([]);
    expect(result.merged.map(({ taskId }) => taskId)).toEqual(['first', 'second']);
    expect(result.tip).toBe(result.merged[1]?.commit);
    expect(user.files(repository.gitDir, result.tip)).toEqual({
      'a/1': 'two',
      'a/new/x': 'x',
      'b/2': 'two',
      'c.txt': 'C',
      top: 't',
    });
  });

  it('gives the same commits however often and where it is made', async () => {
    const { repository, base } = await prepared({ 'a/1': 'one' });
    const commit = user.attempt(repository, base, { 'a/1': 'two' });
    const request = { run, parent: base, at, entries: [entry('t', { commit, base, workspace: ['a'] })] };
    const results = [await repository.integrate(request), await repository.integrate(request)];
    const reopened = await user.open();
    results.push(await reopened.integrate(request));
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    const other = await repository.integrate({ ...request, at: at + 1000 });
    expect(other.tip).not.toBe(results[0]?.tip);
  });

  it('makes merges of the tip and the attempt that name task, attempt and run', async () => {
    const { repository, base } = await prepared({ 'a/1': 'one' });
    const commit = user.attempt(repository, base, { 'a/1': 'two' });
    const entries = [{ ...entry('t\nx', { commit, base, workspace: ['a'] }), title: ' Do\tit\n\nnow\0' }];
    const { tip } = await repository.integrate({ run, parent: base, at, entries });
    const shown = user.gitWith(
      { GIT_DIR: repository.gitDir },
      ...['log', '-1', '--format=%P%n%an <%ae> %ad%n%cn <%ce> %cd%n%B', '--date=raw', tip],
    );
    expect(shown.trimEnd().split('\n')).toEqual([
      `${base} ${commit}`,
      'Switchyard <switchyard@localhost> 1700000000 +0000',
      'Switchyard <switchyard@localhost> 1700000000 +0000',
      'Do it now',
      '',
      'Switchyard-Task: t x',
      'Switchyard-Attempt: 1',
      `Switchyard-Run: ${run}`,
    ]);
  });

  it('merges line by line where the tip changed the workspace since the base', async () => {
    const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
    const { repository, base } = await prepared({ 'a/f': text(['1', '2', '3', '4', '5', '6', '7']) });
    const first = user.attempt(repository, base, { 'a/f': text(['ONE', '2', '3', '4', '5', '6', '7']) });
    const second = user.attempt(repository, base, { 'a/f': text(['1', '2', '3', '4', '5', '6', 'SEVEN']) });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [
        entry('first', { commit: first, base, workspace: ['a'] }),
        entry('second', { commit: second, base, workspace: ['a'] }),
      ],
    });
    expect(result.conflicts).toEqual([]);
    expect(user.files(repository.gitDir, result.tip)['a/f']).toBe('ONE\n2\n3\n4\n5\n6\nSEVEN');
  });

  it('gives both sides of a conflict, takes nothing of that task and goes on with the next', async () => {
    const { repository, base } = await prepared({ 'a/f': 'old\n', 'a/other': 'o\n', b: 'b\n' });
    const first = user.attempt(repository, base, { 'a/f': 'first\n' });
    const second = user.attempt(repository, base, { 'a/f': 'second\n', 'a/other': 'changed\n' });
    const third = user.attempt(repository, base, { b: 'third\n' });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [
        entry('first', { commit: first, base, workspace: ['a'] }),
        entry('second', { commit: second, base, workspace: ['a'] }),
        entry('third', { commit: third, base, workspace: ['b'] }),
      ],
    });
    expect(result.merged.map(({ taskId }) => taskId)).toEqual(['first', 'third']);
    expect(result.conflicts).toEqual([
      {
        taskId: 'second',
        files: [{ path: 'a/f', base: 'old\n', ours: 'first\n', theirs: 'second\n' }],
      },
    ]);
    expect(user.files(repository.gitDir, result.tip)).toEqual({
      'a/f': 'first',
      'a/other': 'o',
      b: 'third',
    });
  });

  it('says so when one side deleted what the other changed, and when binary files differ', async () => {
    const { repository, base } = await prepared({ 'a/f': 'old\n', 'a/g': Buffer.from([0, 1, 2]) });
    const first = user.attempt(repository, base, { 'a/f': undefined, 'a/g': Buffer.from([0, 1, 3]) });
    const second = user.attempt(repository, base, { 'a/f': 'second\n', 'a/g': Buffer.from([0, 1, 4]) });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [
        entry('first', { commit: first, base, workspace: ['a'] }),
        entry('second', { commit: second, base, workspace: ['a'] }),
      ],
    });
    const [conflict] = result.conflicts;
    expect(conflict?.files.find(({ path }) => path === 'a/f')).toEqual({
      path: 'a/f',
      base: 'old\n',
      theirs: 'second\n',
    });
    expect(conflict?.files.find(({ path }) => path === 'a/g')?.ours).toMatch(/binary file of 3 bytes/);
  });

  it('keeps apart a folder that one task renames and another writes in', async () => {
    const { repository, base } = await prepared({ 'lib/a.txt': 'a\n', 'lib/c.txt': 'c\n' });
    const rename = user.attempt(repository, base, {
      'lib/a.txt': undefined,
      'lib/c.txt': undefined,
      'moved/a.txt': 'a\n',
      'moved/c.txt': 'c\n',
    });
    const write = user.attempt(repository, base, { 'lib/b.txt': 'b\n' });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [
        entry('rename', { commit: rename, base, workspace: ['lib', 'moved'] }),
        entry('write', { commit: write, base, workspace: ['lib'] }),
      ],
    });
    expect(result.conflicts).toEqual([]);
    // Names are not followed: what was written into the old folder stays there.
    expect(Object.keys(user.files(repository.gitDir, result.tip)).sort()).toEqual([
      'lib/b.txt',
      'moved/a.txt',
      'moved/c.txt',
    ]);
  });

  it('reports a file that took the place of the folder another task writes in', async () => {
    const { repository, base } = await prepared({ 'a/f': 'f\n', x: 'x' });
    const first = user.attempt(repository, base, { a: 'now a file\n' });
    const second = user.attempt(repository, base, { 'a/deep/g': 'g\n' });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [
        entry('first', { commit: first, base, workspace: ['a'] }),
        entry('second', { commit: second, base, workspace: ['a/deep'] }),
      ],
    });
    expect(result.merged).toHaveLength(1);
    expect(result.conflicts).toEqual([
      { taskId: 'second', files: [expect.objectContaining({ path: 'a/deep', theirs: '(a folder)' })] },
    ]);
  });

  it('carries executable bits, links and names of any bytes', async () => {
    const { repository, base } = await prepared({ 'a/x': 'x' });
    const strange = 'a/line\nbreak "quoted" \'и\' \t*';
    const commit = user.attempt(repository, base, {
      'a/run.sh': { program: '#!/bin/sh\n' },
      'a/link': { link: '../a/x' },
      [strange]: 'strange',
    });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [entry('t', { commit, base, workspace: ['a'] })],
    });
    const listed = user.gitWith({ GIT_DIR: repository.gitDir }, 'ls-tree', '-r', '-z', result.tip);
    expect(
      listed
        .split('\0')
        .map((line) => line.replace(/ blob [0-9a-f]+\t/, ' '))
        .sort(),
    ).toEqual(['', `100644 ${strange}`, '100644 a/x', '100755 a/run.sh', '120000 a/link'].sort());
  });

  it('can take all of a repository and can empty it', async () => {
    const { repository, base } = await prepared({ 'a/x': 'x', y: 'y' });
    const commit = user.attempt(repository, base, { 'a/x': undefined, y: undefined });
    const result = await repository.integrate({
      run,
      parent: base,
      at,
      entries: [entry('t', { commit, base, workspace: ['.'] })],
    });
    expect(user.files(repository.gitDir, result.tip)).toEqual({});
  });

  it("never runs the user's hooks, merge drivers, filters or monitors", async () => {
    const mark = join(user.root, 'ran');
    const script = join(user.root, 'evil.sh');
    writeFileSync(script, `#!/bin/sh\necho "$0 $*" >> ${mark}\nexit 0\n`);
    chmodSync(script, 0o755);
    const hooks = join(user.folder, '.git/hooks');
    mkdirSync(hooks, { recursive: true });
    user.commit({ 'a/f': '1\n2\n3\n', '.gitattributes': '* merge=evil filter=evil diff=evil\n' });
    for (const key of [
      'merge.evil.driver',
      'filter.evil.smudge',
      'filter.evil.clean',
      'diff.evil.textconv',
    ]) {
      user.git('config', key, script);
    }
    for (const key of [
      'core.fsmonitor',
      'core.alternateRefsCommand',
      'uploadpack.packObjectsHook',
      'core.sshCommand',
    ]) {
      user.git('config', key, script);
    }
    for (const hook of ['reference-transaction', 'post-checkout', 'pre-commit', 'post-update', 'update']) {
      writeFileSync(join(hooks, hook), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const repository = await user.open();
    const base = await repository.resolveBase();
    await repository.createRun(run, base);
    const first = user.attempt(repository, base, { 'a/f': 'ONE\n2\n3\n' });
    const second = user.attempt(repository, base, { 'a/f': '1\n2\nTHREE\n' });
    const entries = [first, second].map((commit, index) =>
      entry(`t${index}`, { commit, base, workspace: ['a'] }),
    );
    const { tip, conflicts } = await repository.integrate({ run, parent: base, at, entries });
    await repository.moveRun(run, base, tip);
    await repository.checkout(tip, join(user.root, 'out'));
    await repository.changedLines(base, tip);
    await repository.publish(run);
    expect(conflicts).toEqual([]);
    expect(user.files(repository.gitDir, tip)['a/f']).toBe('ONE\n2\nTHREE');
    expect(existsSync(mark)).toBe(false);
  });
});

describe('integration, for any disjoint workspaces in any order', () => {
  const folders = ['a', 'b', 'c/d', 'c/e', 'f.txt'];
  const names = ['x', 'y', 'sub/z'];
  const content = fc.option(fc.constantFrom('1', '2', '3\n4\n'), { nil: undefined });
  /** Contents of the files of each workspace; a workspace may be one file. */
  const world = fc.tuple(
    ...folders.map((folder) =>
      fc
        .tuple(...(folder.endsWith('.txt') ? [''] : names).map(() => content))
        .map((values) => paths(folder, values)),
    ),
  );

  function paths(
    folder: string,
    values: readonly (string | undefined)[],
  ): Record<string, string | undefined> {
    if (folder.endsWith('.txt')) return { [folder]: values[0] };
    return Object.fromEntries(names.map((name, index) => [`${folder}/${name}`, values[index]]));
  }

  it('the result is the overlay of all of them', async () => {
    const { repository, base: empty } = await prepared({ keep: 'kept' });
    await fc.assert(
      fc.asyncProperty(
        world,
        world,
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 }),
        async (before, after, order) => {
          const base = user.attempt(
            repository,
            empty,
            Object.assign({}, ...before) as Record<string, Content>,
          );
          const entries = order.map((index) => {
            const folder = folders[index] ?? '';
            const commit = user.attempt(repository, base, after[index] ?? {});
            return entry(`t${index}`, { commit, base, workspace: [folder] });
          });
          const request = { run, parent: base, at, entries };
          const result = await repository.integrate(request);
          const expected: Record<string, string | undefined> = {
            keep: 'kept',
            ...Object.assign({}, ...before),
          };
          for (const index of order) Object.assign(expected, after[index]);
          expect(result.conflicts).toEqual([]);
          expect(user.files(repository.gitDir, result.tip)).toEqual(
            Object.fromEntries(
              Object.entries(expected)
                .filter(([, text]) => text !== undefined)
                .map(([path, text]) => [path, text?.replace(/\n$/, '')]),
            ),
          );
          expect(await repository.integrate(request)).toEqual(result);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('the branch of a run', () => {
  async function two(): Promise<{
    repository: Awaited<ReturnType<UserCheckout['open']>>;
    base: CommitId;
    next: CommitId;
  }> {
    const { repository, base } = await prepared({ a: '1' });
    return { repository, base, next: user.attempt(repository, base, { a: '2' }) };
  }

  it('moves by compare-and-swap, and once more is fine', async () => {
    const { repository, base, next } = await two();
    await repository.moveRun(run, base, next);
    await repository.moveRun(run, base, next);
    expect(await repository.runTip(run)).toBe(next);
    const other = user.attempt(repository, base, { a: '3' });
    await expect(repository.moveRun(run, base, other)).rejects.toMatchObject({ code: 'E_RUN_BRANCH_MOVED' });
    await expect(repository.createRun(run, base)).rejects.toMatchObject({ code: 'E_RUN_BRANCH_MOVED' });
  });

  it('is published as a ref only, and not over commits of the user', async () => {
    const { repository, base, next } = await two();
    await repository.moveRun(run, base, next);
    await repository.publish(run);
    expect(user.git('rev-parse', `switchyard/${run}`)).toBe(next);
    expect(user.git('show', `switchyard/${run}:a`)).toBe('2');
    expect(user.git('status', '--porcelain')).toBe('');
    expect(user.git('fsck', '--strict')).not.toMatch(/error|missing/);
    user.git('checkout', '-q', `switchyard/${run}`);
    const theirs = user.commit({ mine: 'mine' });
    const third = user.attempt(repository, next, { a: '3' });
    await repository.moveRun(run, next, third);
    await repository.publish(run);
    expect(user.git('rev-parse', `switchyard/${run}`)).toBe(theirs);
    expect(user.git('rev-parse', `refs/switchyard/runs/${run}`)).toBe(third);
  });

  it('grows in the user repository as it is published again and again, at once too', async () => {
    const { repository, base, next } = await two();
    await repository.moveRun(run, base, next);
    const third = user.attempt(repository, next, { a: '3' });
    const first = repository.publish(run);
    await repository.moveRun(run, next, third);
    await Promise.all([first, repository.publish(run), repository.publish(run)]);
    expect(user.git('rev-parse', `switchyard/${run}`)).toBe(third);
    expect(user.git('show', `switchyard/${run}:a`)).toBe('3');
  });

  it('can be forgotten', async () => {
    const { repository, base } = await two();
    await repository.dropRun(run);
    expect(await repository.runTip(run)).toBeUndefined();
    await repository.createRun(run, base);
  });
});
