import { rangesToShow, type AttemptReport, type RunReport } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';

/** A report with the source lines around its findings, as the commit has them that was reviewed. */
export async function withSources(
  report: RunReport,
  repository: Pick<RunRepository, 'sourceLines'>,
): Promise<RunReport> {
  const tasks: RunReport['tasks'] = [];
  for (const task of report.tasks) {
    const attempts: AttemptReport[] = [];
    for (const attempt of task.attempts) attempts.push(await withLines(attempt, repository));
    tasks.push({ ...task, attempts });
  }
  return { ...report, tasks };
}

async function withLines(
  attempt: AttemptReport,
  repository: Pick<RunRepository, 'sourceLines'>,
): Promise<AttemptReport> {
  const { commit, reviews } = attempt;
  const findings = reviews.flatMap((review) => review.findings);
  const ranges = rangesToShow(findings);
  const wanted = ranges.filter((range) => range !== undefined);
  if (commit === undefined || wanted.length === 0) return attempt;
  const read = await repository.sourceLines(commit, wanted);
  const lines = new Map(wanted.map((range, index) => [range, read[index]]));
  const shown = new Map(
    findings.map((finding, index) => {
      const range = ranges[index];
      const text = range === undefined ? undefined : lines.get(range);
      const excerpt = range !== undefined && text !== undefined && { from: range.from, lines: [...text] };
      return [finding, { ...finding, ...(excerpt && { excerpt }) }];
    }),
  );
  return {
    ...attempt,
    reviews: reviews.map((review) => ({
      ...review,
      findings: review.findings.map((finding) => shown.get(finding) ?? finding),
    })),
  };
}
