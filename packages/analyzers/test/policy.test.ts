import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { analyze, policyPath, type Engine, type PlacedFinding } from '@switchyard/analyzers';
import { baseOf, MadeTree } from './made-tree.ts';

let tree: MadeTree;
beforeEach(() => {
  tree = new MadeTree();
});
afterEach(() => tree.close());

/** Finds the word `bad` wherever it stands. */
const words: Engine = {
  name: 'words',
  specializations: ['security'],
  analyze: ({ files }) =>
    Promise.resolve(
      files.flatMap(({ path }): PlacedFinding[] => [
        {
          severity: 'major',
          category: 'security',
          file: path,
          line: 1,
          description: 'bad',
          references: [],
          rule: 'words/bad',
        },
      ]),
    ),
  praise: () => undefined,
  close: () => Promise.resolve(),
};
const today = '2026-11-25';
const suppression = (lines: string) => `suppressions:\n  - rule: words/bad\n${lines}`;
const good = suppression('    path: legacy/**\n    reason: replaced in spring\n    until: 2027-03-31\n');

const review = async (policy: string, before?: string) => {
  const files = [
    tree.put('legacy/a.js', 'bad\n'),
    tree.put('src/b.js', 'bad\n'),
    tree.put(policyPath, policy),
  ];
  const base = before === undefined ? {} : { base: baseOf({ [policyPath]: before }) };
  return analyze([words], tree.request(files, { specializations: ['security'], today, ...base }));
};
const rules = ({ findings }: Awaited<ReturnType<typeof review>>) =>
  findings.map(({ rule, file, line }) => [rule, file, line]);

describe('a suppression', () => {
  it('with a reason and a day to come takes findings out of its path, and keeps them beside', async () => {
    const result = await review(good);
    expect(rules(result)).toEqual([
      ['words/bad', policyPath, 1],
      ['words/bad', 'src/b.js', 1],
    ]);
    expect(result.suppressed).toMatchObject([
      {
        finding: { file: 'legacy/a.js' },
        suppression: { reason: 'replaced in spring', until: '2027-03-31' },
      },
    ]);
  });

  it.each([
    ['without a reason', '    until: 2027-03-31\n', 'policy/suppression-without-reason'],
    ['without an end', '    reason: because\n', 'policy/suppression-without-end'],
    ['past its end', '    reason: because\n    until: 2026-11-24\n', 'policy/suppression-expired'],
  ])('%s does not count and is a finding of its own', async (_name, lines, rule) => {
    const result = await review(suppression(lines));
    expect(result.suppressed).toEqual([]);
    expect(rules(result)).toContainEqual([rule, policyPath, 2]);
    expect(result.findings.filter((one) => one.rule === 'words/bad')).toHaveLength(3);
  });

  it('counts on its last day', async () => {
    const result = await review(suppression(`    reason: because\n    until: ${today}\n`));
    expect(result.suppressed).toHaveLength(3);
  });

  it('of one fingerprint covers that finding alone, also when lines above it move', async () => {
    const { findings, fingerprints } = await review('');
    const one = findings.find(({ file }) => file === 'src/b.js');
    const named = fingerprints.get(
      one ?? findings[0] ?? { severity: 'info', category: '', description: '', references: [] },
    );
    const result = await review(
      suppression(`    fingerprint: ${named ?? ''}\n    reason: known\n    until: ${today}\n`),
    );
    expect(result.suppressed.map(({ finding }) => finding.file)).toEqual(['src/b.js']);
  });

  it('cannot cover findings about the policy', async () => {
    const result = await review(
      `${good}  - rule: policy/*\n    until: ${today}\n    reason: no\n  - rule: x\n`,
    );
    expect(rules(result)).toContainEqual(['policy/suppression-without-reason', policyPath, 9]);
  });
});

describe('the policy that counts', () => {
  it('is the one before the change, and a change of it is a finding', async () => {
    const lax = await review(good, '');
    expect(lax.suppressed).toEqual([]);
    expect(rules(lax)).toContainEqual(['policy/loosened', policyPath, undefined]);
    const strict = await review('', good);
    expect(strict.suppressed).toHaveLength(1);
    expect(rules(strict)).toContainEqual(['policy/edited', policyPath, undefined]);
  });

  it('has problems in no line, where the change makes it another', async () => {
    const { findings } = await review('', `# first\n${good.replace('2027', '2020')}`);
    const [expired] = findings.filter(({ rule }) => rule === 'policy/suppression-expired');
    expect(expired).toMatchObject({ file: policyPath });
    expect(expired).not.toHaveProperty('line');
  });

  const guards =
    'deep: true\nprotected: [test/**]\nengines:\n  - { name: own, run: cat log.sarif, specializations: [testing] }\n';
  it.each([
    ['lets more stand', good.replace('words/bad', 'words/*'), 'words/* is let stand'],
    ['lets it stand for longer', good.replace('2027', '2099'), 'words/bad is let stand'],
    ['protects fewer tests', guards.replace('[test/**]', '[]'), 'test/** is protected no more'],
    ['asks a tool otherwise', guards.replace('cat log', 'echo log'), 'own is not asked as before'],
    ['looks less deep', guards.replace('deep: true', ''), 'the deeper set is asked no more'],
    [
      'is gone',
      '',
      'test/** is protected no more; the deeper set is asked no more; own is not asked as before',
    ],
    [
      'cannot be read',
      'protected: [',
      'test/** is protected no more; the deeper set is asked no more; own is not asked as before',
    ],
  ])('is guarded: a change after which it %s is major', async (_what, after, says) => {
    const { findings } = await review(after, after.includes('words/') ? good : guards);
    const [found] = findings.filter(({ rule }) => rule === 'policy/loosened');
    expect(found).toMatchObject({ severity: 'major', file: policyPath });
    expect(found?.description).toContain(`loosens the policy of reviews: ${says}. `);
  });

  it('is of the tree that is named for it, where there is no change to speak of', async () => {
    const files = [tree.put('legacy/a.js', 'bad\n'), tree.put(policyPath, good)];
    const of = (policy: string) =>
      analyze(
        [words],
        tree.request(files, {
          ...{ specializations: ['security'], today, all: true },
          policy: baseOf({ [policyPath]: policy }),
        }),
      );
    const lax = await of('');
    expect(lax.suppressed).toEqual([]);
    expect(rules(lax)).toContainEqual(['policy/loosened', policyPath, undefined]);
    const same = await of(good);
    expect(same.suppressed).toHaveLength(1);
    expect(rules(same)).toEqual([['words/bad', policyPath, 1]]);
  });

  it.each([
    ['suppressions: [', 1],
    ['suppressions:\n  - { rule: x, reason: y, until: tomorrow }\n', 1],
    ['ignore: everything\n', 1],
    ['a: &a [1]\nb: [*a, *a]\n', 1],
  ])('counts for nothing when malformed: %j', async (policy, line) => {
    const result = await review(policy);
    expect(result.suppressed).toEqual([]);
    expect(rules(result)).toContainEqual(['policy/malformed', policyPath, line]);
  });
});

describe('a fingerprint', () => {
  it('stays when lines come in above, and differs for a second one that is alike', async () => {
    const twice: Engine = {
      ...words,
      analyze: () =>
        Promise.resolve(
          [1, 2, 3]
            .map(
              (line) =>
                ({
                  severity: 'major',
                  category: 'security',
                  file: 'a.js',
                  line,
                  description: 'd',
                  references: [],
                  rule: 'words/bad',
                }) as const,
            )
            .map((one) => ({ ...one, references: [] })),
        ),
    };
    const at = async (text: string) => {
      const { findings, fingerprints } = await analyze(
        [twice],
        tree.request([tree.put('a.js', text)], { specializations: ['security'] }),
      );
      return findings.map((one) => fingerprints.get(one));
    };
    const [first, second, third] = await at('same\nsame\nother\n');
    expect(new Set([first, second, third]).size).toBe(3);
    expect((await at('new\nsame\n  same\n')).slice(1)).toEqual([first, second]);
  });
});
