import {
  defaultSessionTemplate,
  parseSessionTemplate,
  renderSession,
  renderSessionHtml,
  sessionFields,
} from '@switchyard/report';
import { sessionReport, type SessionReport } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';

const report: SessionReport = {
  version: 1,
  program: '1.2.3',
  root: '/home/me/shop',
  taskId: '3',
  taskTitle: 'Token *store* {{findings}}',
  sessionId: '0b3b0c2e-7b0c-4f6e-9d4e-0d6c1f3a2b10',
  begunAt: '2026-03-01T10:00:00.000Z',
  writtenAt: '2026-03-01T10:00:05.000Z',
  conclusion: 'changes_required',
  reasons: ['1 major finding is open'],
  projectType: 'back end',
  strategy: 'back end: "server"',
  scope: '2 files',
  reviewers: [
    {
      name: 'task-reviewer_security',
      status: 'completed',
      reason: 'a back end project asks for it',
      focus: ['injection', 'secrets'],
      findings: 1,
      startedAt: '2026-03-01T10:00:01.000Z',
      durationMs: 1_500,
      errors: 1,
      retries: 1,
    },
  ],
  findings: [
    {
      severity: 'major',
      category: 'security',
      file: 'src/a.ts',
      line: 4,
      rule: 'x/y',
      description: '<script> in a | b',
      suggestion: 'escape it',
      references: ['CWE-79'],
      fingerprint: 'abcdef012345',
      excerpt: { from: 3, lines: ['before', '<img src=x>', 'after'] },
      reviewers: ['task-reviewer_security', 'task-reviewer_testing'],
      priority: 'P1',
      history: 'still open',
    },
  ],
  suppressed: [
    {
      finding: { severity: 'minor', category: 'style', description: 'd', references: [], fingerprint: 'g' },
      reason: 'it <may> stand',
      until: '2099-12-31',
    },
  ],
  duplicates: 1,
  conflicts: [
    {
      file: 'src/a.ts',
      line: 4,
      sides: [
        { reviewer: 'task-reviewer_security', description: 'one', suggestion: 'escape it' },
        { reviewer: 'task-reviewer_performance', description: 'two', suggestion: 'leave | it' },
      ],
    },
  ],
  earlier: [
    {
      finding: { severity: 'minor', category: 'testing', file: 'src/b.ts', line: 2, description: 'old' },
      outcome: 'resolved',
      note: 'the file is gone',
    },
  ],
  strengths: ['tidy'],
  warnings: [],
  escalations: [],
  taskStatus: 'Task 3 is not ticked.',
  errors: 1,
  recoveryAttempts: 1,
  qualityScore: 90,
  qualityFormula: 'a × b',
  successRate: 1,
};

function render(template: string): string {
  const { template: parsed, problems } = parseSessionTemplate(template);
  if (parsed === undefined) throw new Error(problems.map(({ message }) => message).join('; '));
  return renderSession(report, parsed);
}
const problemsOf = (template: string): string[] =>
  parseSessionTemplate(template).problems.map(
    ({ line, column, message }) => `${line}:${column}: ${message.replace(/; there are .*/, '')}`,
  );

describe('the report of a session', () => {
  it('tells everything with the template that is ours, and nothing of others is read as Markdown', () => {
    expect(problemsOf(defaultSessionTemplate)).toEqual([]);
    const text = render(defaultSessionTemplate);
    expect(text.split('\n')[0]).toBe('# Review of task 3: Token \\*store\\* \\{\\{findings\\}\\}');
    expect(text).toContain('**changes required**: 1 major finding is open.');
    expect(text).toContain(
      '- **P1** · major · security · in `src/a.ts:4` · rule `x/y` · `#abcdef012345` · still open — &lt;script> in a \\| b\n' +
        '  - Suggestion: escape it\n  - Said by security, testing\n  - See CWE-79',
    );
    expect(text).toContain('- [ ] `src/a.ts:4`: escape it');
    expect(text).toContain(
      '| security | performance |\n| --- | --- |\n| one | two |\n| escape it | leave \\| it |',
    );
    expect(text).toContain('Of 1: 1 resolved, 0 still open, 0 changed.');
    expect(text).toContain('- **resolved** (the file is gone): minor · testing · `src/b.ts:2` — old');
    expect(text).toContain(
      '| task-reviewer\\_security | completed | 1 | 1.5 s | 1, 1 | injection, secrets |',
    );
    expect(text).toContain('Session `0b3b0c2e-7b0c-4f6e-9d4e-0d6c1f3a2b10`');
    expect(text.match(/reviewers came to a result/g)).toHaveLength(1);
    expect(text).toMatch(/Success rate of the reviewers: \d+ %, failure rate: \d+ %/);
    expect(text).not.toContain('Not in the template');
  });

  it('is filled into the fields of a template, nested as they are', () => {
    const text = render(`title: "R {{task_id}}"
sections:
  - id: summary
  - title: Findings
    sections:
      - title: Bad
        fields: [critical_findings, major_findings]
      - { title: Small, content: "{{minor_findings}} and {{ remarks }}" }
  - reviewers
  - title: "Of {{session_id}}"
    fields: [session]
`);
    expect(text).toContain('# R 3\n\n## Summary\n\n**changes required**');
    expect(text).toMatch(
      /## Findings\n\n### Bad\n\nNone\.\n\n- \*\*P1\*\*[^]*### Small\n\nNone\. and None\.\n\n## Reviewers/,
    );
    expect(text).toContain('## Of 0b3b0c2e');
    expect(text).not.toContain('Not in the template');
  });

  it('takes a template that is a map of fields', () => {
    const text = render('review_result:\n  conclusion: the word\n  details:\n    findings: []\n');
    expect(text).toMatch(
      /## Review result\n\n### Conclusion\n\n\*\*changes required\*\*\n\n### Details\n\n#### Findings\n\n- \*\*P1/,
    );
    // What no report lacks, whatever its template says.
    expect(text).toMatch(/## Not in the template\n\n\| Reviewer [^]*Session `/);
  });

  it('fills in what templates of others call by other names', () => {
    const text = render('verdict:\nreviewer:\ndate:\nissues:\nrecommendations:\noverall_score:\n');
    expect(problemsOf('verdict:\nreviewer:\ndate:\nissues:\nrecommendations:\noverall_score:\n')).toEqual([]);
    expect(text).toMatch(/## Verdict\n\n\*\*changes required\*\*[^]*## Issues\n\n- \*\*P1/);
    expect(text).toContain('## Overall score\n\n');
    expect(text).not.toMatch(/Not filled|\| Reviewer [^]*\| Reviewer /);
    expect(problemsOf('issues:\n  critical_issues:\n')).toEqual([]);
  });

  it('says where a template asks for what nobody knows, and fills in the rest', () => {
    const template = `title: "{{task_id}} {{mood}}"
author: me
sections:
  - id: conclusion
    colour: red
  - title: More
    fields: [constructor, strengths]
  - 7
`;
    expect(problemsOf(template)).toEqual([
      '1:1: unknown field "{{mood}}"',
      '2:1: "author" is no part of a template',
      '5:5: "colour" is no part of a section',
      '7:14: unknown field "constructor"',
      '8:5: a section is a map, or the name of a field',
    ]);
    const text = render(template);
    expect(text).toContain('# 3 \\{\\{mood\\}\\}');
    expect(text).toContain('## More\n\n_Not filled: nobody knows this field._\n\n- tidy');
    expect(problemsOf('shrug: 1\n')).toEqual(['1:1: unknown field "shrug"']);
  });

  it('is not made from what is no template', () => {
    expect(problemsOf('sections: [')[0]).toMatch(/^1:\d+: no valid YAML/);
    expect(problemsOf('- a\n')).toEqual(['1:1: a template is a map: `title` and `sections`, or fields']);
    expect(parseSessionTemplate('').template).toBeUndefined();
    const deep = `sections:\n${Array.from({ length: 9 }, (_none, depth) => `${'  '.repeat(2 * depth + 1)}- title: t\n${'  '.repeat(2 * depth + 2)}sections:`).join('\n')}\n${'  '.repeat(19)}- summary\n`;
    expect(problemsOf(deep)).toEqual([expect.stringContaining('deeper than 5')]);
  });

  it('has a value for every field', () => {
    for (const field of Object.values(sessionFields))
      expect(field(report).join('').length).toBeGreaterThan(0);
  });
});

describe('the page of a session', () => {
  it('tells what the report tells, with source lines and who reviewed when, and runs nothing of it', () => {
    const html = renderSessionHtml({ ...report, taskTitle: '<script>alert(1)</script>' });
    expect(html).toContain('Changes required');
    expect(html).toContain('<span class="hit"><i>4</i>&lt;img src=x&gt;</span>');
    expect(html).toContain('P1 · by security, testing · still open');
    expect(html).toContain('leave | it');
    expect(html).toContain('<b>resolved</b>');
    expect(html).toContain('it &lt;may&gt; stand');
    expect(html).toContain('aria-label="Timeline of 1 reviewers over 5.0 s"');
    expect(html).toContain('name="viewport"');
    expect(html).not.toMatch(/<script|<img/);
  });

  it('has every line of 3,000 findings or says how many are missing, and a phone can hold it', () => {
    const findings = Array.from({ length: 3_000 }, () => report.findings[0]).flatMap((one) => one ?? []);
    const html = renderSessionHtml({ ...report, findings });
    expect(html).toContain('2000 more findings');
    expect(html.length).toBeLessThan(1_200_000);
  });

  it('is of the same model as its JSON', () => {
    expect(sessionReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  });
});
