import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { analyze, writeSarif, type AnalysisRequest, type Engine } from '@switchyard/analyzers';
import type { Finding } from '@switchyard/protocol';
import { baseOf, MadeTree } from './made-tree.ts';

const require = createRequire(import.meta.url);
const schemaFile = require.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>;
// Draft 04 calls its own address `id`; nothing in it is beyond what draft 07 reads the same.
delete schema['$schema'];
const isSarif = new Ajv({ schemaId: 'auto', unknownFormats: 'ignore', logger: false }).compile(schema);

let tree: MadeTree;
beforeEach(() => {
  tree = new MadeTree();
});
afterEach(() => tree.close());

/** Answers what it is told to. */
const saying = (findings: readonly Finding[]): Engine => ({
  name: 'told',
  specializations: ['security'],
  analyze: () => Promise.resolve([...findings]),
  praise: () => undefined,
  close: () => Promise.resolve(),
});

describe('SARIF out', () => {
  const findings: Finding[] = [
    {
      severity: 'critical',
      category: 'security',
      file: 'src/ä b#1:%.ts',
      line: 2,
      column: 3,
      description: 'It leaks.',
      suggestion: 'Mend it.',
      references: ['CWE-89', 'https://example.org/rule'],
      rule: 'told/leak',
    },
    { severity: 'info', category: 'security', description: 'About all of it.', references: [] },
    {
      severity: 'minor',
      category: 'security',
      file: 'old.ts',
      line: 1,
      description: 'Known.',
      references: [],
      rule: 'told/known',
    },
  ];
  const policy = 'suppressions:\n  - { rule: told/known, reason: it is going away, until: 2099-12-31 }\n';

  it('is valid against the schema, with rules, CWE, fingerprints and what is suppressed', async () => {
    const request = tree.request([tree.put('src/ä b#1:%.ts', 'one\ntwo\n'), tree.put('old.ts', 'old\n')], {
      base: baseOf({ '.switchyard/review.yml': policy }),
    });
    const review = await analyze([saying(findings)], request);
    const log = writeSarif(review, { root: tree.root, version: '1.2.3' });
    isSarif(log);
    expect(isSarif.errors ?? []).toEqual([]);
    const [run] = log.runs;
    expect(run?.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['told/leak', 'error'],
      ['switchyard/security', 'note'],
      ['told/known', 'warning'],
    ]);
    expect(run?.results[0]).toMatchObject({
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'src/%C3%A4%20b%231%3A%25.ts' },
            region: { startLine: 2, startColumn: 3 },
          },
        },
      ],
      partialFingerprints: { 'switchyard/v1': expect.stringMatching(/^[0-9a-f]{32}$/) as string },
    });
    expect(run?.tool.driver.rules[0]).toMatchObject({
      helpUri: 'https://example.org/rule',
      properties: { tags: ['security', 'external/cwe/cwe-089'], 'security-severity': '9.5' },
    });
    expect(run?.results[2]?.suppressions).toEqual([
      { kind: 'external', status: 'accepted', justification: 'it is going away (until 2099-12-31)' },
    ]);
  });

  it('is told from what is none by this schema', () => {
    expect(isSarif({ version: '2.1.0', runs: [{ results: [] }] })).toBe(false);
  });
});

describe('a tool of the policy', () => {
  const policyFor = (run: string) => ({
    '.switchyard/review.yml': `engines:\n  - { name: tool, run: ${JSON.stringify(run)} }\n`,
  });
  const log = (results: unknown[], rules: unknown[] = []): string =>
    JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 't', rules } }, results }] });
  const at = (uri: string, startLine?: number, more: object = {}) => ({
    ruleId: 'r',
    message: { text: 'bad' },
    locations: [
      { physicalLocation: { artifactLocation: { uri }, ...(startLine && { region: { startLine } }) } },
    ],
    ...more,
  });

  /** Reviews `a.ts`, whose second line changed, by a tool that prints a text. */
  async function review(printed: string, more: Partial<AnalysisRequest> = {}) {
    const file = tree.put('a.ts', 'one\ntwo\nthree\n', { change: 'modified', lines: [[2, 2]] });
    tree.put('printed', printed);
    tree.put('other.ts', 'not part of the change\n');
    const request = tree.request([file], {
      specializations: ['security'],
      base: baseOf(policyFor('cat printed')),
      ...more,
    });
    return (await analyze([], request)).findings;
  }

  it('says its findings as ours, on the lines of the change, with the severity and CWE of its rule', async () => {
    const rules = [
      { id: 'other' },
      {
        id: 'r',
        helpUri: 'https://example.org/r',
        properties: { 'security-severity': '9.1', tags: ['external/cwe/cwe-079'] },
      },
    ];
    const printed = log([at('a.ts', 2), at('a.ts', 3)], rules);
    expect(await review(printed)).toEqual([
      {
        severity: 'critical',
        category: 'security',
        file: 'a.ts',
        line: 2,
        description: 'bad',
        references: ['CWE-79', 'https://example.org/r'],
        rule: 'tool/r',
      },
    ]);
  });

  it('names files in any form, and files that are not under review are only counted', async () => {
    const mine = [at('./a.ts', 2, { ruleId: 'x' }), at(`file://${tree.root}/a.ts`, 2, { ruleId: 'y' })];
    const others = [
      '../../etc/passwd',
      'file:///etc/passwd',
      'other.ts',
      'https://example.org/a.ts',
      '%ZZ',
      '',
    ];
    const odd = [null, 7, { message: 'no object' }, at('a.ts', 2, { level: 'none' })];
    const found = await review(log([...mine, ...others.map((uri) => at(uri, 2)), ...odd]));
    expect(found.map(({ rule, file, line }) => [rule, file, line])).toEqual([
      ['tool/x', 'a.ts', 2],
      ['tool/y', 'a.ts', 2],
      ['tool/left-out', undefined, undefined],
    ]);
    expect(found[2]?.description).toContain('told 9 results that are not shown');
  });

  it('that names a line that is not there speaks of the file', async () => {
    const found = await review(log([at('a.ts', 4_000_000), at('a.ts', -3), at('a.ts', 2.5)]));
    expect(found.map(({ file, line }) => [file, line])).toEqual([['a.ts', undefined]]);
  });

  it('may tell a huge lot', async () => {
    const found = await review(
      log(Array.from({ length: 12_000 }, (_, n) => at('a.ts', 2, { ruleId: `r${n}` }))),
    );
    expect(found).toHaveLength(3_000);
    expect(found.filter(({ rule }) => rule === 'analyzers/limit')).toHaveLength(1);
  });

  it('that prints no SARIF breaks the review, with its words', async () => {
    await expect(review('Segmentation fault')).rejects.toMatchObject({
      code: 'E_EXECUTOR',
      message: expect.stringMatching(/engine tool .*no SARIF 2\.1.*Segmentation fault/) as string,
    });
    await expect(review(log([at('a.ts', 2)]).slice(0, -9))).rejects.toMatchObject({ code: 'E_EXECUTOR' });
  });

  it('tells a change of the rules that it goes by, which nobody can suppress', async () => {
    const policy = `suppressions:
  - { rule: '*', reason: all is well, until: 2099-01-01 }
engines:
  - { name: tool, run: 'cat ./printed # --config=rules.yml --queries ./more', rules: ['own/**'] }
`;
    const paths = ['rules.yml', 'more/deep/a.yml', 'own/b', 'same/rules.yml', 'a/.semgrepignore'];
    const files = paths.map((path) => tree.put(path, 'weak\n', { change: 'modified', lines: [[1, 1]] }));
    const before = { 'rules.yml': 'strict\n', 'own/gone': 'x', 'same/rules.yml': 'strict\n' };
    const gone = { path: 'own/gone', change: 'deleted', lines: [], binary: false } as const;
    const found = await review(log([at('a.ts', 2)]), {
      files: [...files, gone],
      base: baseOf({ '.switchyard/review.yml': policy, ...before }),
    });
    expect(found.map(({ severity, rule, file }) => [severity, rule, file])).toEqual([
      ['major', 'policy/rules-edited', 'more/deep/a.yml'],
      ['major', 'policy/rules-edited', 'own/b'],
      ['major', 'policy/rules-edited', 'own/gone'],
      ['major', 'policy/rules-edited', 'rules.yml'],
      ['minor', 'policy/rules-edited', 'a/.semgrepignore'],
    ]);
    expect(found.map(({ description }) => description.split(',')[0])).toEqual([
      'The change adds more/deep/a.yml',
      'The change adds own/b',
      'The change deletes own/gone',
      'The change edits rules.yml',
      'The change adds a/.semgrepignore',
    ]);
  });

  it("is not run where its command is a stranger's and nothing holds it", async () => {
    expect(await review('never read', { commands: 'refuse' })).toMatchObject([
      { severity: 'info', rule: 'tool/left-out' },
    ]);
  });

  it('may not speak in the name of our own engines', async () => {
    const base = baseOf({ '.switchyard/review.yml': 'engines:\n  - { name: policy, run: cat printed }\n' });
    expect(await review(log([at('a.ts', 2)]), { base })).toMatchObject([{ rule: 'policy/malformed' }]);
  });
});
