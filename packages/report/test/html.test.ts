import { dotToSvg, renderHtml } from '@switchyard/report';
import { describe, expect, it } from 'vitest';
import { mixedTasks, sampleReport, type SampleTask } from './sample-report.ts';

const text = (html: string): string =>
  html
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('the page of a run with a failure', async () => {
  const html = await renderHtml(sampleReport(mixedTasks, { phase: 'failed' }));
  const words = text(html);

  it('says first how it ended', () => {
    expect(words).toMatch(
      /✗ Failed Documentation of every package 8 of 11 tasks completed, 1 failed, 2 skipped/,
    );
    expect(words).toContain('Took 42.0 s');
    expect(words).toContain('critical-path a chain of 4 tasks is longer than 3');
  });

  it('says why tasks were skipped, the indirect ones too', () => {
    const why = 'the acceptance command `node docs/check.mjs changelog` ended with exit code 1';
    expect(words).toContain(`release-notes skipped because changelog failed: ${why}`);
    expect(words).toContain(`announcement skipped because changelog failed: ${why}`);
  });

  it('shows findings with place, suggestion, rule and references', () => {
    expect(words).toContain('major docs/schema.mjs:12 security A shell command is put together');
    expect(words).toContain('Do: Use execFile with an array');
    expect(html).toContain('href="https://cwe.mitre.org/data/definitions/78.html"');
    expect(html).toContain('<code>ast-grep/shell-command-built</code>');
  });

  it('shows the source lines of a finding, its own marked', () => {
    expect(html).toContain(
      '<span class="hit"><i>12</i>  exec(`less &lt;${name}&gt;`);</span><span><i>13</i>}</span>',
    );
  });

  it('shows receipts, the output folded where the command did well and open where it failed', () => {
    expect(html).toMatch(
      /<details class="receipt"><summary><span class="ok">✓<\/span> <code>npm test<\/code>/,
    );
    expect(html).toMatch(
      /<details class="receipt" open><summary><span class="no">✗<\/span> <code>node docs\/check\.mjs changelog/,
    );
    expect(words).toContain('Error: no entry for 0.1.0');
    expect(html).not.toContain('[31m');
  });

  it('draws the graph by phase, and the timeline by what held when', () => {
    expect(html.match(/class="node tone(?:-|&#45;)good"/g)).toHaveLength(8);
    expect(html.match(/class="node tone(?:-|&#45;)bad"/g)).toHaveLength(1);
    expect(html.match(/class="node tone(?:-|&#45;)dim"/g)).toHaveLength(2);
    expect(html.match(/class="arrow"|class="edge arrow"/g)?.length).toBeGreaterThanOrEqual(11);
    expect(html).toContain('works · attempt 2 · worker-1 · 4.0 s');
    expect(html.match(/class="rejected"/g)).toHaveLength(1);
    expect(html.match(/class="seg-busy"/g)?.length).toBe(10);
  });

  it('says how to apply', () => {
    expect(words).toContain('switchyard apply docs-a2b3c4');
    expect(words).toContain('what failed or was skipped is not on the branch');
  });

  it('needs nothing else: no script, no address that is loaded', () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(| src=/i);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  it('has one target for each link inside it', () => {
    const ids = [...html.matchAll(/ id="(task-\d+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(mixedTasks.length);
    for (const match of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(match[1]);
  });
});

describe('the sandbox', () => {
  it('is said loudly when there was none', async () => {
    const html = await renderHtml(sampleReport(mixedTasks, { sandbox: 'none' }));
    expect(text(html)).toContain('No sandbox. The operator turned it off');
    expect(await renderHtml(sampleReport(mixedTasks))).not.toContain('No sandbox');
  });
});

describe('hostile text', () => {
  const evil = `"><script>alert(1)</script><img src=x onerror='a()'> \u202Eevil\u0000 </svg></style> --> \\N \\"`;
  const tasks: SampleTask[] = [
    {
      id: evil,
      phase: 'completed',
      begin: 1,
      rounds: 2,
      output: `</pre><script>x()</script>\u001B]8;;http://evil\u0007link\u001B[2J${evil}`,
      finding: {
        file: evil,
        description: evil,
        suggestion: evil,
        rule: evil,
        category: 'security',
        references: ['javascript:alert(1)', 'https://a.example/"onmouseover="x', 'data:text/html,x'],
      },
    },
    { id: 'b', phase: 'failed', begin: 2, after: [evil], reason: evil, output: evil },
  ];

  it('is shown and never read as markup', async () => {
    const html = await renderHtml(sampleReport(tasks, { phase: 'failed', name: evil }));
    const tags = [...html.matchAll(/<\/?([a-zA-Z][\w-]*)/g)].map((match) => match[1] ?? '');
    expect(tags.filter((tag) => ['script', 'img', 'iframe'].includes(tag))).toEqual([]);
    expect(html).not.toMatch(/<[^>]* on\w+=/i);
    expect(html).not.toMatch(/href="(?!#|https:\/\/)/);
    expect(html).not.toContain('onmouseover="x');
    for (const hidden of ['\u202E', '\u0000', '\u001B']) expect(html).not.toContain(hidden);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html.match(/<svg/g)?.length).toBe(html.match(/<\/svg>/g)?.length);
    expect(html.match(/<pre>/g)?.length).toBeLessThanOrEqual(html.match(/<\/pre>/g)?.length ?? 0);
  });
});

describe('large runs', () => {
  it('are told without a drawing', async () => {
    const tasks = Array.from({ length: 2000 }, (_, index): SampleTask => ({
      id: `task-${index}`,
      phase: 'completed',
      begin: index / 100,
    }));
    const html = await renderHtml(sampleReport(tasks));
    expect(text(html)).toContain('2000 tasks are too many to draw');
    expect(text(html)).toContain('all 2000 tasks reviewed as planned, merged and verified');
  });

  it('of one task, of two, and of none that began, are told too', async () => {
    const one = await renderHtml(sampleReport([{ id: 'only', phase: 'completed', begin: 1 }]));
    expect(text(one)).toContain('1 of 1 task merged and verified');
    const pair = ['a', 'b'].map((id): SampleTask => ({ id, phase: 'completed', begin: 1 }));
    expect(text(await renderHtml(sampleReport(pair)))).toContain('both tasks reviewed as planned');
    const none = await renderHtml(sampleReport([{ id: 'only', phase: 'pending' }], { phase: 'running' }));
    expect(text(none)).toContain('0 of 1 task completed so far');
    expect(none).not.toContain('switchyard apply');
  });
});

describe('dotToSvg', () => {
  it('answers an element that may stand in a page', async () => {
    const svg = await dotToSvg('digraph { a -> b }');
    expect(svg.startsWith('<svg')).toBe(true);
    expect(svg.endsWith('</svg>')).toBe(true);
    expect(svg).not.toMatch(/<!--|<\?xml|<!DOCTYPE|<title>/);
  });

  it('rejects what is not DOT', async () => {
    await expect(dotToSvg('digraph {')).rejects.toThrow();
  });
});
