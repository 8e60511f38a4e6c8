import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { analyze, changedLineRanges, staticEngines, type AnalysisFile } from '@switchyard/analyzers';
import { plainScan } from './plain-run.ts';
import type { Specialization } from '@switchyard/protocol';
import { baseOf, MadeTree } from './made-tree.ts';

const engines = staticEngines({ start: plainScan, isShared: true }).filter(
  (engine) => engine.name === 'change',
);
let tree: MadeTree;
beforeEach(() => {
  tree = new MadeTree();
});
afterEach(() => tree.close());
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

type Texts = Readonly<Record<string, string>>;

/** Reviews the change from some texts to others; `null` deletes, what is in neither stays as `around` has it. */
async function review(
  specialization: Specialization,
  before: Texts,
  after: Readonly<Record<string, string | null>>,
  around: Texts = {},
) {
  for (const [path, text] of Object.entries(around)) tree.put(path, text);
  const files = Object.entries(after).map(([path, text]): AnalysisFile => {
    const old = before[path];
    if (text === null) return { path, change: 'deleted', lines: [], binary: false };
    const lines = changedLineRanges(old ?? '', text);
    return tree.put(path, text, { change: old === undefined ? 'added' : 'modified', lines });
  });
  const request = tree.request(files, {
    specializations: [specialization],
    base: baseOf({ ...around, ...before }),
  });
  const { findings } = await analyze(engines, request);
  return findings.map(({ severity, file, line, rule }) => [
    severity,
    rule?.replace('change/', ''),
    file,
    line,
  ]);
}

const test = (title: string, body: string) => `it('${title}', () => {\n  ${body}\n});\n`;
const path = 'test/a.test.ts';

describe('tests that a change weakens', () => {
  const two = test('one', 'expect(a()).toBe(1);') + test('two', 'expect(b()).toEqual([2]);');

  it('are told when one is removed, and not when it moved to another file or has another title', async () => {
    expect(await review('testing', { [path]: two }, { [path]: test('one', 'expect(a()).toBe(1);') })).toEqual(
      [['major', 'test-removed', path, undefined]],
    );
    const moved = {
      [path]: test('one', 'expect(a()).toBe(1);'),
      'test/b.test.ts': test('two', 'expect(c()).toBe(2);'),
    };
    expect(await review('testing', { [path]: two }, moved)).toEqual([]);
    expect(
      await review('testing', { [path]: two }, { [path]: two.replace("'two'", "'the second'") }),
    ).toEqual([]);
    expect(await review('testing', { [path]: two }, { [path]: null })).toEqual([
      ['major', 'test-removed', path, undefined],
    ]);
  });

  it('are told when one is switched off, or a group of them, and not when it was off before', async () => {
    expect(
      await review('testing', { [path]: two }, { [path]: two.replace("it('two'", "it.skip('two'") }),
    ).toEqual([['major', 'test-skipped', path, 4]]);
    const group = (word: string) => `${word}('g', () => {\n${two}});\n`;
    expect(
      await review('testing', { [path]: group('describe') }, { [path]: group('describe.skip') }),
    ).toEqual([
      ['major', 'test-skipped', path, 2],
      ['major', 'test-skipped', path, 5],
    ]);
    const off = two.replaceAll('it(', 'it.skip(');
    expect(await review('testing', { [path]: off }, { [path]: `// more\n${off}` })).toEqual([]);
  });

  it('are told when they assert less', async () => {
    const one = (body: string) => ({ [path]: test('one', body) });
    const before = one('const x = a();\n  expect(x.a).toBe(1);\n  expect(x.b).toBe(2);');
    expect(await review('testing', before, one('a();'))).toEqual([['major', 'assertions-gone', path, 1]]);
    expect(await review('testing', before, one('expect(x.a).toBe(1);'))).toEqual([
      ['minor', 'assertion-removed', path, 1],
    ]);
    expect(
      await review('testing', before, one('expect(x.a).toBe(1);\n  expect(x.b).toBeDefined();')),
    ).toEqual([['minor', 'assertion-loosened', path, 1]]);
    expect(await review('testing', before, one('expect(x.a).toBe(1);\n  expect(x.b).toBe(3);'))).toEqual([
      ['info', 'expectation-changed', path, 1],
    ]);
    expect(
      await review(
        'testing',
        before,
        one('expect(x.a).toBe(1);\n  expect(x.b).toBe(2);\n  expect(x.c).toBe(2);'),
      ),
    ).toEqual([]);
  });

  it('may not be loosened at all where the policy protects them', async () => {
    const policy = { '.switchyard/review.yml': 'protected: [test/**]\n' };
    const change = [
      { [path]: test('one', 'expect(a()).toBe(1);') },
      { [path]: test('one', 'expect(a()).toBeTruthy();') },
    ] as const;
    expect(await review('testing', change[0], change[1], policy)).toEqual([
      ['major', 'assertion-loosened', path, 1],
    ]);
  });

  it('know node:test and assert too', async () => {
    const old = "test('one', () => {\n  assert.equal(a(), 1);\n});\n";
    expect(
      await review('testing', { [path]: old }, { [path]: old.replace('equal(a(), 1)', 'ok(a())') }),
    ).toEqual([['minor', 'assertion-loosened', path, 1]]);
  });
});

describe('what a change stops offering', () => {
  const user = { 'src/user.ts': "import { b } from './a.ts';\nexport const c = b;\n" };
  const old = { 'src/a.ts': 'export const a = 1;\nexport const b = (x: number) => x;\n' };

  it('is major where somebody still takes it, and nothing inside where nobody does', async () => {
    expect(await review('integration', old, { 'src/a.ts': 'export const a = 1;\n' }, user)).toEqual([
      ['major', 'export-removed', 'src/a.ts', undefined],
    ]);
    expect(
      await review('integration', old, { 'src/a.ts': 'export const b = (x: number) => x;\n' }, user),
    ).toEqual([]);
  });

  it('is told at the importer when the module goes', async () => {
    expect(await review('integration', old, { 'src/a.ts': null }, user)).toEqual([
      ['major', 'imports-deleted-module', 'src/user.ts', 1],
    ]);
    const mended = { 'src/a.ts': null, 'src/user.ts': 'export const c = 1;\n' };
    expect(await review('integration', { ...old, ...user }, mended)).toEqual([]);
  });

  it('is found through the name of a package', async () => {
    const around = {
      'packages/p/package.json': '{ "name": "@x/p" }',
      'apps/q/src/main.ts': "import { one } from '@x/p';\none();\n",
      'apps/q/package.json': '{ "dependencies": { "@x/p": "1" } }',
    };
    const entry = 'packages/p/src/index.ts';
    expect(
      await review(
        'integration',
        { [entry]: 'export const one = 1;\nexport const two = 2;\n' },
        { [entry]: 'export const two = 2;\n' },
        around,
      ),
    ).toEqual([['major', 'export-removed', entry, undefined]]);
  });

  it.each([
    [
      'a parameter more',
      'function f(a: string) {}',
      'function f(a: string, b: string) {}',
      'parameter-added',
    ],
    [
      'a parameter less',
      'function f(a: string, b?: string) {}',
      'function f(a: string) {}',
      'parameter-removed',
    ],
    ['a field gone', 'interface f { a: 1; b: 2 }', 'interface f { a: 1 }', 'field-removed'],
    ['a field needed', 'interface f { a?: 1 }', 'interface f { a: 1 }', 'field-required'],
    ['a value gone', "const f = ['a', 'b'] as const;", "const f = ['a'] as const;", 'value-removed'],
  ])('%s', async (_name, before, after, rule) => {
    expect(
      await review('integration', { 'src/f.ts': `export ${before}\n` }, { 'src/f.ts': `export ${after}\n` }),
    ).toEqual([['minor', rule, 'src/f.ts', 1]]);
    const callers = { 'src/g.ts': "import { f } from './f.ts';\nuse(f);\n" };
    const both = { 'src/f.ts': `export ${after}\n`, 'src/g.ts': "import { f } from './f.ts';\nuse(f, 2);\n" };
    expect(await review('integration', { 'src/f.ts': `export ${before}\n`, ...callers }, both)).toEqual([]);
  });
});

describe('dependencies', () => {
  const manifest = (dependencies: object) => ({
    'package.json': JSON.stringify({ dependencies }, undefined, 2),
  });
  const lock = (entry: object) => ({
    'package-lock.json': JSON.stringify({ packages: { 'node_modules/ws': entry } }, undefined, 2),
  });
  const known = { version: '8.0.0', resolved: 'https://registry.example.org/ws.tgz', integrity: 'sha512-A' };

  it('have to be in the lock file', async () => {
    expect(
      await review(
        'integration',
        manifest({ ws: '8.0.0' }),
        manifest({ ws: '8.0.0', pad: '1.0.0' }),
        lock(known),
      ),
    ).toEqual([
      ['major', 'lock-not-updated', 'package.json', undefined],
      ['info', 'dependency-added', 'package.json', undefined],
    ]);
  });

  it('are not swapped behind a lock file', async () => {
    const path = 'package-lock.json';
    expect(await review('security', lock(known), lock({ ...known, integrity: 'sha512-B' }))).toEqual([
      ['critical', 'lock-digest-swapped', path, undefined],
    ]);
    expect(
      await review(
        'security',
        lock(known),
        lock({ ...known, version: '8.1.0', integrity: 'sha512-B', resolved: 'https://evil.example/ws.tgz' }),
      ),
    ).toEqual([['major', 'lock-other-host', path, undefined]]);
    expect(
      await review('security', lock(known), lock({ ...known, version: '8.1.0', integrity: 'sha512-B' })),
    ).toEqual([]);
  });
});

describe('the rest of a change', () => {
  it('imports only what is there', async () => {
    const text = [
      "import './b.js';",
      "import './nothing.ts';",
      "import fs from 'fs';",
      "import ws from 'ws';",
      "import pad from 'left-pad';",
      "import x from '#x';",
      "import './generated/api.ts';",
      '',
    ].join('\n');
    const around = { 'src/b.ts': '', 'package.json': '{ "dependencies": { "ws": "8.0.0" } }' };
    expect(await review('integration', {}, { 'src/a.ts': text }, around)).toEqual([
      ['major', 'import-of-nothing', 'src/a.ts', 2],
      ['minor', 'import-undeclared', 'src/a.ts', 5],
    ]);
  });

  it('leaves the bar where it is', async () => {
    const config = (lines: number) => ({
      'vitest.config.ts': `export default { coverage: { lines: ${lines} } };\n`,
    });
    expect(await review('testing', config(80), config(70))).toEqual([
      ['major', 'threshold-lowered', 'vitest.config.ts', 1],
    ]);
    expect(await review('testing', config(80), config(90))).toEqual([]);
  });

  it('does not switch checks off for itself, in comments that are new', async () => {
    const line = `run(); // ${'eslint'}-disable-line no-eval\n`;
    expect(await review('code-quality', { 'a.js': 'one();\n' }, { 'a.js': `one();\n${line}` })).toEqual([
      ['minor', 'suppression-added', 'a.js', 2],
    ]);
    expect(await review('code-quality', { 'a.js': line }, { 'a.js': `${line}one();\n` })).toEqual([]);
  });

  it('leaves migrations that were there alone', async () => {
    const file = 'db/migrations/001_a.sql';
    expect(await review('integration', { [file]: 'SELECT 1;\n' }, { [file]: 'SELECT 2;\n' })).toEqual([
      ['major', 'migration-edited', file, undefined],
    ]);
    expect(await review('integration', {}, { [file]: 'SELECT 2;\n' })).toEqual([]);
  });

  it('is tested: functions by name, lines by the report that lies there', async () => {
    const report = 'SF:src/a.ts\nDA:1,1\nDA:2,0\nDA:3,0\nDA:4,1\nend_of_record\n';
    const around = { [path]: 'known();\n' };
    const a = 'export function known() {\n  one();\n  two();\n}\nexport function fresh() {}\n';
    expect(await review('testing', {}, { 'src/a.ts': a }, around)).toEqual([
      ['minor', 'export-untested', 'src/a.ts', 5],
    ]);
    // The report is written after the source, as tests do.
    tree.put('coverage/lcov.info', report);
    const files = [
      { path: 'src/a.ts', change: 'modified' as const, lines: [[2, 3]] as const, binary: false },
    ];
    const { findings } = await analyze(
      engines,
      tree.request(files, { specializations: ['testing'], base: baseOf({}) }),
    );
    expect(findings).toMatchObject([
      { rule: 'change/line-not-covered', line: 2, description: expect.stringContaining('0 %') as string },
    ]);
  });
});

describe('blocks that a change copies', () => {
  const block = Array.from(
    { length: 9 },
    (_one, at) => `  const part${at} = takeApart(input, ${at}, 'with some words');`,
  ).join('\n');
  const whole = (name: string, lines = block) =>
    `import { takeApart } from './parts.ts';\n\nexport function ${name}(input) {\n${lines}\n}\n`;

  it('are told with the place of the original, in another file or further up in the same', async () => {
    expect(await review('code-quality', {}, { 'src/b.ts': whole('b') }, { 'src/z.ts': whole('z') })).toEqual([
      ['minor', 'copied-block', 'src/b.ts', 4],
    ]);
    const twice = `${whole('one')}${whole('two').replace(/^import.*\n/, '')}`;
    expect(await review('code-quality', { 'src/a.ts': whole('one') }, { 'src/a.ts': twice })).toEqual([
      ['minor', 'copied-block', 'src/a.ts', 16],
    ]);
  });

  it('are told once where both copies are new, and not where the change has nothing to do with them', async () => {
    const both = { 'src/a.ts': whole('a'), 'src/b.ts': whole('b') };
    expect(await review('code-quality', {}, both)).toEqual([['minor', 'copied-block', 'src/b.ts', 4]]);
    const around = { 'src/a.ts': whole('a') };
    const before = { 'src/b.ts': whole('b') };
    const more = { 'src/b.ts': `${whole('b')}export const more = 1;\n` };
    expect(await review('code-quality', before, more, around)).toEqual([]);
  });

  it('are none where lines are alike by chance, in tests, or import the same', async () => {
    const few = block.split('\n').slice(0, 6).join('\n');
    const short = Array.from({ length: 12 }, (_one, at) => `  f(${at});`).join('\n');
    const imports = Array.from(
      { length: 12 },
      (_one, at) => `import { somethingThatIsNeeded${at} } from './somewhere-else.ts';`,
    ).join('\n');
    for (const text of [whole('x', few), whole('x', short), imports])
      expect(await review('code-quality', {}, { 'src/b.ts': text }, { 'src/a.ts': text })).toEqual([]);
    const tests = { 'test/a.test.ts': whole('a') };
    expect(await review('code-quality', {}, { 'test/b.test.ts': whole('b') }, tests)).toEqual([]);
  });
});

describe('a function that grows', () => {
  const branches = (count: number): string =>
    Array.from({ length: count }, (_, at) => `    if (a === ${at}) b(${at});\n`).join('');
  const store = (count: number, more = ''): string =>
    `import { b } from './b.ts';\n\nclass Store {\n  open(a: number): void {\n${branches(count)}${more}  }\n}\n`;

  it('beyond what one may have is told, at its head, though that was left alone', async () => {
    const grown = [['minor', 'complexity-grown', 'src/a.ts', 4]];
    expect(await review('code-quality', { 'src/a.ts': store(19) }, { 'src/a.ts': store(20) })).toEqual(grown);
    expect(await review('code-quality', { 'src/a.ts': store(30) }, { 'src/a.ts': store(31) })).toEqual(grown);
  });

  it.each([
    ['within it', store(5), store(19)],
    ['not, but was too complex before', store(25), store(25, '    b(a);\n')],
    ['smaller', store(30), store(25)],
    [
      'in a function of its own inside',
      store(19),
      store(19, `    const c = (): void => {\n${branches(3)}    };\n`),
    ],
    [
      'by cases alone',
      store(19),
      store(19).replace('if (a === 0) b(0);', 'switch (a) { case 1: case 2: case 3: b(a); }'),
    ],
  ])('%s is not told', async (_name, before, after) => {
    expect(await review('code-quality', { 'src/a.ts': before }, { 'src/a.ts': after })).toEqual([]);
  });

  it('is counted as oxlint counts it, and told once where both do', async () => {
    const all = staticEngines({ start: plainScan, isShared: true });
    try {
      const before = `export const f = (a, b = 1) => {\n  return a;\n};\n`;
      const body = `  try { a ??= b; } catch { a ||= 1; }
  for (const x of a) for (const y in b) for (;;) while (x) do {} while (y);
  switch (a) { case 1: case 2: break; default: }
  if (a?.b?.c && b || a) return a ? 1 : 2;
  if (a) b; if (a) b; if (a) b; if (a) b; if (a) b;
  return a ?? b;\n`;
      const after = `export const f = (a, b = 2) => {\n${body}};\n`;
      const lines = changedLineRanges(before, after);
      const files = [tree.put('src/a.js', after, { change: 'modified', lines })];
      const base = baseOf({ 'src/a.js': before });
      const said = async (engines: typeof all) => {
        const request = tree.request(files, { specializations: ['code-quality'], base });
        const { findings } = await analyze(engines, request);
        return findings.flatMap(({ rule = '', line, description }) =>
          rule.includes('complexity') ? [`${line} ${/of (?:\d+ to )?(\d+)/.exec(description)?.[1]}`] : [],
        );
      };
      const one = (name: string) => all.filter((engine) => engine.name === name);
      expect(await said(one('oxlint'))).toEqual(['1 23']);
      expect(await said(one('change'))).toEqual(['1 23']);
      expect(await said(all)).toEqual(['1 23']);
    } finally {
      for (const engine of all) await engine.close();
    }
  });
});
