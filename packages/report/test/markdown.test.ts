import { renderHtml, renderMarkdown } from '@switchyard/report';
import { describe, expect, it } from 'vitest';
import { mixedTasks, sampleReport, type SampleTask } from './sample-report.ts';

describe('the Markdown of a run with a failure', () => {
  const markdown = renderMarkdown(sampleReport(mixedTasks, { phase: 'failed' }));

  it('has a headline, the facts and the failures in that order', () => {
    expect(markdown.split('\n')[0]).toBe('# ✗ Failed: Documentation of every package');
    expect(markdown).toContain('**8 of 11 tasks completed, 1 failed, 2 skipped**');
    expect(markdown).toContain('| Branch | `switchyard/docs-a2b3c4` |');
    expect(markdown).toContain(
      '  - announcement skipped because changelog failed: the acceptance command \\`node docs/check.mjs changelog\\` ended with exit code 1',
    );
    expect(markdown.indexOf('## What went wrong')).toBeLessThan(markdown.indexOf('## Tasks'));
  });

  it('has a table row for each task', () => {
    expect(markdown).toMatch(
      /\| api-scheduler \| ✓ completed \| 2 \| 2 \| worker-1 \| [\d.]+ s \| 1 \| `2a2a2a2a2a` \|/,
    );
    expect(markdown).toContain('| release-notes | – skipped | 0 | 1 |  |  | 0 |  |');
  });

  it('has the graph as Mermaid', () => {
    expect(markdown).toContain('```mermaid\nflowchart LR\n  t0["inventory"]:::good');
    expect(markdown).toContain('  t6 --> t7');
  });

  it('has findings with place, rule and suggestion, and receipts with their output folded', () => {
    expect(markdown).toContain('- **major** `docs/schema.mjs:12`: A shell command is put together');
    expect(markdown).toContain('(`ast-grep/shell-command-built`)\n  Do: Use execFile');
    expect(markdown).toContain(
      '✗ `node docs/check.mjs changelog` exit code 1, 1.2 s\n\n<details><summary>Output</summary>\n\n```text\nError: no entry for 0.1.0',
    );
  });

  it('says how to apply, and that there was no sandbox', () => {
    expect(markdown).toContain('```sh\nswitchyard apply docs-a2b3c4\n```');
    expect(markdown).not.toContain('NO SANDBOX');
    expect(renderMarkdown(sampleReport(mixedTasks, { sandbox: 'none' }))).toContain(
      '**WARNING: NO SANDBOX.**',
    );
  });
});

describe('hostile text', () => {
  const evil = 'a | b `c` <script>x</script> [l](javascript:x) ![i](http://x) **b** \n# h\n\u202E';
  const tasks: SampleTask[] = [
    {
      id: evil,
      phase: 'failed',
      begin: 1,
      reason: evil,
      output: 'before\n```\n</details>\n# not a heading\n``````\nafter',
    },
  ];

  it('stays text', () => {
    const markdown = renderMarkdown(sampleReport(tasks, { phase: 'failed', name: evil }));
    const outside = markdown
      .replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '')
      .replace(/(?<!\\)`` .*? ``(?!`)|(?<!\\)``.*?``(?!`)/g, '');
    expect(outside).not.toMatch(/<script/);
    expect(outside).not.toMatch(/(?<!\\)\[l(?<!\\)\]\(/);
    expect(outside).not.toMatch(/^# (h|not a heading)/m);
    expect(outside).not.toContain('\u202E');
    expect(markdown).toContain('```````text\nbefore\n```\n</details>');
    const row = outside.split('\n').find((line) => line.startsWith('| a '));
    expect(row?.match(/(?<!\\)\|/g)).toHaveLength(9);
  });
});

describe('what an attempt that handed in a result printed', () => {
  it('is shown folded, and never read as markup', async () => {
    const report = sampleReport(mixedTasks);
    const [first] = report.tasks.find(({ attempts }) => attempts.length > 0)?.attempts ?? [];
    if (first === undefined) throw new Error('no attempt');
    Object.assign(first, { outputTail: '12 files <b>written</b>' });
    const summary = '<summary>The end of its output</summary>';
    expect(renderMarkdown(report)).toContain(`${summary}\n\n\`\`\`text\n12 files <b>written</b>`);
    expect(await renderHtml(report)).toContain(`${summary}<pre>12 files &lt;b&gt;written&lt;/b&gt;</pre>`);
  });
});

describe('kept work', () => {
  it('is named with the command that shows it, and so is what an attempt went on from', async () => {
    const report = sampleReport(mixedTasks, { phase: 'failed' });
    const [first] = report.tasks.find(({ attempts }) => attempts.length > 0)?.attempts ?? [];
    if (first === undefined) throw new Error('no attempt');
    const pin = { commit: report.view.base, ref: 'refs/x', at: 1 };
    Object.assign(first, {
      wip: pin,
      resumedFrom: { kind: 'salvage', commit: report.view.base, attempt: 7 },
    });
    const { run } = report.view;
    const command = new RegExp(`switchyard salvage show ${run} \\S+ --attempt 1 --kind wip`);
    for (const text of [renderMarkdown(report), await renderHtml(report)]) {
      expect(text).toMatch(command);
      expect(text).toContain('Its work in progress is kept');
      expect(text).toContain('Went on from the late result of attempt 7');
    }
  });
});
