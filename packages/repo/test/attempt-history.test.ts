import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import type { AttemptClone, ObjectCache } from '@switchyard/repo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheBench, realSandbox } from './cache-bench.ts';

let sandbox: Sandbox;
let bench: CacheBench;
let cache: ObjectCache;
beforeAll(async () => void (sandbox = await realSandbox()));
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new CacheBench(sandbox);
  cache = await bench.open();
});
afterEach(() => bench.close());

const gitIn = (clone: AttemptClone, line: string): string =>
  execFileSync('git', line.split(' '), { cwd: clone.tree, encoding: 'utf8' }).trim();

describe("the history in an attempt's git", () => {
  /** A line of commits, each on the one before, and its tip. */
  const line = (count: number): CommitId => {
    const commit = (_: unknown, index: number): string => {
      const data = `data 2\n${index % 10}\n`;
      return `commit refs/heads/line\ncommitter T <t@example.org> ${index} +0000\n${data}M 644 inline n.txt\n${data}\n`;
    };
    const input = Array.from({ length: count }, commit).join('');
    execFileSync('git', ['fast-import', '--quiet'], { cwd: bench.hub.gitDir, input });
    return bench.hub.git(['rev-parse', 'refs/heads/line']) as CommitId;
  };
  const prepareAt = async (tip: CommitId): Promise<AttemptClone> => {
    await cache.fetch([tip]);
    return cache.prepareAttempt({ folder: bench.folder(), base: tip });
  };

  it("is the base's own, cut off after 500 commits", async () => {
    const clone = await prepareAt(line(510));
    expect(gitIn(clone, 'rev-list --count HEAD')).toBe('500');
    expect(gitIn(clone, 'fsck --full')).toBe('');
  });

  it('has both sides of a merge', async () => {
    const side = bench.hub.commit({ 'side.txt': 'side\n' });
    const main = bench.hub.commit({ 'a.txt': 'a\n' }, bench.hub.commit({ 'old.txt': 'old\n' }));
    const clone = await prepareAt(bench.hub.commit({ 'a.txt': 'a\n' }, main, side));
    expect(gitIn(clone, 'rev-list --count HEAD')).toBe('4');
    expect(gitIn(clone, 'rev-list HEAD^2')).toBe(side);
  });

  it('is the base alone where the clone of the user is cut off', async () => {
    const tip = line(5);
    writeFileSync(join(bench.hub.gitDir, 'shallow'), `${bench.hub.git(['rev-parse', 'line~2'])}\n`);
    const clone = await prepareAt(tip);
    expect(gitIn(clone, 'rev-list HEAD')).toBe(tip);
    expect(gitIn(clone, 'fsck --full')).toBe('');
  });
});
