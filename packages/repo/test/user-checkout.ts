import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitId, fence, runId, taskId, type CommitId } from '@switchyard/protocol';
import {
  discoverRepository,
  openRunRepository,
  type IntegrationEntry,
  type RunRepository,
} from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';
import { layFiles, type FileSpec } from './git-hub.ts';

export const run = runId.parse('demo-abcdef');

/** A user's repository with a checkout, the private one beside it, and a program that must never run. */
export class UserCheckout {
  readonly root = mkdtempSync(join(tmpdir(), 'switchyard-user-'));
  readonly tree = join(this.root, 'project');
  readonly state = join(this.root, 'state', 'repository.git');
  /** A command that leaves a trace. */
  readonly trap = `touch ${join(this.root, 'trapped')}`;

  constructor(files: Readonly<Record<string, FileSpec>> = { 'README.md': 'hello\n' }) {
    this.git(['init', '-q', '-b', 'main', this.tree], this.root);
    this.git(['config', 'user.name', 'Uma']);
    this.git(['config', 'user.email', 'uma@example.org']);
    this.commit(files);
  }

  /** The user's own git, in the checkout unless told otherwise. */
  git(args: readonly string[], cwd: string = this.tree): string {
    return execFileSync('git', args, {
      cwd,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: this.root, GIT_CONFIG_NOSYSTEM: '1' },
    }).replace(/\n$/, '');
  }

  /** The user writes files and commits everything. */
  commit(files: Readonly<Record<string, FileSpec>>): CommitId {
    layFiles(this.tree, files);
    this.git(['add', '-A', '-f']);
    this.git(['commit', '-q', '--allow-empty', '-m', 'by hand']);
    return this.head();
  }

  head(): CommitId {
    return commitId.parse(this.git(['rev-parse', 'HEAD']));
  }

  read(path: string): string {
    return readFileSync(join(this.tree, path), 'utf8');
  }

  get wasTrapped(): boolean {
    return existsSync(join(this.root, 'trapped'));
  }

  async open(): Promise<RunRepository> {
    const user = await discoverRepository(this.tree);
    return openRunRepository({ gitDir: this.state, user, logger: silentLogger() });
  }

  /** An attempt as a worker hands it in: files written (or deleted, where null) on a base, pushed by its ref. */
  attempt(task: string, base: CommitId, files: Readonly<Record<string, FileSpec | null>>): CommitId {
    const folder = mkdtempSync(join(this.root, 'attempt-'));
    const git = (...args: string[]) =>
      this.git(['--git-dir', this.state, '--work-tree', folder, '-c', 'core.bare=false', ...args], folder);
    const index = join(folder, '..', `${task}.index`);
    rmSync(index, { force: true });
    const withIndex = (...args: string[]) =>
      execFileSync(
        'git',
        ['--git-dir', this.state, '--work-tree', folder, '-c', 'core.bare=false', ...args],
        {
          cwd: folder,
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], HOME: this.root, GIT_INDEX_FILE: index },
        },
      ).trim();
    withIndex('read-tree', base);
    withIndex('checkout-index', '-a');
    for (const [path, spec] of Object.entries(files)) {
      rmSync(join(folder, path), { recursive: true, force: true });
      if (spec !== null) layFiles(folder, { [path]: spec });
    }
    withIndex('add', '-A', '-f');
    const identity = ['-c', 'user.name=Worker', '-c', 'user.email=worker@localhost'];
    const commit = git(...identity, 'commit-tree', withIndex('write-tree'), '-p', base, '-m', task);
    git('update-ref', `refs/switchyard/attempts/${run}/${task}/1`, commit);
    rmSync(folder, { recursive: true });
    return commitId.parse(commit);
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** An entry for `integrate`. */
export function entry(
  task: string,
  commit: CommitId,
  base: CommitId,
  workspace: readonly string[],
): IntegrationEntry {
  return {
    taskId: taskId.parse(task),
    attempt: 1,
    fence: fence.parse(1),
    commit,
    base,
    workspace,
    title: `Do ${task}`,
  };
}
