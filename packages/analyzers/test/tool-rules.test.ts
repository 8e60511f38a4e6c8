import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyze, type AnalysisFile, type AnalysisRequest } from '@switchyard/analyzers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { baseOf, MadeTree } from './made-tree.ts';

let tree: MadeTree;
let temporary: MadeTree;
beforeEach(() => {
  tree = new MadeTree();
  temporary = new MadeTree();
  vi.stubEnv('TMPDIR', temporary.root);
});
afterEach(() => {
  vi.unstubAllEnvs();
  tree.close();
  temporary.close();
});

/** A tool that finds, in a.ts, each word that stands in a file of its rules. */
const tool = `for word in $(cat rules/* extra 2>/dev/null); do
  if grep -q $word a.ts; then found="$found$comma"'{"ruleId":"'$word'","message":{"text":"bad"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"'$PWD'/a.ts"}}}]}'; comma=,; fi
done
echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":['$found']}]}'
`;
const before = {
  '.switchyard/review.yml': `engines:\n  - { name: tool, run: 'sh tool.sh --rules rules/', rules: [extra] }\n`,
  'tool.sh': tool,
  'rules/a': 'eval\n',
  extra: 'exec\n',
};

/** What the tool finds in a change that edits files; undefined: takes one away. */
async function found(change: Record<string, string | undefined>, more: Partial<AnalysisRequest> = {}) {
  for (const [path, text] of Object.entries(before)) tree.put(path, text);
  const files: AnalysisFile[] = [tree.put('a.ts', 'eval; exec; spawn\n')];
  for (const [path, text] of Object.entries(change))
    if (text !== undefined) files.push(tree.put(path, text, { change: 'modified' }));
  const base = baseOf(before);
  const request = tree.request(files, { specializations: ['security'], base, ...more });
  const { findings } = await analyze([], request);
  const words = findings.map(({ rule = '', file = '' }) =>
    rule === 'policy/rules-edited' ? `edited ${file}` : rule,
  );
  return words.toSorted((a, b) => a.localeCompare(b));
}

it('a tool of the policy that was ended breaks the review with the reason', async () => {
  const output = { exitCode: 124, stdout: '', stderr: '', reason: 'it ran longer than 600 ms' };
  await expect(found({}, { run: () => Promise.resolve(output) })).rejects.toThrow(
    'the engine tool of the review policy was ended (it ran longer than 600 ms) and printed nothing',
  );
});

describe('a tool of the policy goes by the rules of before the change', () => {
  it.each([
    ['that nobody touched', {}, []],
    ['when one is emptied', { 'rules/a': '' }, ['edited rules/a']],
    ['when one is added', { 'rules/b': 'spawn\n' }, ['edited rules/b']],
    ['when one that the policy names is edited', { extra: 'none\n' }, ['edited extra']],
    ['when the tool itself is', { 'tool.sh': 'echo "{}"\n' }, ['edited tool.sh']],
  ])('%s', async (_name, change, edits) => {
    expect(await found(change)).toEqual([...edits, 'tool/eval', 'tool/exec']);
    expect(readdirSync(temporary.root)).toEqual([]);
    for (const [path, text] of Object.entries(change))
      expect(readFileSync(join(tree.root, path), 'utf8')).toBe(text);
  });

  it('also when it hides behind the limit of files', async () => {
    const many = Object.fromEntries(Array.from({ length: 4 }, (_, at) => [`m${at}.ts`, '']));
    const { length } = Object.keys(many);
    const edits = await found({ ...many, 'rules/a': '' }, { filesMax: length });
    expect(edits).toEqual(['analyzers/limit', 'edited rules/a', 'tool/eval', 'tool/exec']);
  });

  it('also when a link stands where they were, and nothing is written through it', async () => {
    const outside = new MadeTree();
    try {
      outside.put('a', 'untouched');
      tree.put('x/rules', '');
      symlinkSync(outside.root, join(tree.root, 'rules'));
      const files = [
        tree.put('a.ts', 'eval\n'),
        tree.put('tool.sh', tool),
        { path: 'rules', change: 'added', lines: [], binary: false } as const,
        { path: 'rules/a', change: 'deleted', lines: [], binary: false } as const,
      ];
      const request = tree.request(files, { specializations: ['security'], base: baseOf(before) });
      const { findings } = await analyze([], request);
      expect(findings.map(({ rule }) => rule)).toContain('tool/eval');
      expect(readFileSync(join(outside.root, 'a'), 'utf8')).toBe('untouched');
    } finally {
      outside.close();
    }
  });

  it('and still finds what is installed', async () => {
    mkdirSync(join(tree.root, 'node_modules'));
    writeFileSync(join(tree.root, 'node_modules/words'), 'spawn\n');
    const run = 'ln=node_modules/words; test -L node_modules && sh tool.sh';
    const policy = `engines:\n  - { name: tool, run: '${run}', rules: ['rules/**'] }\n`;
    const base = baseOf({ ...before, '.switchyard/review.yml': policy });
    expect(await found({ 'rules/a': '' }, { base })).toEqual(['edited rules/a', 'tool/eval', 'tool/exec']);
    expect(existsSync(join(tree.root, 'node_modules/words'))).toBe(true);
  });
});
