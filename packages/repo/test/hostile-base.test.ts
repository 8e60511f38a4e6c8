import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitId, type CommitId } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entry, run, UserCheckout } from './user-checkout.ts';

// Dozens of gits on a busy machine.
/** One entry of a tree as bytes of git. */
interface Entry {
  readonly name: string | Buffer;
  readonly mode?: '100644' | '120000' | '160000' | '40000';
  readonly id: string;
}

let user: UserCheckout;
let repository: RunRepository;
let first: CommitId;
let text = '';
beforeAll(async () => {
  user = new UserCheckout();
  first = user.commit({ 'a/f': 'f\n', 'b/g': 'g\n' });
  text = user.git('rev-parse', 'HEAD:a/f');
  repository = await user.open();
});
afterAll(() => user.close());

/** Writes a tree of any names in any order, as no git would. */
function treeOf(...entries: Entry[]): string {
  const content = entries.map(({ name, mode = '100644', id }) =>
    Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]),
  );
  const args = ['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'];
  return execFileSync('git', args, {
    cwd: user.folder,
    input: Buffer.concat(content),
    encoding: 'utf8',
  }).trim();
}

/** A commit on the user's branch with one more folder in it. */
function commitWith(folder: string, tree: string): CommitId {
  const [a, b] = ['a', 'b'].map((name) => user.git('rev-parse', `${first}:${name}`));
  const root = treeOf(
    { name: 'a', mode: '40000', id: a ?? '' },
    { name: 'b', mode: '40000', id: b ?? '' },
    { name: folder, mode: '40000', id: tree },
  );
  const commit = user.git('commit-tree', root, '-p', first, '-m', 'x');
  user.git('update-ref', 'refs/heads/hostile', commit);
  return commitId.parse(commit);
}

const escape = '\u001B[31m';

/** Names that a checkout can hold, however odd. */
const oddNames = [
  '--upload-pack=touch x',
  '-n',
  '"\t\\',
  '$(touch x)`touch y`;touch z',
  ':(top)*?[a]',
  'con:a|b<c>.txt ',
  'a\nb',
  'a\\b',
  'e\u0301',
  '\u00E9',
  `\u0001${escape}\u007F`,
  '\u202Etxt.exe',
  'x'.repeat(255),
];

describe('a base with odd names', () => {
  it('is carried through a run byte for byte', async () => {
    const names = [...oddNames.map((name) => Buffer.from(name)), Buffer.from([0x62, 0xff, 0xfe])];
    const sorted = names.sort((a, b) => a.compare(b));
    const base = commitWith('n', treeOf(...sorted.map((name) => ({ name, id: text }))));
    user.git('read-tree', base);
    user.git('checkout-index', '-a', '-f');
    user.git('symbolic-ref', 'HEAD', 'refs/heads/hostile');
    expect(await repository.resolveBase('hostile')).toBe(base);
    await repository.createRun(run, base);
    const commit = user.attempt(repository, base, {
      'a/f': 'changed\n',
      'n/-n': 'changed\n',
      'n/--all': 'new\n',
    });
    const checked = await repository.checkAttempt({ base, commit, workspace: ['a', 'n'] });
    expect(checked.outside).toEqual([]);
    const entries = [entry('t', { commit, base, workspace: ['a', 'n'] })];
    const { tip } = await repository.integrate({ run, parent: base, at: 0, entries });
    await repository.moveRun(run, base, tip);
    const changed = await repository.changedLines(base, tip);
    expect(changed.map(({ path }) => path)).toEqual(['a/f', 'n/--all', 'n/-n']);
    const out = join(user.root, 'out');
    await repository.checkout(tip, out);
    const listed = readdirSync(join(out, 'n'), { encoding: 'buffer' }).sort((a, b) => a.compare(b));
    expect(listed).toEqual([...names, Buffer.from('--all')].sort((a, b) => a.compare(b)));
    await repository.publish(run);
    await repository.apply({ run, commit: tip, verify: () => Promise.resolve(undefined) });
    expect(readFileSync(join(user.folder, 'n/-n'), 'utf8')).toBe('changed\n');
    expect(user.git('status', '--porcelain')).toBe('');
    expect(readdirSync(user.root).sort()).toEqual(['out', 'project', 'state']);
  });
});

describe('a base that no checkout can hold', () => {
  const zeroWidth = '.g\u200Cit';
  it.each<[string, Entry[] | string | Buffer]>([
    ['.git', '.git'],
    ['.git in other case', '.GIT'],
    ['.git as Windows shortens it', 'git~1'],
    ['.git with what Windows drops', '.git. .'],
    ['a stream of .git', '.git::$INDEX_ALLOCATION'],
    ['.git below a backslash', '.git\\config'],
    ['.git as macOS reads it', zeroWidth],
    ['.git behind bytes that are no text', Buffer.from([0xff, 0x5c, ...Buffer.from('.git')])],
    ['the folder itself', '.'],
    ['the folder above', '..'],
    ['a name that is too long', 'x'.repeat(256)],
    ...[
      '.gitmodules',
      '.GitModules',
      'GITMOD~1',
      'gi7eba~1',
      `.gitm${zeroWidth.slice(2, 3)}odules`,
      '.gitmodules ::$DATA',
    ].map((name): [string, Entry[]] => [
      `a link for .gitmodules: ${name}`,
      [{ name, mode: '120000', id: '' }],
    ]),
    [
      'two files of one name',
      [
        { name: 'x', id: '' },
        { name: 'x', id: '' },
      ],
    ],
  ])('is refused before the run: %s', async (_, what) => {
    const entries = typeof what === 'string' || Buffer.isBuffer(what) ? [{ name: what, id: '' }] : what;
    commitWith('n', treeOf(...entries.map((each) => ({ ...each, id: text }))));
    const refused = repository.resolveBase('hostile');
    await expect(refused).rejects.toMatchObject({
      code: 'E_PATH_INVALID',
      details: { paths: [expect.stringMatching(/^n\//)] },
    });
    await expect(refused).rejects.toThrow(/the base holds paths that no checkout can have .*remove them/);
  });

  it('is refused where a link stands in the way of files', async () => {
    const link = execFileSync('git', ['hash-object', '-w', '--stdin'], {
      cwd: user.folder,
      input: user.root,
      encoding: 'utf8',
    });
    const below = treeOf({ name: 'planted', id: text });
    const tree = treeOf(
      { name: 'x', mode: '120000', id: link.trim() },
      { name: 'x', mode: '40000', id: below },
    );
    commitWith('n', tree);
    await expect(repository.resolveBase('hostile')).rejects.toMatchObject({
      code: 'E_PATH_INVALID',
      details: { paths: ['n/x/planted'] },
    });
    expect(readdirSync(user.root)).not.toContain('planted');
  });

  it('is named without what could fool a reader', async () => {
    commitWith(`n${escape}`, treeOf({ name: '.git', id: text }));
    const told = await repository.resolveBase('hostile').catch((error: Error) => error.message);
    expect(told).toContain('n\\u{1b}[31m/.git');
  });
});

describe('a base behind odd references', () => {
  it.each([
    'refs/heads/-x',
    'refs/heads/--output=x',
    'refs/heads/$(touch${IFS}x);y',
    'refs/heads/HEAD',
    'refs/heads/ä\u202E',
  ])('is found by its name: %s', async (name) => {
    user.git('update-ref', name, first);
    expect(await repository.resolveBase(name)).toBe(first);
    user.git('symbolic-ref', 'HEAD', name);
    expect(await repository.resolveBase()).toBe(first);
    const opened = await user.open();
    expect(await opened.resolveBase('HEAD')).toBe(first);
  });

  it('is the commit of that id, whatever a branch of the same name says', async () => {
    const other = user.git('commit-tree', `${first}^{tree}`, '-m', 'other');
    user.git('update-ref', `refs/heads/${first}`, other);
    user.git('update-ref', `refs/tags/${first}`, other);
    expect(await repository.resolveBase(first)).toBe(first);
  });
});
