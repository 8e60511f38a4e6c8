import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { openPathGuard, type PathGuard } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);

async function withGuard<Result>(
  work: (guard: PathGuard) => Promise<Result>,
  denyRead: string[] = [],
): Promise<Result> {
  const guard = openPathGuard({ roots: [{ path: scene.workspace, write: true }], denyRead, ripgrep: false });
  try {
    return await work(guard);
  } finally {
    guard.close();
  }
}

const codeOf = (pattern: unknown): Promise<unknown> =>
  withGuard((guard) => guard.searchFiles('.', pattern as string)).then(
    () => 'done',
    (error: { code: unknown }) => error.code,
  );

describe('a search', () => {
  it('ends: at ten thousand hits, with 500 signs of each', async () => {
    writeFileSync(ws('many'), 'hit\n'.repeat(9_999));
    writeFileSync(ws('more'), `${'hit'.repeat(1000)}\nhit\nhit\n`);
    const hits = await withGuard((guard) => guard.searchFiles('.', 'hit'));
    expect(hits).toHaveLength(10_000);
    expect(hits.at(-1)).toBe(`more:1:${'hit'.repeat(1000).slice(0, 500)}`);
  });

  it('leaves out binaries, large files, and what is no file', async () => {
    writeFileSync(ws('binary'), 'hit\0');
    writeFileSync(ws('large'), 'hit\n');
    truncateSync(ws('large'), 9_000_000);
    writeFileSync(ws('text'), 'hit\n');
    symlinkSync('text', ws('link'));
    expect(await withGuard((guard) => guard.searchFiles('.', 'hit'))).toEqual(['text:1:hit']);
  });

  it('does not pass a folder that may not be read by', async () => {
    mkdirSync(ws('closed'));
    writeFileSync(ws('closed/f'), 'hit');
    writeFileSync(ws('text'), 'hit');
    chmodSync(ws('closed'), 0o000);
    const hits = await withGuard((guard) => guard.searchFiles('.', 'hit'));
    chmodSync(ws('closed'), 0o700);
    expect(hits).toContain('text:1:hit');
  });

  it('goes 512 folders down, no further', async () => {
    const at = (depth: number): string => Array.from({ length: depth }, () => 'd').join('/');
    mkdirSync(ws(at(520)), { recursive: true });
    writeFileSync(ws(`${at(510)}/f`), 'hit');
    writeFileSync(ws(`${at(520)}/f`), 'hit');
    expect(await withGuard((guard) => guard.searchFiles('.', 'hit'))).toEqual([`${at(510)}/f:1:hit`]);
  });

  it.each([
    ['no text', 1],
    ['too long', 'a'.repeat(4097)],
    ['no expression', '('],
    ['one that explodes', '^(a+)+$'],
  ])('refuses %s', async (_, pattern) => {
    writeFileSync(ws('f'), `${'a'.repeat(60)}!`);
    expect(await codeOf(pattern)).toBe('E_BAD_PATTERN');
  });
});

it('a search ends after five seconds, however little each file takes', async () => {
  for (let index = 0; index < 20; index += 1) writeFileSync(ws(`f${index}`), 'text');
  let nowMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 400));
  expect(await codeOf('x')).toBe('E_BAD_PATTERN');
  clock.mockRestore();
  expect(await codeOf('x')).toBe('done');
});

it('no pattern has more than a second for one file', async () => {
  writeFileSync(ws('f'), 'text');
  const ran = vi.spyOn(Script.prototype, 'runInContext');
  expect(await codeOf('x')).toBe('done');
  const limits = ran.mock.calls.map(([, options]) =>
    typeof options === 'object' ? options.timeout : undefined,
  );
  ran.mockRestore();
  expect(limits.length).toBeGreaterThan(1); // it is read, and then asked about the file
  for (const limit of limits) expect(limit).toBeLessThanOrEqual(1000);
});
