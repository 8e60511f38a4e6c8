import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario } from './harness.ts';

const start = fileURLToPath(new URL('../../tools/setup/start.mjs', import.meta.url));
const scenarios: Scenario[] = [];
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

/** `npm start`, in a home and a temporary folder of its own. */
function mainJob(...args: string[]) {
  const made = new Scenario({ 'readme.txt': 'elsewhere\n' });
  scenarios.push(made);
  return made.start(process.execPath, [start, ...args], { TMPDIR: made.folder }).ended;
}

function reportOf(output: string): { html: string; markdown: string } {
  const html = /report: (\S+report\.html)/.exec(output)?.[1] ?? '';
  return { html, markdown: html.replace(/html$/, 'md') };
}

describe('the main job', () => {
  it('comes out reviewed, merged and verified; one task is rejected once, with a finding', async () => {
    const { code, stdout, stderr } = await mainJob();
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/12 of 12 tasks completed/);
    expect(stdout).toMatch(/history-reader: round 1 was rejected by security/);
    expect(stdout).toMatch(/read-history\.ts:\d+ critical security: .+\n +suggestion: .+/);
    const { html, markdown } = reportOf(stdout);
    expect([existsSync(html), existsSync(markdown)]).toEqual([true, true]);
    const text = readFileSync(html, 'utf8');
    expect(text).toContain('<svg');
    expect(text).toContain('generated/history/read-history.test.ts');
    expect(readFileSync(markdown, 'utf8')).toContain('error-table.test.ts');
    expect(existsSync(join(html, '../../../repository.git'))).toBe(false);
  }, 240_000);

  it('with --fail: what depends on the failure is skipped, the rest completes, exit code 1', async () => {
    const { code, stdout, stderr } = await mainJob('--fail');
    expect(code, stdout + stderr).toBe(1);
    expect(stdout).toMatch(/10 of 12 tasks completed/);
    expect(stdout).toMatch(/licences .*E_COMMAND_FAILED/);
    expect(stdout).toMatch(/index +skipped/);
    expect(readFileSync(reportOf(stdout).markdown, 'utf8')).toMatch(/licences/);
  }, 240_000);
});
