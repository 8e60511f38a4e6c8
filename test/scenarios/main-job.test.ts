import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario, until, type Ended, type Running } from './harness.ts';

const start = fileURLToPath(new URL('../../tools/setup/start.mjs', import.meta.url));
let made: Scenario;
let temporary = '';
/** One home and one temporary folder for all of it: the dependency layer is built once, as on anybody's machine. */
beforeAll(() => {
  made = new Scenario({ 'readme.txt': 'elsewhere\n' });
  temporary = join(made.folder, 'tmp');
  mkdirSync(temporary);
});
// Thousands of files of packages: on a busy machine they take their time.
afterAll(() => made.close(), 180_000);

/** `npm start`, piped. */
function mainJob(...args: string[]): Promise<Ended> {
  return made.start(process.execPath, [start, ...args], { TMPDIR: temporary }).ended;
}

function reportOf(output: string): { html: string; markdown: string } {
  const html = /report: (\S+report\.html)/.exec(output)?.[1] ?? '';
  return { html, markdown: html.replace(/html$/, 'md') };
}

/** Processes that go on, and files of the job other than its reports. */
function leftBehind(html: string): string[] {
  const [job = ''] = html.slice(temporary.length + 1).split('/');
  const files = readdirSync(join(temporary, job), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !/^report\.(md|html|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return [...made.leftovers().map(({ command }) => command), ...files];
}

/** Ctrl-C in a terminal: to all of the foreground. */
function interrupt({ child }: Running): void {
  for (const pid of [child.pid ?? 0, ...childrenOf(child.pid ?? 0)]) process.kill(pid, 'SIGINT');
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Whether a layer is being built in some job of this temporary folder. */
function isBuilding(folder: string): boolean {
  return below(below([folder], /^switchyard-start-/), /^state$/)
    .flatMap((state) => below(below([join(state, 'repositories')], /./), /^layers$/))
    .some((layers) => below(below(below([layers], /^\.build-/), /^tree$/), /./).length > 0);
}

function below(folders: readonly string[], name: RegExp): string[] {
  return folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder).flatMap((entry) => (name.test(entry) ? join(folder, entry) : []))
      : [],
  );
}

describe('the main job', () => {
  it('ended by ctrl-C while work is under way, leaves neither processes nor files, and says so', async () => {
    const own = join(temporary, 'interrupted');
    mkdirSync(own);
    const job = made.start(process.execPath, [start], { TMPDIR: own });
    await until('the build of a layer', () => (isBuilding(own) ? true : undefined));
    interrupt(job);
    const { code, stdout, stderr } = await job.ended;
    expect(code, stdout + stderr).toBe(130);
    expect(stdout).toMatch(/stopped; the copy is gone, and this checkout is as it was\n$/);
    expect(stdout + stderr).not.toMatch(/resume|ENOTEMPTY| at /);
    expect(readdirSync(own).filter((name) => name.startsWith('switchyard-start-'))).toEqual([]);
    expect(made.leftovers()).toEqual([]);
  });

  it('comes out reviewed, merged and verified; one task is rejected once, with a finding', async () => {
    const { code, stdout, stderr } = await mainJob();
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/12 of 12 tasks completed/);
    expect(stdout).toMatch(/history-reader: round 1 was rejected by security/);
    expect(stdout).toMatch(/read-history\.ts:\d+ critical security .+\n +\S.+\n +suggestion: \S.+\n/);
    expect(stdout).toMatch(/history-reader +completed .* 2 attempts\n/);
    expect(stdout).not.toContain('\u001B');
    expect(stdout).toMatch(/result: branch switchyard\/\S+ of the copy; your checkout is as it was\n/);
    expect(stdout).not.toContain('to merge it');
    const { html, markdown } = reportOf(stdout);
    expect([existsSync(html), existsSync(markdown)]).toEqual([true, true]);
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('<svg');
    expect(page).toMatch(/<pre class="excerpt">.*<span class="hit"><i>\d+<\/i>.*exec/);
    expect(page).toContain('generated/history/read-history.test.ts');
    const text = readFileSync(markdown, 'utf8');
    expect(text).toMatch(/## Verification of the merged result\s+\*\*✓ passed\*\*/);
    for (const command of ['tsc -p .*generated.tsconfig.json', '--test .*error-table.test.ts .*'])
      expect(text).toMatch(new RegExp(`✓ `.concat('`.*', command, '` exit code 0')));
    expect(leftBehind(html)).toEqual([]);
  });

  it('with --fail: what depends on the failure is skipped, the rest completes, exit code 1', async () => {
    const { code, stdout, stderr } = await mainJob('--fail');
    expect(code, stdout + stderr).toBe(1);
    expect(stdout).toMatch(/failed: 10 of 12 tasks completed in \S+, 1 failed, 1 skipped\n/);
    expect(stdout).toMatch(/✖ licences +failed .*E_COMMAND_FAILED: .* have a licence that/);
    expect(stdout).toMatch(/⊘ index +skipped +licences failed\n/);
    const { html, markdown } = reportOf(stdout);
    expect(readFileSync(markdown, 'utf8')).toMatch(
      /## What went wrong\s+- \*\*licences\*\* failed: .*licences\.mjs" ended with exit code 1\n.*index skipped because licences failed/,
    );
    expect(leftBehind(html)).toEqual([]);
  });
});
