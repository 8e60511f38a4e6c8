import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectCommits, type CommitsFound } from '@switchyard/repo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = 'refs/heads/switchyard/demo';
const pin = 'refs/switchyard/pinned/demo/a';
let folder = '';
let gitDir = '';

function git(...args: string[]): string {
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  return execFileSync('git', [...author, '--git-dir', gitDir, ...args], {
    cwd: join(folder, 'tree'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

function commit(text: string, ref: string): string {
  writeFileSync(join(folder, 'tree', 'folder', 'file'), text);
  git('--work-tree=.', 'add', '.');
  const made = git('commit-tree', git('write-tree'), '-m', text);
  git('update-ref', ref, made);
  return made;
}

const placeOf = (id: string): string => join(gitDir, 'objects', id.slice(0, 2), id.slice(2));
const lose = (revision: string): string => {
  const id = git('rev-parse', revision);
  rmSync(placeOf(id));
  return id;
};
const look = (isStill = true): Promise<CommitsFound> => inspectCommits(gitDir, { isStill });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-commits-'));
  gitDir = join(folder, 'repository.git');
  mkdirSync(join(folder, 'tree', 'folder'), { recursive: true });
  execFileSync('git', ['init', '-q', '--bare', '--template=', gitDir]);
  commit('one', run);
  commit('two', pin);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a look at the commits', () => {
  it('finds nothing wrong where all is there', async () => {
    expect(await look()).toEqual({ refs: 2, unreadable: [], isCut: false });
    rmSync(join(gitDir, 'refs/switchyard'), { recursive: true });
    expect(await look()).toEqual({ refs: 1, unreadable: [], isCut: false });
  });

  it('names each ref whose commit or root tree has gone', async () => {
    const tree = git('rev-parse', run);
    lose(`${run}^{tree}`);
    const gone = lose(pin);
    expect((await look(false)).unreadable).toEqual([
      `${run}: the root tree of ${tree} cannot be read`,
      `${pin}: ${gone} cannot be read`,
    ]);
    rmSync(join(gitDir, 'objects'), { recursive: true });
    mkdirSync(join(gitDir, 'objects'));
    expect((await look()).unreadable).toEqual([
      `${run}: ${tree} cannot be read`,
      `${pin}: ${gone} cannot be read`,
    ]);
  });

  it('names each that is damaged, and those after it', async () => {
    const damaged = [run, pin].map((ref) => git('rev-parse', ref));
    for (const id of damaged) {
      rmSync(placeOf(id));
      writeFileSync(placeOf(id), 'no object');
    }
    expect((await look()).unreadable).toEqual([
      `${run}: ${damaged[0]} cannot be read`,
      `${pin}: ${damaged[1]} cannot be read`,
    ]);
  });

  it('names a ref that is no ref any more', async () => {
    writeFileSync(join(gitDir, pin), '\0'.repeat(41));
    expect((await look()).unreadable).toEqual([`${pin} names no commit`]);
  });

  it('finds what has gone below the root, where nobody writes', async () => {
    const blob = lose(`${pin}:folder/file`);
    expect((await look(false)).unreadable).toEqual([]);
    expect((await look()).unreadable).toEqual([expect.stringContaining(`missing blob ${blob}`)]);
  });

  it('says what else is needed and not there', async () => {
    const needed = [
      { revision: 'refs/heads/switchyard/other', what: 'the branch of other' },
      { revision: git('rev-parse', run), what: 'the base of demo' },
    ];
    expect((await inspectCommits(gitDir, { needed, isStill: true })).unreadable).toEqual([
      'the branch of other: refs/heads/switchyard/other cannot be read',
    ]);
  });

  it.each(['HEAD', 'objects', 'refs'])('says that %s has gone', async (name) => {
    rmSync(join(gitDir, name), { recursive: true });
    expect((await look()).unreadable).toEqual([`${join(gitDir, name)} is gone`]);
  });

  it('does not take a repository that git cannot open for one without refs', async () => {
    writeFileSync(join(gitDir, 'config'), 'no configuration');
    await expect(look()).rejects.toMatchObject({ code: 'E_IO' });
  });

  it('ends when its time is over, and says so', async () => {
    expect(await inspectCommits(gitDir, { isStill: true, timeoutMs: 0 })).toMatchObject({ isCut: true });
  });
});
