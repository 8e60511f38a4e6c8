import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commitId, type ChangedFile, type CommitId } from '@switchyard/protocol';
import type { ObjectCache } from '@switchyard/repo';

const identity = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** A bare repository that stands for the orchestrator's, and an object cache that works in it directly. */
export class GitObjects {
  readonly gitDir: string;
  /** Set: every use of the orchestrator's side rejects with it. */
  away: Error | undefined;
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
    this.gitDir = join(root, 'origin.git');
    execFileSync('git', ['init', '-q', '--bare', this.gitDir]);
  }

  git(args: readonly string[], env: Record<string, string> = {}): string {
    return execFileSync('git', args, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], GIT_DIR: this.gitDir, ...identity, ...env },
    }).trim();
  }

  commit(files: Record<string, string>, parent?: CommitId): CommitId {
    const folder = mkdtempSync(join(this.root, 'commit-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
    }
    return this.commitFolder(folder, { parent, exclude: [], message: 'test' });
  }

  show(commit: string, path: string): string {
    return this.git(['show', `${commit}:${path}`]);
  }

  refs(): string[] {
    return this.git(['for-each-ref', '--format=%(refname) %(objectname)', 'refs/switchyard'])
      .split('\n')
      .filter(Boolean);
  }

  cache(): ObjectCache {
    const checkout = (commit: CommitId, folder: string): Promise<void> => {
      mkdirSync(folder, { recursive: true });
      const index = join(this.root, `index-${Math.random()}`);
      this.git(['--work-tree', folder, 'checkout', '-q', '-f', commit, '--', '.'], { GIT_INDEX_FILE: index });
      return Promise.resolve();
    };
    return {
      fetch: (commits) => {
        if (this.away !== undefined) return Promise.reject(this.away);
        for (const commit of commits) this.git(['cat-file', '-e', commit]);
        return Promise.resolve();
      },
      checkout,
      changedLines: () => Promise.resolve([]),
      diff: () => Promise.resolve(''),
      readFile: () => Promise.resolve(new Uint8Array()),
      prepareAttempt: async ({ folder, base, continueFrom, include }) => {
        const tree = join(folder, 'tree');
        await checkout(continueFrom ?? base, tree);
        if (include !== undefined) await checkout(include, tree);
        execFileSync('git', ['init', '-q', tree]);
        return {
          tree,
          buildCommit: ({ base: parent, workspace, exclude, message }) => {
            const commit = this.commitFolder(tree, { parent, exclude, message });
            const files = this.changed(parent, commit);
            const isInside = (path: string) =>
              workspace.some((place) => place === '.' || path === place || path.startsWith(`${place}/`));
            const outside = files.map((file) => file.path).filter((path) => !isInside(path));
            return Promise.resolve({ files, outside, ...(files.length > 0 && { commit }) });
          },
          push: (ref, commit) => {
            if (this.away !== undefined) return Promise.reject(this.away);
            this.git(['update-ref', ref, commit]);
            return Promise.resolve();
          },
          dispose: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
        };
      },
    } as ObjectCache;
  }

  private changed(base: CommitId, commit: CommitId): ChangedFile[] {
    const names = { A: 'added', M: 'modified', D: 'deleted', T: 'type-changed' } as const;
    return this.git(['diff-tree', '-r', '--no-renames', '--name-status', base, commit])
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [letter = 'M', path = ''] = line.split('\t');
        return { path, change: names[letter as keyof typeof names] };
      });
  }

  private commitFolder(
    folder: string,
    options: { parent: CommitId | undefined; exclude: readonly string[]; message: string },
  ): CommitId {
    const env = { GIT_INDEX_FILE: join(this.root, `index-${Math.random()}`) };
    if (options.parent !== undefined) this.git(['read-tree', options.parent], env);
    const excluded = ['.git', ...options.exclude].map((path) => `:(exclude,glob)${path.replace(/\/$/, '')}`);
    this.git(['--work-tree', folder, '-C', folder, 'add', '-A', '-f', '--', '.', ...excluded], env);
    const tree = this.git(['write-tree'], env);
    const parents = options.parent === undefined ? [] : ['-p', options.parent];
    return commitId.parse(this.git(['commit-tree', tree, ...parents, '-m', options.message]));
  }
}
