import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError, commitId, type CommitId } from '@switchyard/protocol';
import type { ReviewObjects } from '../src/review-objects.ts';

const identity = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** A bare repository that stands for the orchestrator's, and the objects of a reviewer that works in it. */
export class GitObjects {
  /** Above 0: so many fetches fail as while the orchestrator restarts. */
  absences = 0;
  /** Set: a checkout waits for it. */
  checkoutHeld: Promise<void> | undefined;
  private readonly root: string;
  private readonly gitDir: string;

  constructor(root: string) {
    this.root = root;
    this.gitDir = join(root, 'origin.git');
    execFileSync('git', ['init', '-q', '--bare', this.gitDir]);
  }

  /** Commits files on top of a parent; `undefined` removes one, `->` makes a link. */
  commit(files: Readonly<Record<string, string | undefined>>, parent?: CommitId): CommitId {
    const folder = mkdtempSync(join(this.root, 'commit-'));
    const env = { GIT_INDEX_FILE: `${folder}.index`, GIT_WORK_TREE: folder };
    if (parent !== undefined) {
      this.git(['read-tree', parent], env);
      this.git(['checkout-index', '-a', '-f'], env);
    }
    for (const [path, text] of Object.entries(files)) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      rmSync(file, { force: true });
      if (text?.startsWith('->')) symlinkSync(text.slice(2), file);
      else if (text !== undefined) writeFileSync(file, text);
    }
    this.git(['-C', folder, 'add', '-A', '-f', '--', '.'], env);
    const tree = this.git(['write-tree'], env);
    const parents = parent === undefined ? [] : ['-p', parent];
    return commitId.parse(this.git(['commit-tree', tree, ...parents, '-m', 'test']));
  }

  objects(): ReviewObjects {
    return {
      fetch: (commits) => {
        this.absences -= 1;
        if (this.absences >= 0)
          return Promise.reject(new AppError('E_UNREACHABLE', 'the orchestrator does not answer'));
        for (const commit of commits) this.show(commit);
        return Promise.resolve();
      },
      checkout: async (commit, folder) => {
        await this.checkoutHeld;
        mkdirSync(folder, { recursive: true });
        const index = join(this.root, `index-${Math.random()}`);
        this.git(['--work-tree', folder, 'checkout', '-q', '-f', commit, '--', '.'], {
          GIT_INDEX_FILE: index,
        });
      },
      diff: (base, commit) => Promise.resolve(this.git(['diff', base, commit])),
      changedLines: (base, commit) => Promise.resolve(this.changed(base, commit)),
      readFile: (commit, path) => {
        try {
          return Promise.resolve(Buffer.from(`${this.git(['cat-file', 'blob', `${commit}:${path}`])}\n`));
        } catch (cause) {
          return Promise.reject(new AppError('E_NOT_FOUND', `${path} is not in ${commit}`, { cause }));
        }
      },
    };
  }

  private show(commit: CommitId): void {
    try {
      this.git(['cat-file', '-e', commit]);
    } catch (cause) {
      throw new AppError('E_IO', `no object ${commit}`, { cause });
    }
  }

  private changed(base: CommitId, commit: CommitId): Awaited<ReturnType<ReviewObjects['changedLines']>> {
    const names = { A: 'added', M: 'modified', D: 'deleted', T: 'type-changed' } as const;
    const status = this.git(['diff-tree', '-r', '--no-renames', '--name-status', base, commit]);
    return status
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [letter = 'M', path = ''] = line.split('\t');
        const patch = this.git(['diff', '-U0', '--no-renames', base, commit, '--', path]);
        const lines = [...patch.matchAll(/^@@ \S+ \+(\d+)(?:,(\d+))? @@/gm)]
          .map((match): [number, number] => [
            Number(match[1]),
            Number(match[1]) + Number(match[2] ?? '1') - 1,
          ])
          .filter(([start, end]) => end >= start);
        return {
          path,
          change: names[letter as keyof typeof names],
          lines,
          binary: patch.includes('Binary files'),
        };
      });
  }

  private git(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], GIT_DIR: this.gitDir, ...identity, ...env },
    }).trim();
  }
}
