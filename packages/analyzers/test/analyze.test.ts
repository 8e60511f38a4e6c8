import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finding, type Specialization } from '@switchyard/protocol';
import {
  analyze,
  analyzerLimits,
  staticEngines,
  type AnalysisFile,
  type AnalysisRequest,
  type Engine,
} from '@switchyard/analyzers';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainRun, plainScan } from './plain-run.ts';

let root: string;
const engines = staticEngines({ start: plainScan, isShared: true });
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'analyze-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const whole: AnalysisFile['lines'] = [[1, 1_000_000]];
const put = (path: string, text: string | Uint8Array, about: Partial<AnalysisFile> = {}): AnalysisFile => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return { path, change: 'added', lines: whole, binary: false, ...about };
};
const request = (
  specialization: Specialization,
  files: readonly AnalysisFile[],
  more: Partial<AnalysisRequest> = {},
): AnalysisRequest => ({
  root,
  files,
  specializations: [specialization],
  run: plainRun,
  signal: new AbortController().signal,
  ...more,
});

/** Put together here, so that no scanner takes this file for the leak. */
const githubToken = ['ghp', 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5'].join('_');
const privateKey = ['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' ');

/** An engine for security that has so many findings in `a.js`, one a line. */
function finds(name: string, count: number, severityOf: (index: number) => 'critical' | 'minor'): Engine {
  return {
    name,
    specializations: ['security'],
    analyze: () =>
      Promise.resolve(
        Array.from({ length: count }, (_, index) => ({
          severity: severityOf(index),
          category: 'security',
          file: 'a.js',
          line: index + 1,
          description: 'x',
          references: [],
        })),
      ),
    praise: () => undefined,
    close: () => Promise.resolve(),
  };
}

describe('a security review', () => {
  it('finds what its engines know, most severe first, each with place, suggestion and rule', async () => {
    const files = [
      put(
        'src/db.ts',
        'export const find = (id: string) =>\n  db.query(`SELECT * FROM users WHERE id = ${id}`);\n',
      ),
      put('config/ci.ini', `[default]\ntoken = ${githubToken}\n`),
      put('deploy.sh', 'curl https://get.example/x.sh | sudo bash\nchmod 777 /srv\n'),
      put('key.pem', `${privateKey}\nabc\n`),
    ];
    const { findings, filesAnalyzed } = await analyze(engines, request('security', files));
    expect(filesAnalyzed).toBe(4);
    expect(findings.map((one) => [one.severity, one.file, one.line, one.rule])).toEqual(
      expect.arrayContaining([
        ['critical', 'src/db.ts', 2, 'ast-grep/sql-built'],
        ['critical', 'config/ci.ini', 2, 'secretlint/github'],
        ['critical', 'key.pem', 1, 'text/private-key'],
        ['major', 'deploy.sh', 1, 'text/pipe-to-shell'],
        ['major', 'deploy.sh', 2, 'text/chmod-everybody'],
      ]),
    );
    const order = findings.map((one) => one.severity);
    expect(order).toEqual([...order].sort((a, b) => ranks[a] - ranks[b]));
    for (const one of findings) {
      expect(finding.safeParse(one).success).toBe(true);
      expect(one.category).toBe('security');
      expect(one.suggestion).toBeTruthy();
      expect(JSON.stringify(one)).not.toContain(githubToken);
    }
  });

  it('says what was checked where nothing was found', async () => {
    const files = [put('src/a.ts', 'export const a = 1;\n'), put('README.md', '# hello\n')];
    const { findings, strengths } = await analyze(engines, request('security', files));
    expect(findings).toEqual([]);
    expect(strengths[0]).toBe('secretlint: no secrets in 2 files');
    expect(strengths.join('\n')).toMatch(/ast-grep: \d+ security rules, nothing in 1 file/);
    expect(strengths.at(-1)).toBe('nothing critical or major in 2 changed files');
  });
});

const ranks = { critical: 0, major: 1, minor: 2, info: 3 } as const;

describe('the change', () => {
  const source = 'eval(a);\nconst b = 1;\neval(\n  c,\n);\n';

  it('answers only for its own lines', async () => {
    const file = put('src/a.js', source, { change: 'modified', lines: [[2, 2]] });
    expect((await analyze(engines, request('security', [file]))).findings).toEqual([]);
    const all = await analyze(engines, request('security', [file], { all: true }));
    expect(all.findings.map((one) => one.line)).toEqual([1, 3]);
  });

  it('answers for a short construct of which it touched an inner line, on that line', async () => {
    const file = put('src/a.js', source, { change: 'modified', lines: [[4, 4]] });
    const { findings } = await analyze(engines, request('security', [file]));
    expect(findings.map((one) => [one.line, one.rule])).toEqual([[4, 'ast-grep/no-eval']]);
  });
});

describe('oxlint', () => {
  it('ignores the configuration, ignore files and nested configuration of the repository', async () => {
    put('.oxlintrc.json', '{"rules":{"no-debugger":"off"},"ignorePatterns":["**"]}');
    put('src/.oxlintrc.json', '{"rules":{"no-debugger":"off"}}');
    put('.eslintignore', 'src\n');
    put('.gitignore', 'src\n');
    const file = put('src/a.ts', 'export let a = 1;\na = 2;\ndebugger;\nif (a == 2) a = 3;\n');
    const { findings } = await analyze(engines, request('style', [file]));
    expect(findings.map((one) => [one.severity, one.line, one.rule])).toEqual([
      ['major', 3, 'oxlint/eslint(no-debugger)'],
      ['minor', 4, 'oxlint/eslint(eqeqeq)'],
    ]);
  });

  it('reports a file that does not parse', async () => {
    const file = put('src/a.ts', 'export const = ;\n');
    const { findings } = await analyze(engines, request('style', [file]));
    expect(findings[0]).toMatchObject({
      severity: 'major',
      file: 'src/a.ts',
      line: 1,
      rule: 'oxlint/syntax',
    });
  });

  it('says so when it does not run at all', async () => {
    const file = put('src/a.ts', 'export const a = 1;\n');
    const run = () => Promise.resolve({ exitCode: 127, stdout: '', stderr: 'no such program' });
    await expect(analyze(engines, request('style', [file], { run }))).rejects.toMatchObject({
      code: 'E_EXECUTOR',
    });
  });
});

describe('hostile and odd input', () => {
  it('names files over the size limit and leaves them out', async () => {
    const file = put('src/a.ts', `// ${'a'.repeat(analyzerLimits.fileBytes)}\neval(a);\n`);
    const { findings } = await analyze(engines, request('security', [file]));
    expect(new Set(findings.map((one) => one.rule))).toEqual(
      new Set([
        'eslint-plugin-security/left-out',
        'secretlint/left-out',
        'ast-grep/left-out',
        'text/left-out',
        'oxlint/left-out',
        'analyzers/unseen-code',
      ]),
    );
    expect(findings.map(({ severity }) => severity)).toEqual(['major', ...Array<string>(5).fill('info')]);
  });

  it('blocks in a security review of a change on code that is made too large, or binary, to be looked at', async () => {
    const files = [
      put('large.js', `// ${'a'.repeat(analyzerLimits.fileBytes)}\neval(a);\n`),
      put('binary.js', '/* \0 */ eval(a);\n', { binary: true, lines: [] }),
      put('old.js', '/* \0 */', { change: 'deleted' }),
      put('large.txt', 'a\n'.repeat(analyzerLimits.fileBytes)),
      put('binary.png', '\0', { binary: true, lines: [] }),
    ];
    const of = async (specialization: Specialization, all: boolean): Promise<unknown[]> => {
      const { findings } = await analyze(engines, request(specialization, files, { all }));
      return findings
        .filter(({ severity }) => severity !== 'info')
        .map(({ file, severity, rule }) => [file, severity, rule]);
    };
    expect(await of('security', false)).toEqual([
      ['binary.js', 'major', 'analyzers/unseen-code'],
      ['large.js', 'major', 'analyzers/unseen-code'],
    ]);
    expect(await of('security', true)).toEqual([
      ['binary.js', 'minor', 'analyzers/unseen-code'],
      ['large.js', 'minor', 'analyzers/unseen-code'],
    ]);
    expect(await of('style', false)).toEqual([]);
    const only = files.filter(({ path }) => path === 'binary.js');
    expect(await analyze([], request('security', only))).toMatchObject({ filesAnalyzed: 1, strengths: [] });
  });

  it.each([
    ['security', false, 'z.js', 'major'],
    ['security', false, 'z.png', 'info'],
    ['security', true, 'z.js', 'info'],
    ['style', false, 'z.js', 'info'],
  ] as const)('says in a %s review (of all: %s) that %s is beyond the limit: %s', async (...told) => {
    const [specialization, all, path, severity] = told;
    const files = [put('a.js', ''), put(path, 'eval(a);\n')];
    const { findings } = await analyze([], request(specialization, files, { all, filesMax: 1 }));
    expect(findings).toMatchObject([{ severity, rule: 'analyzers/limit' }]);
  });

  it('skips binary, deleted and missing files, and never follows a link', async () => {
    const outside = join(root, '..', `outside-${process.pid}.js`);
    writeFileSync(outside, 'eval(a);\n');
    symlinkSync(outside, join(root, 'link.js'));
    const file = (path: string, about: Partial<AnalysisFile> = {}): AnalysisFile => ({
      path,
      change: 'added',
      lines: whole,
      binary: false,
      ...about,
    });
    const files = [
      put('a.bin', Uint8Array.of(0, 1, 2), { binary: true }),
      put('large.png', new Uint8Array(analyzerLimits.fileBytes + 1)),
      put('b.js', Uint8Array.of(0, 1, 2)),
      file('gone.js', { change: 'deleted' }),
      file('missing.js'),
      file('link.js'),
    ];
    const result = await analyze(engines, request('security', files));
    rmSync(outside);
    expect(result.findings.map(({ file, rule }) => [file, rule])).toEqual([
      ['b.js', 'analyzers/unseen-code'],
    ]);
    expect(result.filesAnalyzed).toBe(4);
  });

  it('takes names with blanks, quotes, line breaks and leading dashes', async () => {
    const names = ['a b.js', '-f.js', 'new\nline.js', `it's "so".js`, '--config=x.js', 'ü/ö.js'];
    const files = names.map((path) => put(path, 'eval(a);\ndebugger;\n'));
    const security = await analyze(engines, request('security', files));
    expect(new Set(security.findings.map((one) => one.file))).toEqual(new Set(names));
    expect(security.findings).toHaveLength(names.length);
    const style = await analyze(engines, request('style', files));
    expect(new Set(style.findings.map((one) => one.file))).toEqual(new Set(names));
  });

  it('ends in time on one huge line and on deep nesting', async () => {
    const files = [
      put('line.js', `x = '${'a'.repeat(900_000)}';`),
      put('many.js', 'a=1;'.repeat(200_000)),
      put('open.js', '['.repeat(200_000)),
      put('space.js', `${' '.repeat(500_000)}x`),
    ];
    for (const specialization of ['security', 'style', 'performance'] as const)
      await analyze(engines, request(specialization, files));
  });

  it('kills the engine on a file that takes too long and goes on with the others', async () => {
    const hasty = staticEngines({ start: plainScan, fileTimeMs: 10_000 });
    const files = [
      put('a.js', `${'for(;;){'.repeat(3)}${'await a+'.repeat(100_000)}1${'}'.repeat(3)}`),
      put('b.js', 'async function f() { for (const a of list) await load(a); }\n'),
    ];
    const scan = hasty.filter((engine) => engine.name === 'ast-grep');
    const { findings } = await analyze(scan, request('performance', files));
    for (const engine of hasty) await engine.close();
    expect(findings.map((one) => [one.file, one.rule])).toEqual([
      ['a.js', 'ast-grep/left-out'],
      ['b.js', 'ast-grep/await-in-loop'],
    ]);
  });

  it('blocks in a security review when a file keeps the engine from looking', async () => {
    const hasty = staticEngines({ start: plainScan, fileTimeMs: 1 });
    const scan = hasty.filter((engine) => engine.name === 'secretlint');
    const { findings } = await analyze(scan, request('security', [put('b.md', 'b\n'.repeat(450_000))]));
    for (const engine of hasty) await engine.close();
    expect(findings[0]).toMatchObject({ severity: 'major', rule: expect.stringContaining('/left-out') });
  });

  it('stops when asked to', async () => {
    const file = put('a.js', 'eval(a);\n');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(analyze(engines, request('security', [file], { signal }))).rejects.toThrow('enough');
  });

  it('carries no more findings than the wire does, and says how many there were', async () => {
    const file = put('a.js', 'a\n');
    const many = finds('many', 5000, (index) => (index === 4999 ? 'critical' : 'minor'));
    const { findings } = await analyze([many], request('security', [file]));
    expect(findings).toHaveLength(3000);
    expect(findings[0]?.severity).toBe('critical');
    expect(findings.at(-1)?.description).toMatch(/^2001 findings are not shown/);
  });

  it('holds the most severe of what the engines find without end', async () => {
    const file = put('a.js', '');
    const { findings } = await analyze(
      [finds('minor', 250_000, () => 'minor'), finds('critical', 3, () => 'critical')],
      request('security', [file], { all: true }),
    );
    expect(findings.filter(({ severity }) => severity === 'critical')).toHaveLength(3);
    expect(findings).toHaveLength(3000);
    // Of two that say the same of one line, the more severe stays.
    expect(findings.at(-1)?.description).toMatch(/^247001 findings are not shown/);
  });

  it('counts what one rule has to say of one file beyond a limit, and finds what is new behind what is old', async () => {
    const evals = (count: number): string =>
      Array.from({ length: count }, (_, at) => `eval(a${at});\n`).join('');
    const ast = engines.filter(({ name }) => name === 'ast-grep');
    const all = await analyze(ast, request('security', [put('src/a.ts', evals(62))]));
    expect(all.findings).toHaveLength(51);
    expect(all.findings.at(-1)).toMatchObject({
      severity: 'info',
      file: 'src/a.ts',
      rule: 'analyzers/limit',
      description: '12 more findings of ast-grep/no-eval in this file are not shown.',
    });
    const change = put('src/a.ts', evals(62), { change: 'modified', lines: [[62, 62]] });
    const { findings } = await analyze(ast, request('security', [change]));
    expect(findings.map(({ rule, line }) => [rule, line])).toEqual([['ast-grep/no-eval', 62]]);
  });
});
