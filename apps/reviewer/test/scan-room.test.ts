import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  analyze,
  sandboxedScan,
  staticEngines,
  type AnalysisFile,
  type StartScan,
} from '@switchyard/analyzers';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { Finding } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let sandbox: Sandbox;
let folder = '';
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-scan-')));
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const flawed = 'async function f() { for (const a of list) await load(a); }\n';

interface Scene {
  readonly start: StartScan;
  readonly trees: readonly Readonly<Record<string, string>>[];
  readonly fileTimeMs?: number;
}

/** What ast-grep says of some trees with these sources, looked at in scan processes that are started so. */
async function findingsOf({ start, trees, fileTimeMs = 20_000 }: Scene): Promise<Finding[]> {
  const engines = staticEngines({ start, fileTimeMs });
  const found: Finding[] = [];
  try {
    for (const sources of trees) {
      const root = mkdtempSync(join(folder, 'tree-'));
      const files = Object.entries(sources).map(([path, text]): AnalysisFile => {
        writeFileSync(join(root, path), text);
        return { path, change: 'added', binary: false, lines: [[1, text.split('\n').length]] };
      });
      const analysis = await analyze(
        engines.filter(({ name }) => name === 'ast-grep'),
        {
          root,
          files,
          specializations: ['performance'],
          run: () => Promise.reject(new Error('no program is run')),
          signal: AbortSignal.timeout(60_000),
        },
      );
      found.push(...analysis.findings);
    }
    return found;
  } finally {
    for (const engine of engines) await engine.close();
  }
}

const both = { 'bad.js': flawed, 'good.js': flawed };

/** A scan process that one of its files has taken over: the program is another one, all else is real. */
const takenOver =
  (script: string): StartScan =>
  (program) =>
    sandboxedScan(sandbox)({ ...program, argv: [process.execPath, '-e', script] });

/** Answers jobs with nothing found, and does `deed` at a file that has its name. */
const server = (deed: string): string => `
process.stdout.write('ready\\n');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, path } = JSON.parse(line);
  if (path === 'bad.js') { ${deed} }
  else process.stdout.write(JSON.stringify({ id, kind: 'found', findings: [{ severity: 'minor', category: 'performance', file: path, line: 1, description: 'seen', rule: 'ast-grep/seen', references: [] }] }) + '\\n');
});`;

describe('what parses the files of strangers', () => {
  it('finds what there is to find', async () => {
    const found = await findingsOf({ start: sandboxedScan(sandbox), trees: [{ 'a.js': flawed }] });
    expect(found.map(({ file, rule }) => [file, rule])).toEqual([['a.js', 'ast-grep/await-in-loop']]);
  });

  it('sees neither the tree nor the machine, and reaches nothing', async () => {
    writeFileSync(join(folder, 'secret.txt'), 'SECRET');
    const deed = `
      const fs = require('node:fs'), path = require('node:path'), folder = ${JSON.stringify(folder)};
      const attempt = (action) => { try { return String(action()); } catch (error) { return error.code; } };
      const message = [
        attempt(() => fs.readFileSync(path.join(folder, 'secret.txt'), 'utf8')),
        attempt(() => fs.writeFileSync(path.join(folder, 'planted'), '')),
        attempt(() => process.kill(${process.pid}, 0)),
        Object.keys(require('node:os').networkInterfaces()).join(),
        Object.keys(process.env).filter((name) => /TOKEN|SECRET|SWITCHYARD/.test(name)).length,
      ].join(' ');
      process.stdout.write(JSON.stringify({ id, kind: 'broken', message }) + '\\n');`;
    const found = await findingsOf({ start: takenOver(server(deed)), trees: [both] });
    expect(found.map(({ description }) => description).join()).toContain('(ENOENT ENOENT ESRCH lo 0)');
    expect(existsSync(join(folder, 'planted'))).toBe(false);
  });

  it.each([
    ['dies', 'process.exit(3);', '(code 3)'],
    ['is killed', "process.kill(process.pid, 'SIGKILL');", '(code 137)'],
    [
      'answers without end',
      "for (;;) try { require('node:fs').writeSync(1, 'x'.repeat(65536)); } catch {}",
      'answered without end',
    ],
    ['answers nonsense', "process.stdout.write('{}\\n');", 'its answer cannot be read'],
    [
      'eats all memory',
      'const all = []; for (;;) all.push(Buffer.alloc(1 << 26, 1));',
      'it ended the engine',
    ],
  ])('that %s names the file, and the others are looked at', async (_, deed, told) => {
    const found = await findingsOf({ start: takenOver(server(deed)), trees: [both], fileTimeMs: 120_000 });
    const of = (name: string) => found.filter(({ file }) => file === name);
    expect(of('bad.js').map(({ rule }) => rule)).toEqual(['ast-grep/left-out']);
    expect(of('bad.js')[0]?.description).toContain(told);
    expect(of('good.js').map(({ rule }) => rule)).toEqual(['ast-grep/seen']);
  });

  it('that hangs is killed in its time, and the others are looked at', async () => {
    const found = await findingsOf({
      start: takenOver(server('for (;;);')),
      trees: [both],
      fileTimeMs: 2_000,
    });
    expect(Object.fromEntries(found.map(({ file, rule }) => [file, rule]))).toEqual({
      'bad.js': 'ast-grep/left-out',
      'good.js': 'ast-grep/seen',
    });
  });

  it('that cannot be started fails the review: a file is looked at in the sandbox or not at all', async () => {
    const refused: StartScan = () =>
      sandbox.start({ argv: [], cwd: '/', mounts: [], env: {}, network: 'none', timeoutMs: 1 });
    await expect(findingsOf({ start: refused, trees: [both] })).rejects.toMatchObject({ code: 'E_SANDBOX' });
    await expect(
      findingsOf({
        start: takenOver("console.error('no such module'); process.exitCode = 9"),
        trees: [both],
      }),
    ).rejects.toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('does not start: code 9: no such module') as string,
    });
  });

  it('has a process of its own for each tree', async () => {
    let started = 0;
    const start: StartScan = (program) => {
      started += 1;
      return takenOver(server(''))(program);
    };
    const found = await findingsOf({
      start,
      trees: [{ 'a.js': flawed, 'b.js': flawed }, { 'a.js': flawed }],
    });
    expect([started, found.length]).toEqual([2, 3]);
  });
});
