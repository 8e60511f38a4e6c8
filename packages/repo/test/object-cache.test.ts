import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, writeFileSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { createCertificate } from '@switchyard/transport';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheBench, realSandbox } from './cache-bench.ts';

// Real git on a busy machine.
let sandbox: Sandbox;
let bench: CacheBench;
beforeAll(async () => void (sandbox = await realSandbox()));
afterAll(() => sandbox.close());
beforeEach(() => void (bench = new CacheBench(sandbox)));
afterEach(() => bench.close());

describe('a cache', () => {
  it('has what it fetched, and does not ask for it again', async () => {
    const first = bench.hub.commit({ 'a.txt': 'a\n' });
    const second = bench.hub.commit({ 'a.txt': 'b\n' }, first);
    const cache = await bench.open();
    await cache.fetch([first, second]);
    const asked = bench.hub.requests.length;
    await cache.fetch([second, first]);
    expect(bench.hub.requests.length).toBe(asked);
    await bench.hub.stopListening();
    expect(Buffer.from(await cache.readFile(second, 'a.txt')).toString()).toBe('b\n');
    expect(await cache.diff(first, second)).toContain('-a\n+b\n');
  });

  it('fetches what no ref of the orchestrator names', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    bench.hub.git(['update-ref', '-d', `refs/pins/${commit}`]);
    const cache = await bench.open();
    await cache.fetch([commit]);
    expect(Buffer.from(await cache.readFile(commit, 'a.txt')).toString()).toBe('a\n');
  });

  it('says what went wrong', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const cache = await bench.open();
    const unknown = 'a'.repeat(40) as CommitId;
    await expect(cache.fetch([unknown])).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    const denied = await bench.open({ token: 'wrong', folder: bench.folder() });
    await expect(denied.fetch([commit])).rejects.toMatchObject({ code: 'E_TOKEN' });
    await bench.hub.stopListening();
    await expect(cache.fetch([commit])).rejects.toMatchObject({ code: 'E_UNREACHABLE', next: 'later' });
    await expect(cache.readFile(commit, 'a.txt')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('checks out plain files, byte for byte, whatever the attributes say', async () => {
    const commit = bench.hub.commit({
      '.gitattributes': '* text eol=crlf ident filter=evil\n*.u working-tree-encoding=UTF-16\n',
      'a.txt': 'a\n$Id$\n',
      'b.u': 'b\n',
      'tool.sh': { run: '#!/bin/sh\n' },
      link: { link: '../../etc/passwd' },
      'new\nline "q"': 'n',
    });
    const cache = await bench.open();
    await cache.fetch([commit]);
    const folder = bench.folder();
    await cache.checkout(commit, folder);
    expect(readdirSync(folder).sort()).toEqual(
      ['.gitattributes', 'a.txt', 'b.u', 'link', 'new\nline "q"', 'tool.sh'].sort(),
    );
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('a\n$Id$\n');
    expect(readFileSync(join(folder, 'b.u'), 'utf8')).toBe('b\n');
    expect(readlinkSync(join(folder, 'link'))).toBe('../../etc/passwd');
    expect(lstatSync(join(folder, 'tool.sh')).mode & 0o111).not.toBe(0);
  });
});

describe('a pinned connection', () => {
  it('fetches and pushes through exactly the certificate of the invitation', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n', 'big.bin': Buffer.alloc(3_000_000, 'x1y2') });
    const certificate = await createCertificate(['127.0.0.1']);
    const url = await bench.hub.listen(certificate);
    const cache = await bench.open({ url, fingerprint: certificate.fingerprint });
    await cache.fetch([commit]);
    const clone = await cache.prepareAttempt({ folder: bench.folder(), base: commit });
    writeFileSync(join(clone.tree, 'b.txt'), 'b\n');
    const built = await clone.buildCommit({
      base: commit,
      workspace: ['.'],
      exclude: [],
      message: 'm',
      at: 0,
    });
    await clone.push('refs/switchyard/attempts/r/t/1', built.commit as CommitId);
    expect(bench.hub.git(['rev-parse', 'refs/switchyard/attempts/r/t/1'])).toBe(built.commit);
  });

  it('refuses any other certificate before the token is sent', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const url = await bench.hub.listen(await createCertificate(['127.0.0.1']));
    const { fingerprint } = await createCertificate(['127.0.0.1']);
    const cache = await bench.open({ url, fingerprint });
    await expect(cache.fetch([commit])).rejects.toMatchObject({ code: 'E_FINGERPRINT' });
    expect(bench.hub.requests).toEqual([]);
    await cache.close();
    await cache.close();
  });

  it('refuses a certificate that nobody vouches for when there is no fingerprint', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const cache = await bench.open({ url: await bench.hub.listen(await createCertificate(['127.0.0.1'])) });
    await expect(cache.fetch([commit])).rejects.toMatchObject({ code: 'E_FINGERPRINT' });
    expect(bench.hub.requests).toEqual([]);
  });

  it('needs https', async () => {
    const { fingerprint } = await createCertificate(['127.0.0.1']);
    await expect(bench.open({ fingerprint })).rejects.toMatchObject({ code: 'E_FINGERPRINT' });
  });

  it('says when the orchestrator is away', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const certificate = await createCertificate(['127.0.0.1']);
    const cache = await bench.open({ url: await bench.hub.listen(certificate), ...certificate });
    await bench.hub.stopListening();
    await expect(cache.fetch([commit])).rejects.toMatchObject({ code: 'E_UNREACHABLE' });
  });
});

describe('a cache that was', () => {
  it('damaged is made anew', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const folder = bench.folder();
    await (await bench.open({ folder })).fetch([commit]);
    writeFileSync(join(folder, 'sha1.git/HEAD'), '');
    const cache = await bench.open({ folder });
    await cache.fetch([commit]);
    expect(await cache.readFile(commit, 'a.txt')).toHaveLength(2);
  });

  it('killed in the middle of a fetch goes on', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const folder = bench.folder();
    await (await bench.open({ folder })).fetch([bench.hub.commit({ 'b.txt': 'b\n' })]);
    mkdirSync(join(folder, 'sha1.git/refs/switchyard/kept'), { recursive: true });
    writeFileSync(join(folder, `sha1.git/refs/switchyard/kept/${commit}.lock`), '');
    writeFileSync(join(folder, 'sha1.git/packed-refs.lock'), '');
    const cache = await bench.open({ folder });
    await cache.fetch([commit]);
    expect(await cache.readFile(commit, 'a.txt')).toHaveLength(2);
  });

  it('opened at another address shares what is there', async () => {
    const commit = bench.hub.commit({ 'a.txt': 'a\n' });
    const folder = bench.folder();
    let url = await bench.hub.listen();
    const cache = await bench.open({ folder, url: () => url });
    await bench.hub.stopListening();
    url = await bench.hub.listen();
    await Promise.all([cache.fetch([commit]), (await bench.open({ folder })).fetch([commit])]);
    const fetches = bench.hub.requests.filter((request) => request.startsWith('POST'));
    expect(fetches.length).toBeLessThanOrEqual(2);
  });
});

describe('a cache of many packs', () => {
  it('is packed when it is opened, and keeps what it has', async () => {
    const commits: CommitId[] = [];
    for (let n = 0; n < 3; n += 1) commits.push(bench.hub.commit({ 'a.txt': `${n}\n` }));
    const folder = bench.folder();
    await (await bench.open({ folder })).fetch(commits);
    const packs = join(folder, 'sha1.git/objects/pack');
    for (let n = 0; n < 70; n += 1) {
      const at = { cwd: join(folder, 'sha1.git'), encoding: 'utf8' } as const;
      const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], { ...at, input: `${n}` });
      execFileSync('git', ['pack-objects', '-q', join(packs, 'pack')], { ...at, input: blob });
    }
    expect(readdirSync(packs).length).toBeGreaterThan(60);
    const cache = await bench.open({ folder });
    await cache.fetch(commits.slice(0, 1));
    expect(readdirSync(packs).length).toBeLessThan(20);
    await bench.hub.stopListening();
    await cache.fetch(commits);
    for (const commit of commits) expect(await cache.readFile(commit, 'a.txt')).toHaveLength(2);
  });
});

describe('what is read from a commit', () => {
  it('is a file, or said not to be', async () => {
    const commit = bench.hub.commit({ 'a/b "ü\n.txt': 'x', 'big.bin': Buffer.alloc(11 * 1024 * 1024) });
    const cache = await bench.open();
    await cache.fetch([commit]);
    expect(await cache.readFile(commit, 'a/b "ü\n.txt')).toHaveLength(1);
    await expect(cache.readFile(commit, 'a')).rejects.toMatchObject({ code: 'E_IS_DIRECTORY' });
    await expect(cache.readFile(commit, 'none')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(cache.readFile(commit, '../a')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(cache.readFile(commit, 'big.bin')).rejects.toMatchObject({ code: 'E_TOO_LARGE' });
  });

  it('are its changed lines', async () => {
    const base = bench.hub.commit({ 'a.txt': '1\n2\n3\n', gone: 'x\n', 'bin.dat': 'x' });
    const commit = bench.hub.commit({ 'a.txt': '1\nnew\n3\n4\n', 'bin.dat': Buffer.from([0, 1]) }, base);
    const cache = await bench.open();
    await cache.fetch([commit]);
    expect(await cache.changedLines(base, commit)).toEqual([
      {
        path: 'a.txt',
        change: 'modified',
        lines: [
          [2, 2],
          [4, 4],
        ],
        binary: false,
      },
      { path: 'bin.dat', change: 'modified', lines: [], binary: true },
      { path: 'gone', change: 'deleted', lines: [], binary: false },
    ]);
  });

  it('are told of a change of 50 MB, whose text is cut', async () => {
    const lines = 1_000_000;
    const row = `${'x'.repeat(51)}\n`;
    const base = bench.hub.commit({ 'a.txt': 'first\n' });
    const commit = bench.hub.commit({ 'a.txt': `first\n${row.repeat(lines)}`, 'b.txt': 'b\n' }, base);
    const cache = await bench.open();
    await cache.fetch([base, commit]);
    expect(await cache.changedLines(base, commit)).toEqual([
      { path: 'a.txt', change: 'modified', lines: [[2, lines + 1]], binary: false },
      { path: 'b.txt', change: 'added', lines: [[1, 1]], binary: false },
    ]);
    const diff = await cache.diff(base, commit);
    expect(diff.length).toBeLessThan(5 * 1024 * 1024);
    expect(diff).toMatch(/\n\(… cut: 5\d{7} bytes in all\)\n$/);
  });
});
