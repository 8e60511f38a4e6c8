import {
  compareWithEarlier,
  concludeSession,
  integrateResults,
  readEarlierFindings,
  unseenBlocking,
  type NamedFinding,
} from '@switchyard/review';
import { describe, expect, it } from 'vitest';

function finding(more: Partial<NamedFinding>): NamedFinding {
  return {
    severity: 'minor',
    category: 'style',
    file: 'src/a.ts',
    line: 3,
    description: 'a flaw',
    references: [],
    fingerprint: 'f0',
    ...more,
  };
}
const result = (reviewer: string, ...findings: NamedFinding[]) => ({
  reviewer,
  findings,
  filesAnalyzed: 1,
  strengths: ['fine'],
});

describe('integration', () => {
  it('keeps what several say once, with all their names and the most severe word', () => {
    const { findings, duplicates, counts, strengths } = integrateResults([
      result('a', finding({ rule: 'x/y', severity: 'minor', suggestion: 'mend it' })),
      result('b', finding({ rule: 'x/y', severity: 'major', description: 'in other words' })),
      result('c', finding({ description: 'A FLAW' })),
      result('d', finding({ rule: 'x/z', description: 'another' })),
    ]);
    expect(findings).toHaveLength(2);
    expect(findings[0]).toMatchObject({
      severity: 'major',
      reviewers: ['a', 'b', 'c'],
      suggestion: 'mend it',
      // A major finding is P2, and a step up for what several say.
      priority: 'P1',
    });
    expect([duplicates, counts, strengths]).toEqual([
      2,
      { critical: 0, major: 1, minor: 1, info: 0 },
      ['fine'],
    ]);
  });

  it('shows suggestions that contradict each other side by side', () => {
    const { conflicts } = integrateResults([
      result('a', finding({ rule: 'x/1', description: 'one', suggestion: 'inline it' })),
      result('b', finding({ rule: 'x/2', description: 'two', suggestion: 'extract it' })),
      result(
        'b',
        finding({ line: 9, suggestion: 'alone' }),
        finding({ line: 9, rule: 'q/r', suggestion: 'own' }),
      ),
    ]);
    expect(conflicts).toEqual([
      {
        file: 'src/a.ts',
        line: 3,
        sides: [
          { reviewer: 'a', description: 'one', suggestion: 'inline it' },
          { reviewer: 'b', description: 'two', suggestion: 'extract it' },
        ],
      },
    ]);
  });

  it('orders by urgency, an earlier finding a step up', () => {
    const { findings } = integrateResults(
      [
        result(
          'a',
          finding({ severity: 'info', fingerprint: 'i', description: 'i' }),
          finding({ severity: 'major', fingerprint: 'm', description: 'm' }),
          finding({ severity: 'minor', fingerprint: 'old', description: 'o' }),
          finding({ severity: 'critical', fingerprint: 'c', description: 'c' }),
        ),
      ],
      ({ fingerprint }) => (fingerprint === 'old' ? 'still open' : 'new'),
    );
    expect(findings.map(({ fingerprint, priority }) => [fingerprint, priority])).toEqual([
      ['c', 'P1'],
      ['m', 'P2'],
      ['old', 'P2'],
      ['i', 'P4'],
    ]);
  });

  it('merges 3,000 findings of each of six reviewers', () => {
    const many = Array.from({ length: 3_000 }, (_one, line) => finding({ line: line + 1, rule: 'x/y' }));
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const { findings, duplicates } = integrateResults(names.map((name) => result(name, ...many)));
    expect([findings.length, duplicates, findings[0]?.reviewers]).toEqual([3_000, 15_000, names]);
  });

  it('passes only with every result and nothing that blocks', () => {
    const conclude = (severity: NamedFinding['severity'], withoutResult: string[] = [], notSeenAgain = 0) =>
      concludeSession(integrateResults([result('a', finding({ severity }))]), {
        withoutResult,
        notSeenAgain,
        files: 1,
      });
    expect(conclude('minor').conclusion).toBe('passed');
    expect(conclude('major')).toEqual({
      conclusion: 'changes_required',
      reasons: ['1 major finding is open'],
    });
    expect(conclude('info', ['task-reviewer_security'])).toEqual({
      conclusion: 'incomplete',
      reasons: ['task-reviewer_security came to no result'],
    });
    expect(conclude('info', [], 2).conclusion).toBe('incomplete');
  });
});

describe('an earlier review', () => {
  const report = `# Review

## Earlier findings
- **still open** (found again): major · \`src/old.ts:1\` — long ago

## Findings
- **P1** · critical · security · in \`src/a.ts:3\` · rule \`x/y\` · \`#f1a2\` — bad\\_thing &lt;here
  - Suggestion: a major change in \`src/b.ts:4\`
- **P3** · minor · style · still open — no place at all
`;

  it('is read back from a report of ours', () => {
    expect(readEarlierFindings(report)).toEqual([
      {
        severity: 'critical',
        category: 'security',
        file: 'src/a.ts',
        line: 3,
        rule: 'x/y',
        fingerprint: 'f1a2',
        description: 'bad_thing <here',
      },
      { severity: 'minor', category: 'style', description: 'no place at all' },
    ]);
  });

  it('is read from the report of anybody, as far as it names severity and place', () => {
    const other = `## Issues
| Severity | Where | What |
| --- | --- | --- |
| High | \`src/a.ts:3\` | leaks |
- [Medium] security: \`lib/b.py\` – injection
- Medium words without a place
## Resolved issues
- High: \`src/c.ts:1\` gone
`;
    expect(readEarlierFindings(other)).toMatchObject([
      { severity: 'major', file: 'src/a.ts', line: 3, description: 'leaks' },
      { severity: 'minor', file: 'lib/b.py', category: 'security', description: 'injection' },
    ]);
  });

  const looked = {
    files: new Set(['src/a.ts', 'src/b.ts']),
    dimensions: new Set(['security', 'style']),
    exists: (file: string) => file !== 'src/gone.ts',
  };
  const early = (more: object) => ({
    severity: 'major' as const,
    category: 'security',
    file: 'src/a.ts',
    description: 'x',
    ...more,
  });

  it('is compared finding by finding: resolved, still open, changed', () => {
    const present = [
      finding({ fingerprint: 'aaaa', rule: 'x/a', line: 30 }),
      finding({ fingerprint: 'bbbb', rule: 'x/b', line: 40 }),
      finding({ fingerprint: 'cccc', rule: 'x/c', line: 50 }),
    ];
    const { standings, historyOf } = compareWithEarlier(
      [
        early({ rule: 'x/a', fingerprint: 'aaaa', line: 3 }),
        early({ rule: 'x/b', fingerprint: '0000', line: 4 }),
        early({ rule: 'x/d', fingerprint: '1111', line: 5 }),
        early({ file: 'src/gone.ts' }),
        early({ file: 'src/elsewhere.ts' }),
        early({ category: 'performance', file: 'src/b.ts', severity: 'minor' }),
      ],
      present,
      looked,
    );
    expect(standings.map(({ outcome, note }) => `${outcome}: ${note}`)).toEqual([
      'still open: found again in line 30',
      'changed: the code is another, the flaw is there in line 40',
      'resolved: looked for, and not found again',
      'resolved: the file is gone',
      'still open: nobody looked: the file was not under review',
      'still open: nobody looked: no result for performance',
    ]);
    expect(present.map(historyOf)).toEqual(['still open', 'changed', 'new']);
    expect(unseenBlocking(standings)).toBe(1);
  });
});
