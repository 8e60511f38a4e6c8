import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import { sandboxedGit } from '@switchyard/peer';
import { commitId, type CommitId } from '@switchyard/protocol';
import { gitHttpHandler, openObjectCache, type ObjectCache } from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';

const identity = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** A bare repository that stands for the orchestrator's, behind its real door, and the worker's cache of it. */
export class GitObjects {
  readonly gitDir: string;
  /** Set: the orchestrator's side answers as one that is being restarted. */
  isAway = false;
  private readonly root: string;
  private readonly server: Server;
  private cache: Promise<ObjectCache> | undefined;

  constructor(root: string) {
    this.root = root;
    this.gitDir = join(root, 'origin.git');
    execFileSync('git', ['init', '-q', '--bare', this.gitDir]);
    this.git(['config', 'uploadpack.allowAnySHA1InWant', 'true']);
    const answer = gitHttpHandler({
      gitDir: this.gitDir,
      authorize: ({ headers }) =>
        headers.authorization === 'Bearer secret' ? { peer: 'worker-1', push: true } : undefined,
      logger: silentLogger(),
    });
    this.server = createServer((request, response) => {
      if (this.isAway) response.writeHead(503).end();
      else answer(request, response);
    });
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
    const env = { GIT_INDEX_FILE: `${folder}.index` };
    this.git(['--work-tree', folder, '-C', folder, 'add', '-A', '-f', '--', '.'], env);
    const parents = parent === undefined ? [] : ['-p', parent];
    const tree = this.git(['write-tree'], env);
    return commitId.parse(this.git(['commit-tree', tree, ...parents, '-m', 'test']));
  }

  show(commit: string, path: string): string {
    return this.git(['show', `${commit}:${path}`]);
  }

  refs(): string[] {
    return this.git(['for-each-ref', '--format=%(refname) %(objectname)', 'refs/switchyard'])
      .split('\n')
      .filter(Boolean);
  }

  /** The worker's cache, the same at each call. */
  open(sandbox: Sandbox): Promise<ObjectCache> {
    this.cache ??= this.openCache(sandbox);
    return this.cache;
  }

  private async openCache(sandbox: Sandbox): Promise<ObjectCache> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return openObjectCache({
      folder: join(this.root, 'peer', 'objects'),
      url: `http://127.0.0.1:${port}/git`,
      token: () => 'secret',
      logger: silentLogger(),
      sandbox: sandboxedGit(sandbox),
    });
  }

  async close(): Promise<void> {
    await (await this.cache)?.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}
