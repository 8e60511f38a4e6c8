import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone, ObjectCache } from '@switchyard/repo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CacheBench, realSandbox } from './cache-bench.ts';
import { layFiles } from './git-hub.ts';

// Real git and real sandboxes on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const files = {
  'src/a.txt': 'a\n',
  'src/b.txt': 'b\n',
  'docs/d.md': 'd\n',
  'tool.sh': { run: '#!/bin/sh\n' },
};
const at = 1_700_000_000_000;

let sandbox: Sandbox;
let bench: CacheBench;
let cache: ObjectCache;
let base: CommitId;
beforeAll(async () => void (sandbox = await realSandbox()));
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new CacheBench(sandbox);
  base = bench.hub.commit(files, bench.hub.commit({ 'old.txt': 'old\n' }));
  cache = await bench.open();
  await cache.fetch([base]);
});
afterEach(() => bench.close());

const prepare = (more: { continueFrom?: CommitId; include?: CommitId } = {}): Promise<AttemptClone> =>
  cache.prepareAttempt({ folder: bench.folder(), base, ...more });

const build = (clone: AttemptClone, workspace: string[] = ['.'], exclude: string[] = []) =>
  clone.buildCommit({ base, workspace, exclude, message: 'work\n', at });

const gitIn = (clone: AttemptClone, line: string): string =>
  execFileSync('git', line.split(' '), { cwd: clone.tree, encoding: 'utf8' }).trim();

describe("an attempt's git", () => {
  it('is on a branch at the base, clean, complete in itself, and its own', async () => {
    const clone = await prepare();
    expect(gitIn(clone, 'status --porcelain --branch')).toBe('## attempt');
    expect(gitIn(clone, 'rev-parse HEAD')).toBe(base);
    expect(gitIn(clone, 'log --format=%H -- src')).toBe(base);
    expect(gitIn(clone, 'rev-list --count HEAD')).toBe('2');
    expect(gitIn(clone, 'fsck --full')).toBe('');
    expect(gitIn(clone, 'remote')).toBe('');
    layFiles(clone.tree, { 'src/a.txt': 'changed\n' });
    gitIn(clone, 'commit -q -am mine');
    const built = await build(clone);
    expect(built.files).toEqual([{ path: 'src/a.txt', change: 'modified' }]);
  });
});

describe('the git of an attempt that may not read everything', () => {
  it('holds nothing else, is clean, and changes nothing for the commit', async () => {
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base, readable: ['src', 'tool.sh'] });
    expect(gitIn(clone, 'ls-tree -r --name-only HEAD').split('\n')).toEqual([
      'src/a.txt',
      'src/b.txt',
      'tool.sh',
    ]);
    const objects = gitIn(clone, 'cat-file --batch-all-objects --batch-check=%(objecttype)').split('\n');
    expect(objects.filter((type) => type === 'blob')).toHaveLength(3);
    rmSync(join(clone.tree, 'docs'), { recursive: true });
    expect(gitIn(clone, 'status --porcelain')).toBe('');
    layFiles(clone.tree, { 'docs/d.md': 'd\n', 'src/a.txt': 'A\n' });
    expect(await build(clone, ['src'])).toMatchObject({
      files: [{ path: 'src/a.txt', change: 'modified' }],
      outside: [],
    });
  });
});

describe('a built commit', () => {
  it('has the files of the tree, the base as its only parent, and can be pushed and checked out', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'src/new.txt': 'new\n', 'src/a.txt': 'A\n' });
    rmSync(join(clone.tree, 'src/b.txt'));
    const { commit, files: changed, outside } = await build(clone, ['src']);
    expect({ changed, outside }).toEqual({
      changed: [
        { path: 'src/a.txt', change: 'modified' },
        { path: 'src/b.txt', change: 'deleted' },
        { path: 'src/new.txt', change: 'added' },
      ],
      outside: [],
    });
    const ref = 'refs/switchyard/attempts/r/t/1';
    await clone.push(ref, commit as CommitId);
    await clone.push(ref, commit as CommitId);
    expect(bench.hub.git(['rev-parse', ref])).toBe(commit);
    expect(bench.hub.git(['log', '-1', '--format=%P|%an|%ae|%cn|%at|%ct|%B', ref])).toBe(
      `${base}|Switchyard|switchyard@localhost|Switchyard|1700000000|1700000000|work\n`,
    );
    const folder = bench.folder();
    await cache.checkout(commit as CommitId, folder);
    expect(readFileSync(join(folder, 'src/new.txt'), 'utf8')).toBe('new\n');
    await clone.dispose();
    await clone.dispose();
    expect(existsSync(clone.tree)).toBe(false);
  });
});

/** What an attempt's hands do to a tree, and what becomes of it. */
interface Case {
  readonly does: (tree: string, clone: AttemptClone) => void;
  readonly workspace?: string[];
  readonly exclude?: string[];
  readonly changed?: string[];
  readonly outside?: string[];
}

const remove = (tree: string, path: string): void => rmSync(join(tree, path), { recursive: true });
const plant = (folder: string): void => {
  mkdirSync(folder, { recursive: true });
  execFileSync('git', ['init', '-q', folder]);
  execFileSync('git', [
    '-C',
    folder,
    '-c',
    'user.name=x',
    '-c',
    'user.email=x',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  ]);
};
const nonUtf8 = (folder: string): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff, 0xfe])]);

const cases: Record<string, Case> = {
  nothing: { does: () => undefined },
  'new files, also in new folders': {
    does: (tree) => layFiles(tree, { 'src/x/y.txt': 'y', 'src/z': 'z' }),
    changed: ['added src/x/y.txt', 'added src/z'],
  },
  'a changed mode': {
    does: (tree) => chmodSync(join(tree, 'src/a.txt'), 0o755),
    changed: ['modified src/a.txt'],
  },
  'the same size and times, other content': {
    does: (tree) => {
      const file = join(tree, 'src/a.txt');
      execFileSync('sh', [
        '-c',
        'touch -r "$1" ref && printf "X\\n" > "$1" && touch -r ref "$1" && rm ref',
        'sh',
        file,
      ]);
    },
    changed: ['modified src/a.txt'],
  },
  'a touched file': { does: (tree) => execFileSync('touch', [join(tree, 'src/a.txt')]) },
  'a file that became a folder': {
    does: (tree) => (remove(tree, 'src/a.txt'), layFiles(tree, { 'src/a.txt/in': 'x' })),
    changed: ['deleted src/a.txt', 'added src/a.txt/in'],
  },
  'a folder that became a file': {
    does: (tree) => (remove(tree, 'src'), layFiles(tree, { src: 'x' })),
    changed: ['added src', 'deleted src/a.txt', 'deleted src/b.txt'],
  },
  'a folder that became a link to another with the same names': {
    does: (tree) => {
      layFiles(tree, { 'docs/a.txt': 'a\n', 'docs/b.txt': 'b\n' });
      remove(tree, 'src');
      layFiles(tree, { src: { link: 'docs' } });
    },
    changed: ['added docs/a.txt', 'added docs/b.txt', 'added src', 'deleted src/a.txt', 'deleted src/b.txt'],
  },
  'a file that became a link': {
    does: (tree) => (remove(tree, 'src/a.txt'), layFiles(tree, { 'src/a.txt': { link: 'b.txt' } })),
    changed: ['type-changed src/a.txt'],
  },
  'links that lead out': {
    does: (tree) =>
      layFiles(tree, {
        'src/absolute': { link: '/etc/passwd' },
        'src/up': { link: '../../x' },
        'src/through': { link: 'way/../../../x' },
        'src/git': { link: '../.git/config' },
        'src/fine': { link: '../docs/d.md' },
        'src/dangling': { link: 'nothing' },
      }),
    changed: ['added src/dangling', 'added src/fine'],
    outside: ['src/absolute', 'src/git', 'src/through', 'src/up'],
  },
  'ignored files': {
    does: (tree) =>
      layFiles(tree, { 'src/.gitignore': '*.log\nbuild/\n', 'src/x.log': 'x', 'src/build/y': 'y' }),
    changed: ['added src/.gitignore'],
  },
  'a change of an ignored file that the base has': {
    does: (tree) => layFiles(tree, { '.gitignore': 'src\n', 'src/a.txt': 'A', 'src/new': 'n' }),
    changed: ['added .gitignore', 'modified src/a.txt'],
  },
  'changes outside the workspace': {
    does: (tree) => {
      layFiles(tree, { 'src/a.txt': 'A', 'docs/d.md': 'D', 'docs/new': 'n', srcs: 's', 'docs/src/x': 'x' });
      remove(tree, 'tool.sh');
    },
    workspace: ['src/'],
    changed: ['modified src/a.txt'],
    outside: ['docs/d.md', 'docs/new', 'docs/src/x', 'srcs', 'tool.sh'],
  },
  'a single file as workspace': {
    does: (tree) => layFiles(tree, { 'src/a.txt': 'A', 'src/a.txt2': 'x' }),
    workspace: ['src/a.txt'],
    changed: ['modified src/a.txt'],
    outside: ['src/a.txt2'],
  },
  'scratch and layers': {
    does: (tree) => {
      layFiles(tree, {
        'node_modules/p/index.js': 'x',
        'src/dist/out.js': 'x',
        'src/a.log': 'x',
        'src/dist.txt': 'kept',
        'docs/d.md': 'D',
      });
      plant(join(tree, 'node_modules/git-dependency'));
    },
    workspace: ['src'],
    exclude: ['node_modules', '**/dist/', '**/*.log', './docs'],
    changed: ['added src/dist.txt'],
  },
  'a file in place of a folder that is left as it was': {
    does: (tree) => (remove(tree, 'docs'), layFiles(tree, { docs: 'x' })),
    exclude: ['docs/*'],
    changed: ['added docs', 'deleted docs/d.md'],
  },
  'a planted repository': {
    does: (tree) => (plant(join(tree, 'src/repository')), layFiles(tree, { 'src/repository/x': 'x' })),
    outside: ['src/repository'],
  },
  'a planted repository in a tracked folder': {
    does: (tree) => (plant(join(tree, 'src')), layFiles(tree, { 'src/a.txt': 'A' })),
    changed: ['modified src/a.txt'],
    outside: ['src/.git'],
  },
  'a planted .git that is no repository': {
    does: (tree) => layFiles(tree, { 'src/.git/hooks/x': 'x', 'new/.git': 'gitdir: /etc\n', 'new/x': 'x' }),
    changed: ['added new/x'],
    outside: ['new/.git', 'src/.git'],
  },
  'an ignored repository': {
    does: (tree) => (plant(join(tree, 'src/deps/one')), layFiles(tree, { 'src/.gitignore': 'deps\n' })),
    changed: ['added src/.gitignore'],
  },
  'names that other systems take for .git': {
    does: (tree) =>
      layFiles(tree, { 'src/.GIT/config': 'x', 'src/git~1': 'x', 'src/.git .': 'x', 'src/.gitx': 'x' }),
    changed: ['added src/.gitx'],
    outside: ['src/.GIT/config', 'src/.git .', 'src/git~1'],
  },
  'a link named as a file that git reads': {
    does: (tree) =>
      layFiles(tree, { 'src/.gitattributes': { link: 'a.txt' }, '.gitmodules': { link: 'src/a.txt' } }),
    outside: ['.gitmodules', 'src/.gitattributes'],
  },
  'hostile attributes': {
    does: (tree) => {
      layFiles(tree, {
        '.gitattributes':
          '* text filter=evil ident eol=crlf\n*.u working-tree-encoding=UTF-16\n*.txt -diff merge=evil\n',
        'src/a.txt': 'a\r\n$Id: x$\r\n',
        'src/b.u': 'b',
      });
      execFileSync('git', ['config', 'filter.evil.clean', 'touch /tmp/evil; cat'], { cwd: tree });
    },
    changed: ['added .gitattributes', 'modified src/a.txt', 'added src/b.u'],
  },
  'names of all kinds': {
    does: (tree) => {
      layFiles(tree, {
        'src/new\nline': 'x',
        'src/quote"\\tab\t': 'x',
        'src/:(exclude)x': 'x',
        'src/*?[a]': 'x',
        'src/-n': 'x',
        ' lead': 'x',
        'src/ümlaut': 'x',
        'R100 trail ': 'x',
      });
      writeFileSync(nonUtf8(join(tree, 'src')), 'x');
    },
    changed: [
      'added  lead',
      'added R100 trail ',
      'added src/*?[a]',
      'added src/-n',
      'added src/:(exclude)x',
      'added src/new\nline',
      'added src/quote"\\tab\t',
      'added src/ümlaut',
    ],
    outside: ['src/bad-\\xff\\xfe'],
  },
  'pipes and sockets': { does: (tree) => execFileSync('mkfifo', [join(tree, 'src/pipe')]) },
  'a changed .git of its own': {
    does: (tree) => {
      appendFileSync(join(tree, '.git/config'), '[core]\n\tfsmonitor = touch /tmp/evil\n\tworktree = /etc\n');
      appendFileSync(join(tree, '.git/info/exclude'), 'src\n');
      writeFileSync(join(tree, '.git/index'), 'rubbish');
      layFiles(tree, { 'src/new': 'x' });
    },
    changed: ['added src/new'],
  },
  'no .git at all': {
    does: (tree) => (remove(tree, '.git'), layFiles(tree, { 'src/new': 'x', '.git': 'gitdir: /etc\n' })),
    changed: ['added src/new'],
  },
  'a deleted tree': {
    does: (tree) => ['src', 'docs', 'tool.sh'].forEach((path) => remove(tree, path)),
    changed: ['deleted docs/d.md', 'deleted src/a.txt', 'deleted src/b.txt', 'deleted tool.sh'],
  },
};

describe('an attempt with', () => {
  it.each(Object.entries(cases))(
    '%s',
    async (_, { does, workspace, exclude, changed = [], outside = [] }) => {
      const clone = await prepare();
      does(clone.tree, clone);
      const built = await build(clone, workspace, exclude);
      expect({
        changed: built.files.map(({ path, change }) => `${change} ${path}`),
        outside: built.outside,
      }).toEqual({ changed, outside });
      expect(built.commit === undefined).toBe(changed.length === 0);
      if (built.commit === undefined) return;
      await clone.push('refs/switchyard/attempts/r/t/1', built.commit);
      expect(bench.hub.git(['fsck', '--strict', built.commit])).toBe('');
      await clone.dispose();
      expect(existsSync(clone.tree)).toBe(false);
    },
  );

  it('a change in the second of the checkout, to the same size, is found in the next second', async () => {
    const untilNextSecond = (): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
    await untilNextSecond();
    const clone = await prepare();
    layFiles(clone.tree, { 'src/a.txt': 'A\n', 'src/b.txt': 'B\n' });
    rmSync(join(clone.tree, 'tool.sh'));
    await untilNextSecond();
    const built = await build(clone);
    expect(built.files.map(({ path }) => path)).toEqual(['src/a.txt', 'src/b.txt', 'tool.sh']);
  });

  it('a file that is too large fails with its name', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'src/huge.bin': '', 'scratch/huge.bin': '' });
    for (const path of ['src/huge.bin', 'scratch/huge.bin'])
      truncateSync(join(clone.tree, path), 100 * 1024 * 1024 + 1);
    await expect(build(clone, ['src'], ['scratch'])).rejects.toMatchObject({
      code: 'E_TOO_LARGE',
      message: expect.stringContaining('src/huge.bin') as string,
    });
  });

  it('hostile attributes is committed byte for byte', async () => {
    const clone = await prepare();
    cases['hostile attributes']?.does(clone.tree, clone);
    const { commit } = await build(clone);
    const content = await cache.readFile(commit as CommitId, 'src/a.txt');
    expect(Buffer.from(content).toString()).toBe('a\r\n$Id: x$\r\n');
  });

  it('folders that nobody may read leaves nothing behind', async () => {
    const clone = await prepare();
    layFiles(clone.tree, { 'closed/in/x': 'x' });
    chmodSync(join(clone.tree, 'closed/in'), 0);
    await clone.dispose();
    expect(existsSync(clone.tree)).toBe(false);
  });

  it('paths deeper than the system takes leaves nothing behind', async () => {
    const clone = await prepare();
    const script = 'cd "$1"; for i in $(seq 60); do mkdir $2 && cd $2 || exit 1; done; echo x > x';
    execFileSync('bash', ['-c', script, 'bash', clone.tree, 'd'.repeat(200)]);
    await clone.dispose();
    expect(existsSync(clone.tree)).toBe(false);
  });
});

describe('included files', () => {
  let include: CommitId;
  beforeEach(async () => {
    include = bench.hub.commit({
      '.env.test': 'E=1\n',
      'src/local.json': '{}',
      'src/a.txt': 'not this',
      'tool.sh/x': 'x',
    });
    await cache.fetch([include]);
  });

  it('lie in the tree where the base has none, unseen by git, and are not committed', async () => {
    const clone = await prepare({ include });
    expect(gitIn(clone, 'status --porcelain')).toBe('');
    expect(readFileSync(join(clone.tree, '.env.test'), 'utf8')).toBe('E=1\n');
    expect(readFileSync(join(clone.tree, 'src/a.txt'), 'utf8')).toBe('a\n');
    layFiles(clone.tree, { 'src/new': 'x' });
    const built = await build(clone, ['src']);
    expect(built).toMatchObject({ files: [{ path: 'src/new', change: 'added' }], outside: [] });
  });

  it('are committed when the attempt changed them in its workspace, and a violation elsewhere', async () => {
    const clone = await prepare({ include });
    layFiles(clone.tree, { 'src/local.json': '{"a":1}', '.env.test': 'E=2\n' });
    const built = await build(clone, ['src']);
    expect(built).toMatchObject({
      files: [{ path: 'src/local.json', change: 'added' }],
      outside: ['.env.test'],
    });
  });

  it('may be deleted by the attempt', async () => {
    const clone = await prepare({ include });
    rmSync(join(clone.tree, '.env.test'));
    expect(await build(clone, ['src'])).toMatchObject({ files: [], outside: [] });
  });
});

describe('going on from an earlier attempt', () => {
  it('has its files uncommitted on the base, and commits both rounds as one', async () => {
    const first = bench.hub.commit({ ...files, 'src/a.txt': 'first\n', 'src/draft': 'd' }, base);
    await cache.fetch([first]);
    const clone = await prepare({ continueFrom: first });
    expect(gitIn(clone, 'status --porcelain')).toBe('M src/a.txt\n?? src/draft');
    layFiles(clone.tree, { 'src/second': 's' });
    const built = await build(clone, ['src']);
    expect(built.files.map(({ path }) => path)).toEqual(['src/a.txt', 'src/draft', 'src/second']);
    expect(built.outside).toEqual([]);
  });

  it('keeps what others brought into the base meanwhile', async () => {
    const first = bench.hub.commit({ ...files, 'src/a.txt': 'first\n' }, base);
    const later = bench.hub.commit({ ...files, 'docs/d.md': 'theirs\n', 'docs/new': 'n' }, base);
    await cache.fetch([first, later]);
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base: later, continueFrom: first });
    expect(readFileSync(join(clone.tree, 'docs/d.md'), 'utf8')).toBe('theirs\n');
    const built = await clone.buildCommit({ base: later, workspace: ['src'], exclude: [], message: 'm', at });
    expect(built).toMatchObject({ files: [{ path: 'src/a.txt', change: 'modified' }], outside: [] });
  });

  it('shows both sides where both changed the same lines', async () => {
    const first = bench.hub.commit({ ...files, 'src/a.txt': 'mine\n' }, base);
    const later = bench.hub.commit({ ...files, 'src/a.txt': 'theirs\n' }, base);
    await cache.fetch([first, later]);
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base: later, continueFrom: first });
    expect(readFileSync(join(clone.tree, 'src/a.txt'), 'utf8')).toMatch(
      /<<<<<<<[^]*theirs[^]*mine[^]*>>>>>>>/,
    );
  });
});

describe('a repository of SHA-256 names', () => {
  it('is worked with like any other', async () => {
    const other = new CacheBench(sandbox, 'sha256');
    try {
      const start = other.hub.commit(files);
      const objects = await other.open();
      await objects.fetch([start]);
      const clone = await objects.prepareAttempt({ folder: other.folder(), base: start });
      expect(gitIn(clone, 'status --porcelain --branch')).toBe('## attempt');
      layFiles(clone.tree, { 'src/new': 'x' });
      rmSync(join(clone.tree, 'tool.sh'));
      const { commit } = await clone.buildCommit({
        base: start,
        workspace: ['.'],
        exclude: [],
        message: 'm',
        at,
      });
      await clone.push('refs/switchyard/attempts/r/t/1', commit as CommitId);
      expect(commit).toHaveLength(64);
      expect(other.hub.git(['diff', '--name-status', start, commit ?? ''])).toBe('A\tsrc/new\nD\ttool.sh');
    } finally {
      await other.close();
    }
  });
});
