import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reviewReport } from '@switchyard/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../bin/switchyard.mjs', import.meta.url));
let home = '';
let folder = '';

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
function git(...args: string[]): void {
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  execFileSync('git', [...author, ...args], { cwd: folder });
}
function review(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'review', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: home },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const evil = 'export const run = (code: string) => eval(code);\n';

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'switchyard-review-'));
  folder = join(home, 'shop');
  mkdirSync(folder);
  git('init', '--quiet', '-b', 'main');
  put('src/old.ts', evil);
  put('src/gone.ts', 'export const gone = 1;\n');
  put('.gitignore', 'built/\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'begin');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('review', () => {
  it('takes all of a repository where nothing is uncommitted, and writes page and SARIF', () => {
    const files = ['--html', '../out/r.html', '--sarif', '../out/r.sarif'];
    const { status, stdout, stderr } = review('--specialization', 'security', ...files);
    expect(stderr).toContain('reviewing all 3 files, since nothing is uncommitted');
    expect(stderr).toContain('secretlint');
    expect(stdout).toMatch(/src\/old\.ts\n +1:\d+ +(critical|major) /);
    expect(status === 21 || status === 22).toBe(true);
    expect(readFileSync(join(home, 'out/r.html'), 'utf8')).toContain('export const run');
    const sarif = JSON.parse(readFileSync(join(home, 'out/r.sarif'), 'utf8')) as { version: string };
    expect(sarif.version).toBe('2.1.0');
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: folder, encoding: 'utf8' })).toBe('');
  });

  it('takes the change alone where there is one, told as JSON; binary, deleted and ignored files are no matter', () => {
    put('src/old.ts', `${evil}export const fine = 1;\n`);
    rmSync(join(folder, 'src/gone.ts'));
    put('logo.png', '\0\0\0eval(code)');
    put('built/out.js', evil);
    const quiet = review('--json', '--specialization', 'security');
    const report = reviewReport.parse(JSON.parse(quiet.stdout));
    expect([quiet.status, report.findings]).toEqual([0, []]);
    expect(report.since?.revision).toBe('HEAD');
    put('src/new.ts', evil);
    const { status, stdout } = review('src/new.ts', '--json', '--specialization', 'reviewer-security');
    const { findings } = reviewReport.parse(JSON.parse(stdout));
    expect(findings.map(({ file, line }) => [file, line])).toEqual([['src/new.ts', 1]]);
    expect(findings[0]?.excerpt).toMatchObject({ from: 1, lines: [evil.trim()] });
    expect(status).toBe(findings[0]?.severity === 'critical' ? 22 : 21);
  });

  it('asks the tools of the policy by the rules of before the change, which stays as it is', () => {
    const tool = `grep -q '"rule"' strict.json && echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[
      {"ruleId":"old","message":{"text":"bad"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"new.js"}}}]}]}]}'`;
    const line = 'engines:\n  - { name: own, run: sh tool.sh --config strict.json }\n';
    put('.switchyard/review.yml', line);
    put('strict.json', '["rule"]\n');
    put('tool.sh', tool);
    git('add', '.');
    git('commit', '--quiet', '-m', 'rules');
    put('strict.json', '[]\n');
    put('new.js', 'export {};\n');
    const { stdout, stderr } = review('--json', '--specialization', 'security');
    expect(stdout, stderr).not.toBe('');
    const { findings } = reviewReport.parse(JSON.parse(stdout));
    expect(findings.map(({ rule, file }) => [rule, file])).toEqual([
      ['policy/rules-edited', 'strict.json'],
      ['own/old', 'new.js'],
    ]);
    expect(readFileSync(join(folder, 'strict.json'), 'utf8')).toBe('[]\n');
  });

  it('says what is wrong with the command line', () => {
    expect(review('nowhere')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is nothing at') as string,
    });
    expect(review('--specialization', 'cooking')).toMatchObject({ status: 2 });
    expect(review('--specialization', '')).toMatchObject({ status: 2 });
    expect(review('--specialization', ' ,')).toMatchObject({ status: 2 });
    expect(review('--since', 'nowhere')).toMatchObject({
      status: 5,
      stderr: expect.stringMatching(/E_BASE_UNKNOWN: nowhere is no branch/) as string,
    });
    expect(review(home, '--since', 'main').status).toBe(5);
  });
});
