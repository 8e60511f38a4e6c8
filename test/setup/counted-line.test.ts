import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { countedLine, fromReport } from '../../tools/setup/counted-line.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the counted line', () => {
  it('names what was skipped only when something was', () => {
    expect(countedLine({ passed: 3, failed: 1, skipped: 0 })).toBe('3 passed, 1 failed');
    expect(countedLine({ passed: 3, failed: 0, skipped: 2 })).toBe('3 passed, 0 failed, 2 skipped');
  });

  const report = (passed: number, failed: number): string => JSON.stringify({ passed, failed, skipped: 0 });
  it.each([
    ['all is well', report(5, 0), 0, '5 passed, 0 failed'],
    ['a test failed', report(5, 2), 1, '5 passed, 2 failed'],
    ['the runner failed though no test did', report(5, 0), 1, '5 passed, 1 failed'],
    ['the runner died before it could report', undefined, 137, '0 passed, 1 failed'],
    ['no test ran', report(0, 0), 0, '0 passed, 1 failed'],
  ])('tells that %s', (_name, text, exitCode, line) => {
    expect(countedLine(fromReport(text, exitCode))).toBe(line);
  });
});

describe('the counting reporter', () => {
  it('counts passed, failed and skipped tests, and a file that does not load as failed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sy-counts-'));
    try {
      const counts = join(folder, 'counts.json');
      const config = join(root, 'test/setup/fixtures/counting/vitest.config.ts');
      const vitest = join(root, 'node_modules/vitest/vitest.mjs');
      const ended = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
        cwd: folder,
        env: { PATH: process.env['PATH'], SWITCHYARD_TEST_COUNTS: counts },
        encoding: 'utf8',
      });
      expect(ended.status, ended.stderr).toBe(1);
      expect(JSON.parse(readFileSync(counts, 'utf8'))).toEqual({ passed: 1, failed: 2, skipped: 1 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
