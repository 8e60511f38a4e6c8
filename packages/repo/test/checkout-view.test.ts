import { chmodSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitId, type CommitId } from '@switchyard/protocol';
import { discoverRepository, openCheckoutView, type CheckoutView } from '@switchyard/repo';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
let view: CheckoutView | undefined;
beforeEach(() => {
  user = new UserCheckout();
  user.commit({ 'README.md': 'hello\n', 'src/a.ts': 'one\n', 'src/b.ts': 'two\n', '.gitignore': 'out/\n' });
});
afterEach(async () => {
  await view?.close();
  view = undefined;
  user.close();
});

const head = (): CommitId => commitId.parse(user.git('rev-parse', 'HEAD'));
const open = async (): Promise<CheckoutView> =>
  (view = await openCheckoutView(await discoverRepository(user.folder)));
const put = (path: string, text: string) => user.write({ [path]: text });

describe('a view of a checkout', () => {
  it('tells what differs from a commit: edited, staged, new, deleted; not what is ignored or only touched', async () => {
    put('src/a.ts', 'changed\n');
    put('src/new.ts', 'new\n');
    put('staged.ts', 'staged\n');
    user.git('add', 'staged.ts');
    put('out/built.js', 'built\n');
    put('README.md', 'hello\n');
    rmSync(join(user.folder, 'src/b.ts'));
    const before = user.git('status', '--porcelain');
    const changes = await (await open()).changesSince(head());
    expect(changes.map(({ path, change }) => `${change} ${path}`).sort()).toEqual([
      'added src/new.ts',
      'added staged.ts',
      'deleted src/b.ts',
      'modified src/a.ts',
    ]);
    expect(await view?.files()).toEqual(['.gitignore', 'README.md', 'src/a.ts', 'src/new.ts', 'staged.ts']);
    expect(user.git('status', '--porcelain')).toBe(before);
  });

  it('goes back to where the history left that of another branch', async () => {
    const fork = head();
    user.git('branch', 'other');
    user.commit({ 'mine.ts': 'mine\n' });
    user.git('checkout', '-q', 'other');
    user.commit({ 'theirs.ts': 'theirs\n' });
    user.git('checkout', '-q', 'main');
    const opened = await open();
    const since = await opened.forkPoint(await opened.resolve('other'));
    expect(since).toBe(fork);
    expect(await opened.changesSince(since)).toEqual([{ path: 'mine.ts', change: 'added' }]);
    expect(Buffer.from(await opened.readFile(fork, 'README.md')).toString()).toBe('hello\n');
    await expect(opened.readFile(fork, 'mine.ts')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(opened.resolve('nowhere')).rejects.toMatchObject({ code: 'E_BASE_UNKNOWN' });
    await expect(opened.resolve('--all')).rejects.toMatchObject({ code: 'E_BASE_UNKNOWN' });
  });

  it('runs no filter that the repository configures', async () => {
    user.git('config', 'filter.evil.clean', user.trap);
    user.git('config', 'core.fsmonitor', user.trap);
    put('src/a.ts', 'changed\n');
    writeFileSync(join(user.folder, '.gitattributes'), '* filter=evil\n');
    const changes = await (await open()).changesSince(head());
    expect(changes.map(({ path }) => path).sort()).toEqual(['.gitattributes', 'src/a.ts']);
    expect(user.wasTrapped).toBe(false);
  });

  it('takes line ends, encodings and the executable bit as the user has them', async () => {
    user.git('config', 'core.fileMode', 'false');
    user.git('config', 'core.autocrlf', 'true');
    const attributes = '*.bat text eol=crlf\n*.u16 text working-tree-encoding=UTF-16LE\n';
    const odd = { 'a.bat': 'a\r\n', 'c.u16': Buffer.from('c\n', 'utf16le'), 'd.txt': 'd\r\n' };
    user.commit({ '.gitattributes': attributes, ...odd });
    for (const name of Object.keys(odd)) {
      utimesSync(join(user.folder, name), 1, 1);
      chmodSync(join(user.folder, name), 0o755);
    }
    expect(await (await open()).changesSince(head())).toEqual([]);
    await view?.close();
    put('a.bat', 'b\r\n');
    expect(await (await open()).changesSince(head())).toEqual([{ path: 'a.bat', change: 'modified' }]);
  });

  it('sees an edit of the same length in the second of the commit', async () => {
    const second = (): number => Math.floor(Date.now() / 1000);
    let begun;
    let text = 1000;
    do {
      begun = second();
      user.commit({ 'src/a.ts': `${(text += 1)}\n` });
      put('src/a.ts', `${(text += 1)}\n`);
    } while (second() !== begun);
    await vi.waitUntil(() => second() > Number(begun), { timeout: 2_000 });
    expect(await (await open()).changesSince(head())).toEqual([{ path: 'src/a.ts', change: 'modified' }]);
  });

  it('counts a file that was only taken out of the index as what it is now', async () => {
    user.git('rm', '-q', '--cached', 'src/a.ts');
    expect(await (await open()).changesSince(head())).toEqual([{ path: 'src/a.ts', change: 'modified' }]);
  });
});
