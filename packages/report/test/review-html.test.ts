import type { ReviewReport } from '@switchyard/protocol';
import { renderReviewHtml } from '@switchyard/report';
import { expect, it } from 'vitest';

const report: ReviewReport = {
  version: 1,
  program: '1.2.3',
  root: '/home/me/shop',
  all: true,
  specializations: ['security'],
  startedAt: 1_700_000_000_000,
  durationMs: 1_500,
  filesAnalyzed: 7,
  counts: { critical: 0, major: 1, minor: 0, info: 0 },
  findings: [
    {
      severity: 'major',
      category: 'security',
      file: 'src/<b>.ts',
      line: 3,
      description: 'Bad <script>alert(1)</script>',
      suggestion: 'Mend it.',
      references: ['CWE-79', 'javascript:alert(1)'],
      rule: 'ast-grep/x',
      fingerprint: 'f',
      excerpt: { from: 2, lines: ['before', '<img src=x onerror=y>', 'after'] },
    },
  ],
  suppressed: [
    {
      finding: { severity: 'minor', category: 'style', description: 'd', references: [], fingerprint: 'g' },
      reason: 'it <may> stand',
      until: '2099-12-31',
    },
  ],
  strengths: ['secretlint: no secrets in 7 files'],
};

it('shows findings with their source lines, what may stand, and runs nothing of what it shows', () => {
  const html = renderReviewHtml(report);
  expect(html).toContain('<span class="hit"><i>3</i>&lt;img src=x onerror=y&gt;</span>');
  expect(html).toContain('<i>2</i>before');
  expect(html).toContain('it &lt;may&gt; stand');
  expect(html).toContain('Major findings');
  expect(html).toContain('secretlint: no secrets in 7 files');
  expect(html).toContain('name="viewport"');
  expect(html).not.toMatch(/<script|<img|<b>\.ts|href="javascript/);
});

it('shows so many that a phone can hold the page, and says how many there are', () => {
  const [one] = report.findings;
  const many = {
    ...report,
    findings: Array.from({ length: 3_000 }, () => one as (typeof report.findings)[0]),
  };
  const html = renderReviewHtml(many);
  expect(html).toContain('2000 more findings');
  expect(html.length).toBeLessThan(1024 * 1024);
});
