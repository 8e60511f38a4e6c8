import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commitId, fence, runId, taskId, type CommitId } from '@switchyard/protocol';
import {
  discoverRepository,
  openRunRepository,
  type IntegrationEntry,
  type RunRepository,
} from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';

export const run = runId.parse('demo-abcdef');

/** What stands at a path: a text, bytes, a link, a program; undefined: nothing. */
export type Content = string | Buffer | { readonly link: string } | { readonly program: string } | undefined;

/** A user's repository with a checkout, and beside it the orchestrator's private one. */
export class UserCheckout {
  readonly root = mkdtempSync(join(tmpdir(), 'switchyard-user-'));
  readonly folder: string = join(this.root, 'project');
  private readonly state = join(this.root, 'state', 'repository.git');

  constructor() {
    mkdirSync(this.folder);
    this.git('init', '-q', '-b', 'main');
    this.git('config', 'user.name', 'A User');
    this.git('config', 'user.email', 'user@example.org');
  }

  /** A command that leaves a trace, for configurations that must not run it. */
  get trap(): string {
    return `touch ${join(this.root, 'trapped')}`;
  }

  get wasTrapped(): boolean {
    return existsSync(join(this.root, 'trapped'));
  }

  /** The user's own git in the checkout. */
  git(...args: string[]): string {
    return this.gitWith({}, ...args);
  }

  gitWith(env: Readonly<Record<string, string>>, ...args: string[]): string {
    return execFileSync('git', args, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: this.root, GIT_CONFIG_NOSYSTEM: '1', ...env },
    }).replace(/\n$/, '');
  }

  write(files: Readonly<Record<string, Content>>): void {
    layContents(this.folder, files);
  }

  /** As if a git of the user's were moving `main`. */
  lockBranch(): void {
    writeFileSync(join(this.folder, '.git/refs/heads/main.lock'), '');
  }

  unlockBranch(): void {
    rmSync(join(this.folder, '.git/refs/heads/main.lock'));
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  /** The user writes files and commits everything. */
  commit(files: Readonly<Record<string, Content>>): CommitId {
    this.write(files);
    this.git('add', '-A', '-f');
    this.git('commit', '-q', '--allow-empty', '--no-verify', '-m', 'by hand');
    return commitId.parse(this.git('rev-parse', 'HEAD'));
  }

  async open(): Promise<RunRepository> {
    const user = await discoverRepository(this.folder);
    return openRunRepository({ gitDir: this.state, user, logger: silentLogger() });
  }

  /** The texts of a commit's files, without their last line break. */
  files(gitDir: string, commit: CommitId): Record<string, string> {
    const env = { GIT_DIR: gitDir };
    const paths = this.gitWith(env, 'ls-tree', '-r', '-z', '--name-only', commit).split('\0');
    const named = paths.filter((path) => path !== '');
    return Object.fromEntries(named.map((path) => [path, this.gitWith(env, 'show', `${commit}:${path}`)]));
  }

  /** An attempt as a worker hands it in: its only parent is the base. */
  attempt(
    repository: RunRepository,
    base: CommitId,
    files: Readonly<Record<string, Content>>,
    ...more: CommitId[]
  ): CommitId {
    const folder = mkdtempSync(join(this.root, 'attempt-'));
    const env = {
      GIT_DIR: repository.gitDir,
      GIT_WORK_TREE: folder,
      GIT_INDEX_FILE: `${folder}.index`,
      GIT_AUTHOR_NAME: 'Worker',
      GIT_AUTHOR_EMAIL: 'worker@localhost',
      GIT_COMMITTER_NAME: 'Worker',
      GIT_COMMITTER_EMAIL: 'worker@localhost',
    };
    const git = (...args: string[]) => this.gitWith(env, '-C', folder, '-c', 'core.bare=false', ...args);
    git('read-tree', base);
    git('checkout-index', '-a');
    layContents(folder, files);
    git('add', '-A', '-f');
    const parents = [base, ...more].flatMap((parent) => ['-p', parent]);
    const commit = git('commit-tree', git('write-tree'), ...parents, '-m', 'attempt');
    git('update-ref', `refs/switchyard/attempts/${run}/task/${commit}`, commit);
    rmSync(folder, { recursive: true });
    rmSync(`${folder}.index`);
    return commitId.parse(commit);
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Makes a folder hold what is said; what stood at a path or in its way goes. */
function layContents(folder: string, files: Readonly<Record<string, Content>>): void {
  const absent = Object.keys(files).filter((path) => files[path] === undefined);
  for (const path of absent) rmSync(join(folder, path), { recursive: true, force: true });
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) continue;
    const file = join(folder, path);
    rmSync(file, { recursive: true, force: true });
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(file, content);
    else if ('link' in content) symlinkSync(content.link, file);
    else writeFileSync(file, content.program, { mode: 0o755 });
  }
}

/** An entry for `integrate`. */
export function entry(
  task: string,
  of: { readonly commit: CommitId; readonly base: CommitId; readonly workspace: readonly string[] },
): IntegrationEntry {
  return { taskId: taskId.parse(task), attempt: 1, fence: fence.parse(1), title: `Do ${task}`, ...of };
}
