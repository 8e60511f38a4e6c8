import { execFile } from 'node:child_process';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { CommitId } from '@switchyard/protocol';
import { gitHttpHandler, openObjectCache, type RunRepository, type SandboxRun } from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
let repository: RunRepository;
let base: CommitId;
let server: Server;
let url: string;

const noSandbox: SandboxRun = () => Promise.reject(new Error('nothing is built here'));

beforeEach(async () => {
  user = new UserCheckout();
  user.commit({ 'a/f': 'one\n' });
  repository = await user.open();
  base = await repository.resolveBase();
  await repository.createRun(run, base);
  const handler = gitHttpHandler({
    gitDir: repository.gitDir,
    authorize: ({ headers }) => {
      if (headers.authorization === 'Bearer worker') return { peer: 'w', push: true };
      return headers.authorization === 'Bearer reader' ? { peer: 'r', push: false } : undefined;
    },
    logger: silentLogger(),
  });
  server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/git`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  user.close();
});

/** Git over HTTP as a client that is not ours. */
async function client(token: string, ...args: string[]): Promise<{ ok: boolean; said: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(
      'git',
      ['-c', `http.extraHeader=Authorization: Bearer ${token}`, ...args],
      {
        cwd: user.folder,
        env: {
          PATH: process.env['PATH'],
          HOME: user.root,
          GIT_TERMINAL_PROMPT: '0',
          GIT_ASKPASS: 'false',
          LC_ALL: 'C',
        },
      },
    );
    return { ok: true, said: stdout + stderr };
  } catch (error) {
    return { ok: false, said: String((error as { stderr?: string }).stderr ?? error) };
  }
}

async function post(
  path: string,
  body: Buffer | string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      `${url}${path}`,
      { method: 'POST', headers: { authorization: 'Bearer worker', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('latin1') }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const attemptRef = `refs/switchyard/attempts/${run}/task-1/1`;
const zero = '0'.repeat(40);

function commands(...lines: readonly string[]): string {
  const framed = lines.map((line) => (line.length + 4).toString(16).padStart(4, '0') + line);
  return `${framed.join('')}0000`;
}

describe('fetching over /git', () => {
  it('gives any commit by its id to a client of ours and to plain git', async () => {
    const commit = user.attempt(repository, base, { 'a/f': 'two\n' });
    user.attempt(repository, commit, { 'a/f': 'three\n' });
    // Reachable, but the tip of no ref.
    const named = user.gitWith({ GIT_DIR: repository.gitDir }, 'for-each-ref', '--points-at', commit);
    for (const line of named.split('\n')) {
      user.gitWith({ GIT_DIR: repository.gitDir }, 'update-ref', '-d', line.split('\t')[1] ?? '');
    }
    const cache = await openObjectCache({
      folder: join(user.root, 'cache'),
      url,
      token: () => 'reader',
      logger: silentLogger(),
      sandbox: noSandbox,
    });
    await cache.fetch([commit]);
    expect(Buffer.from(await cache.readFile(commit, 'a/f')).toString()).toBe('two\n');
    for (const version of ['0', '1', '2']) {
      const result = await client('reader', '-c', `protocol.version=${version}`, 'ls-remote', url);
      expect(result.said).toContain(`refs/heads/switchyard/${run}`);
      const fetched = await client('reader', '-c', `protocol.version=${version}`, 'fetch', '-q', url, commit);
      expect(fetched).toEqual({ ok: true, said: '' });
    }
  });

  it('needs a token', async () => {
    const result = await client('wrong', 'ls-remote', url);
    expect(result.ok).toBe(false);
    const { status } = await post('/git-upload-pack', '', { authorization: '' });
    expect(status).toBe(401);
  });

  it('takes compressed requests and refuses those that inflate without end', async () => {
    const type = { 'content-type': 'application/x-git-upload-pack-request', 'content-encoding': 'gzip' };
    const wants = `${commands('command=ls-refs\n').slice(0, -4)}0000`;
    const good = await post('/git-upload-pack', gzipSync(wants), { ...type, 'git-protocol': 'version=2' });
    expect(good.status).toBe(200);
    expect(good.text).toContain(`refs/heads/switchyard/${run}`);
    const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024));
    const refused = await post('/git-upload-pack', bomb, type).catch(() => ({ status: 0, text: '' }));
    expect(refused.text).not.toContain('refs/');
    const broken = await post('/git-upload-pack', 'not gzip', type).catch(() => ({ status: 0, text: '' }));
    expect(broken.text).not.toContain('refs/');
    expect((await client('reader', 'ls-remote', url)).ok).toBe(true);
  });

  it('answers nothing else', async () => {
    const get = async (path: string) => {
      const response = await fetch(`${url}${path}`, { headers: { authorization: 'Bearer worker' } });
      return response.status;
    };
    expect(await get('/HEAD')).toBe(404);
    expect(await get('/config')).toBe(404);
    expect(await get('/objects/info/packs')).toBe(404);
    expect(await get('/info/refs')).toBe(404);
    expect(await get('/info/refs?service=git-upload-archive')).toBe(404);
    expect((await post('/git-upload-pack', '0000')).status).toBe(415);
    expect((await post('/../git-upload-archive', '0000')).status).toBe(404);
  });
});

describe('pushing over /git', () => {
  it('makes a new attempt, and the same once more is fine', async () => {
    const commit = user.commit({ 'a/f': 'two\n' });
    expect((await client('worker', 'push', url, `${commit}:${attemptRef}`)).ok).toBe(true);
    expect(user.gitWith({ GIT_DIR: repository.gitDir }, 'rev-parse', attemptRef)).toBe(commit);
    expect((await client('worker', 'push', url, `${commit}:${attemptRef}`)).ok).toBe(true);
    expect(await repository.checkAttempt({ commit, base, workspace: ['a'] })).toEqual({
      files: [{ path: 'a/f', change: 'modified' }],
      outside: [],
    });
  });

  it("takes each state of an attempt's work in progress, named by its commit", async () => {
    const uploads = `refs/switchyard/uploads/${run}/task-1/1`;
    const [first, second] = [user.commit({ 'a/f': 'two\n' }), user.commit({ 'a/f': 'three\n' })];
    for (const commit of [first, first, second])
      expect((await client('worker', 'push', url, `${commit}:${uploads}/${commit}`)).ok).toBe(true);
    for (const [commit, ref] of [
      [first, `${uploads}/${second}`],
      [first, `${uploads}/${'0'.repeat(40)}`],
      [first, uploads],
      ['', `${uploads}/${first}`],
    ])
      expect((await client('worker', 'push', '-f', url, `${commit}:${ref}`)).ok, ref).toBe(false);
    const listed = user.gitWith(
      { GIT_DIR: repository.gitDir },
      'for-each-ref',
      '--format=%(refname)',
      uploads,
    );
    expect(listed.split('\n').sort()).toEqual([first, second].map((commit) => `${uploads}/${commit}`).sort());
  });

  it('takes a pack over the size that git sends at once', async () => {
    const { randomBytes } = await import('node:crypto');
    const commit = user.commit({ 'a/large': randomBytes(3 * 1024 * 1024) });
    expect(await client('worker', 'push', '-q', url, `${commit}:${attemptRef}`)).toEqual({
      ok: true,
      said: '',
    });
    expect(user.gitWith({ GIT_DIR: repository.gitDir }, 'rev-parse', attemptRef)).toBe(commit);
  });

  it('is for workers only', async () => {
    const commit = user.commit({ 'a/f': 'two\n' });
    expect((await client('reader', 'push', url, `${commit}:${attemptRef}`)).said).toContain('403');
  });

  it('moves, deletes and touches nothing else', async () => {
    const commit = user.commit({ 'a/f': 'two\n' });
    await client('worker', 'push', url, `${commit}:${attemptRef}`);
    const other = user.commit({ 'a/f': 'three\n' });
    const before = user.gitWith({ GIT_DIR: repository.gitDir }, 'for-each-ref');
    for (const ref of [
      `refs/heads/switchyard/${run}`,
      'refs/heads/main',
      `refs/switchyard/candidates/${run}`,
      `refs/switchyard/attempts/${run}/task-1`,
      `refs/switchyard/attempts/${run}/task-1/x`,
      `refs/switchyard/attempts/${run}/task-1/1`,
    ]) {
      expect((await client('worker', 'push', '-f', url, `${other}:${ref}`)).ok, ref).toBe(false);
    }
    expect((await client('worker', 'push', url, `:${attemptRef}`)).ok).toBe(false);
    expect(user.gitWith({ GIT_DIR: repository.gitDir }, 'for-each-ref')).toBe(before);
  });

  it('refuses commands that no git would send, before git sees them', async () => {
    const type = { 'content-type': 'application/x-git-receive-pack-request' };
    const bodies = [
      commands(`${zero} ${base} refs/switchyard/attempts/../../heads/main`),
      commands(`${zero} ${base} refs/switchyard/attempts/${run}/../1`),
      commands(`${zero} ${base} refs/switchyard/attempts/${run}/a.lock/1`),
      commands(
        `${zero} ${base} ${attemptRef}\0report-status`,
        `${base} ${zero} refs/heads/switchyard/${run}`,
      ),
      commands(`${zero} ${zero} ${attemptRef}`),
      commands(`shallow ${base}`, `${zero} ${base} ${attemptRef}`),
      commands('push-cert\0', 'certificate version 0.1\n'),
      'zzzz',
      '0003',
      commands(...Array.from({ length: 100 }, (_, index) => `${zero} ${base} ${attemptRef}${index}`)),
    ];
    const before = user.gitWith({ GIT_DIR: repository.gitDir }, 'for-each-ref');
    for (const body of bodies) {
      const { status } = await post('/git-receive-pack', body, type);
      expect([403, 400], JSON.stringify(body.slice(0, 100))).toContain(status);
    }
    expect((await post('/git-receive-pack', 'ffff', type)).status).toBe(400);
    expect(user.gitWith({ GIT_DIR: repository.gitDir }, 'for-each-ref')).toBe(before);
  });

  it('refuses objects that are not sound', async () => {
    const git = (...args: string[]) => user.git(...args);
    const blob = git('hash-object', '-w', 'a/f');
    const evil = user.gitWith({}, 'rev-parse', 'HEAD');
    const tree = await new Promise<string>((resolve, reject) => {
      const child = execFile(
        'git',
        ['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'],
        { cwd: user.folder, env: { PATH: process.env['PATH'], HOME: user.root } },
        (error, stdout) => (error === null ? resolve(stdout.trim()) : reject(error)),
      );
      child.stdin?.end(Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]));
    });
    const commit = git('commit-tree', tree, '-p', evil, '-m', 'evil');
    expect((await client('worker', 'push', url, `${commit}:${attemptRef}`)).said).toContain('hasDotgit');
    expect(user.gitWith({ GIT_DIR: repository.gitDir }, 'for-each-ref', 'refs/switchyard/attempts')).toBe('');
  });

  it('ends its git when the client goes away in the middle', async () => {
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.write(
      [
        'POST /git/git-receive-pack HTTP/1.1',
        'Host: x',
        'Authorization: Bearer worker',
        'Content-Type: application/x-git-receive-pack-request',
        'Content-Length: 1000000',
        '',
        `${commands(`${zero} ${base} ${attemptRef}\0report-status`)}PACK`,
      ].join('\r\n'),
    );
    await until(async () => (await gitProcesses()).length > 0);
    socket.destroy();
    await until(async () => (await gitProcesses()).length === 0);
    expect((await client('reader', 'ls-remote', url)).ok).toBe(true);
  });
});

/** Command lines of git processes on this test's private repository. */
async function gitProcesses(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
  return stdout
    .split('\n')
    .filter((line) => line.includes('receive-pack') && line.includes(repository.gitDir));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
