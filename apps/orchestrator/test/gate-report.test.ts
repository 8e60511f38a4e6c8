import { taskId, type RunId } from '@switchyard/protocol';
import { renderMarkdown } from '@switchyard/report';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { BenchWorker } from './peers.ts';

const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;

/** What the Markdown report says of one task, in one piece. */
function sectionOf(markdown: string, task: string): string {
  return markdown.split(/^## /m).find((part) => part.startsWith(`${task}\n`)) ?? '';
}

async function reportOf(bench: Bench, run: RunId): Promise<string> {
  const { api, link } = await bench.client('reader');
  const { report } = await api.report(run);
  await link.close();
  return renderMarkdown(report);
}

const deploy = taskId.parse('deploy');

describe('the Markdown report', () => {
  it('has the question of a gate while it waits, and what was answered, by whom, with what', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    worker.diligent = true;
    const gate = { onReject: 'send-back', inputs: [{ name: 'version', text: '', choices: [] }] };
    const instructions = 'Deploy `it` to staging,\nand look';
    const more = { instructions, gate: { mode: 'approve', waitMs: 3_600_000, ...gate } };
    const run = await bench.submit(
      buildPlan([
        buildTask({ id: 'a' }),
        buildTask({ id: 'deploy', kind: 'manual', dependsOn: ['a'], more }),
      ]),
    );
    await bench.until(() => bench.phase(run, 'deploy') === 'waiting');
    const open = sectionOf(await reportOf(bench, run), 'deploy');
    expect(open).toContain(`\n? waiting\n\n\`\`\`text\n${instructions}\n\`\`\`\n\nIt waits since `);
    expect(open).toMatch(new RegExp(`the answer is \\*\\*fail\\*\\*\\.\n\n- ${when}: waits for an answer: `));
    const { api } = await bench.client('person');
    await api.answerGate({ run, taskId: deploy, approve: false, note: 'not <b>yet</b>', inputs: {} });
    await bench.until(() => worker.assignments.length === 2);
    await bench.until(() => bench.phase(run, 'deploy') === 'waiting');
    await api.answerGate({ run, taskId: deploy, approve: true, note: 'go', inputs: { version: '1.4.0' } });
    await bench.until(() => bench.reports.written.has(run));
    const section = sectionOf(await reportOf(bench, run), 'deploy');
    expect(section).toMatch(/^deploy\n\n✓ completed\n\n- /);
    expect(section.trim().split('\n').slice(-4)).toEqual([
      expect.stringMatching(new RegExp(`^- ${when}: waits for an answer: .*; it asks for version$`)),
      expect.stringMatching(new RegExp(`^- ${when}: a person rejected it; not &lt;b>yet&lt;/b>$`)),
      expect.stringMatching(new RegExp(`^- ${when}: waits for an answer: `)),
      expect.stringMatching(new RegExp(`^- ${when}: a person approved it; go; version=1\\.4\\.0$`)),
    ]);
    expect(sectionOf(await reportOf(bench, run), 'a')).not.toContain('waits for');
  });

  it('has the question of a task that was tried, and how that was answered', async () => {
    const bench = new Bench();
    const worker = await BenchWorker.connect(bench, 'worker-1');
    const more = { onFailure: 'escalate', retries: 0 };
    const run = await bench.submit(
      buildPlan([buildTask({ id: 'a', more })], { retryPolicy: { logic: 0, io: 0 } }),
    );
    worker.accept(worker.assignment('a'));
    worker.fail(worker.assignment('a'), {
      class: 'logic',
      code: 'E_COMMAND_FAILED',
      message: 'it is *broken*',
    });
    await bench.until(() => bench.phase(run, 'a') === 'waiting');
    expect(sectionOf(await reportOf(bench, run), 'a')).toContain('```text\nit is *broken*\n```');
    const { api } = await bench.client('person');
    await api.answerEscalation({ run, taskId: taskId.parse('a'), action: 'skip', note: 'no need' });
    await bench.until(() => bench.reports.written.has(run));
    expect(sectionOf(await reportOf(bench, run), 'a')).toMatch(
      new RegExp(`^- ${when}: a person answered skip; no need$`, 'm'),
    );
  });
});
