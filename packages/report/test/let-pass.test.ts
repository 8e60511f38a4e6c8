import { renderHtml, renderMarkdown } from '@switchyard/report';
import type { AttemptReport, RunReport } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { mixedTasks, sampleReport } from './sample-report.ts';

type Outcome = AttemptReport['reviews'][number]['outcome'];

/** A report whose accepted attempts have the reviews that `more` adds to each of theirs. */
function reportWith(
  more: readonly (readonly [AttemptReport['reviews'][number]['specialization'], Outcome])[],
) {
  const report = sampleReport(mixedTasks);
  const tasks = report.tasks.map((task) => ({
    ...task,
    attempts: task.attempts.map((attempt) => ({
      ...attempt,
      reviews: [
        ...attempt.reviews,
        ...attempt.reviews
          .slice(0, 1)
          .flatMap((review) =>
            more.map(([specialization, outcome]) => ({ ...review, specialization, outcome, findings: [] })),
          ),
      ],
    })),
  }));
  return { ...report, tasks } satisfies RunReport;
}

describe('an attempt that was accepted without the approval of every reviewer', () => {
  const words = 'Accepted without the approval of testing, style: the plan, or a person, let that pass';

  it('says so, in Markdown and in HTML', async () => {
    const report = reportWith([
      ['testing', 'failed'],
      ['style', 'timed-out'],
    ]);
    expect(renderMarkdown(report)).toContain(`\n\n⚠ ${words}\n\n`);
    expect(await renderHtml(report)).toContain(words);
  });

  it('is none where a reviewer that failed was followed by one that approved, or the attempt was rejected', async () => {
    const report = reportWith([
      ['testing', 'failed'],
      ['testing', 'approved'],
    ]);
    expect(renderMarkdown(report)).not.toContain('Accepted without');
    expect(await renderHtml(report)).not.toContain('Accepted without');
  });
});
