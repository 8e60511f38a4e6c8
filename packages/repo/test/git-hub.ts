import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commitId, type CommitId } from '@switchyard/protocol';
import { gitHttpHandler } from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';

const identity = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** A file of a commit: its text, or something special. */
export type FileSpec = string | Buffer | { readonly link: string } | { readonly run: string };

/** An orchestrator's side: a bare repository behind HTTP with a bearer token. */
export class GitHub {
  readonly root = mkdtempSync(join(tmpdir(), 'switchyard-repo-'));
  readonly gitDir = join(this.root, 'hub.git');
  readonly token = 'the-token';
  /** Requests as they came: method and URL. */
  readonly requests: string[] = [];
  private readonly servers: Server[] = [];

  constructor(format: 'sha1' | 'sha256') {
    execFileSync('git', ['init', '-q', '--bare', `--object-format=${format}`, this.gitDir]);
    // Files are committed as they are.
    writeFileSync(
      join(this.gitDir, 'info/attributes'),
      '* -text -ident !filter !eol !working-tree-encoding\n',
    );
    this.git(['config', 'uploadpack.allowAnySHA1InWant', 'true']);
    this.git(['config', 'receive.fsckObjects', 'true']);
  }

  /** Runs git on the hub's repository. */
  git(args: readonly string[], env: Record<string, string> = {}): string {
    return execFileSync('git', args, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], GIT_DIR: this.gitDir, ...identity, ...env },
    }).replace(/\n$/, '');
  }

  /** Makes a commit and pins it. */
  commit(files: Readonly<Record<string, FileSpec>>, ...parents: CommitId[]): CommitId {
    const folder = mkdtempSync(join(this.root, 'files-'));
    layFiles(folder, files);
    const env = { GIT_INDEX_FILE: `${folder}.index` };
    this.git(['--work-tree', folder, '-C', folder, '-c', 'core.autocrlf=false', 'add', '-A', '-f'], env);
    const tree = this.git(['write-tree'], env);
    const made = this.git([
      'commit-tree',
      tree,
      ...parents.flatMap((parent) => ['-p', parent]),
      '-m',
      'test',
    ]);
    this.git(['update-ref', `refs/pins/${made}`, made]);
    rmSync(folder, { recursive: true });
    return commitId.parse(made);
  }

  /** Serves it; `tls` gives a certificate. */
  async listen(tls?: { readonly cert: string; readonly key: string }): Promise<string> {
    const server = tls === undefined ? createServer(this.answer) : createTlsServer(tls, this.answer);
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/git`;
  }

  private readonly answer: RequestListener = (request, response) => {
    this.requests.push(`${request.method} ${request.url}`);
    this.handler(request, response);
  };

  private readonly handler = gitHttpHandler({
    gitDir: this.gitDir,
    authorize: ({ headers }) =>
      headers.authorization === `Bearer ${this.token}` ? { peer: 'worker', push: true } : undefined,
    logger: silentLogger(),
  });

  async close(): Promise<void> {
    await this.stopListening();
    rmSync(this.root, { recursive: true, force: true });
  }

  async stopListening(): Promise<void> {
    for (const server of this.servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

/** Writes files into a folder. */
export function layFiles(folder: string, files: Readonly<Record<string, FileSpec>>): void {
  for (const [path, spec] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof spec === 'string' || Buffer.isBuffer(spec)) writeFileSync(file, spec);
    else if ('link' in spec) symlinkSync(spec.link, file);
    else writeFileSync(file, spec.run, { mode: 0o755 });
  }
}
