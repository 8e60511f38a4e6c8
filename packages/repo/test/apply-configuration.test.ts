import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { change, ran, start } from './applied-run.ts';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

const accept = () => Promise.resolve(undefined);

describe("apply and the user's configuration", () => {
  it('runs their filters and no hook', async () => {
    const mark = join(user.root, 'ran');
    user.git('config', 'filter.shout.clean', 'tr A-Z a-z');
    user.git('config', 'filter.shout.smudge', 'tr a-z A-Z');
    user.commit({ '.gitattributes': '*.txt filter=shout\n', 'one.txt': 'ONE\n' });
    const hooks = join(user.folder, '.git/hooks');
    mkdirSync(hooks, { recursive: true });
    for (const hook of [
      'post-checkout',
      'post-merge',
      'reference-transaction',
      'post-index-change',
      'pre-auto-gc',
    ]) {
      writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    }
    const { repository, tip } = await ran(user, { 'two.txt': 'two\n' });
    await repository.apply({ run, commit: tip, verify: accept });
    expect(existsSync(mark)).toBe(false);
    expect(user.read('two.txt')).toBe('TWO\n');
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('leaves the checkout as it was where a filter of theirs fails halfway, and goes on once that is mended', async () => {
    user.git('config', 'filter.locked.clean', 'cat');
    user.git('config', 'filter.locked.smudge', 'false');
    user.git('config', 'filter.locked.required', 'true');
    const base = user.commit({ ...start, '.gitattributes': 'src/z filter=locked\n', 'src/old/o': 'o\n' });
    const { repository, tip } = await ran(user, { ...change, 'src/z': 'z\n', 'src/old/o': undefined });
    await expect(repository.apply({ run, commit: tip, verify: accept })).rejects.toMatchObject({
      code: 'E_IO',
      message: expect.stringMatching(/checkout, which is as it was.*smudge filter locked failed/s),
    });
    expect(user.git('rev-parse', 'HEAD')).toBe(base);
    expect(user.git('status', '--porcelain')).toBe('');
    expect(existsSync(join(user.folder, 'src/new'))).toBe(false);
    user.git('config', 'filter.locked.smudge', 'cat');
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.git('rev-parse', 'HEAD')).toBe(tip);
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('writes the line ends they want', async () => {
    user.git('config', 'core.autocrlf', 'true');
    user.commit({ one: 'one\r\n' });
    const { repository, tip } = await ran(user, { two: 'two\n' });
    await repository.apply({ run, commit: tip, verify: accept });
    expect(user.read('two')).toBe('two\r\n');
    expect(user.git('status', '--porcelain')).toBe('');
  });

  it('plans without changing anything', async () => {
    user.commit(start);
    const { repository, base, tip } = await ran(user, change);
    user.write({ 'src/a': 'mine\n' });
    const planned = await repository.planApply(run, tip);
    expect(planned).toMatchObject({ head: base, fastForward: true, conflicts: [], dirty: ['src/a'] });
    expect(user.git('rev-parse', 'HEAD')).toBe(base);
    expect(readdirSync(user.folder)).toContain('gone');
  });
});
