import { lstatSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CacheBench, realSandbox } from './cache-bench.ts';

// Real git on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

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
