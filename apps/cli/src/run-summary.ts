import type { Finding, RunReport, RunView } from '@switchyard/protocol';
import { lookOf } from './live-view.ts';
import { durationText, oneLine, padTo } from './show-text.ts';
import type { Painter } from './terminal.ts';

/** The table at the end of a run: each task, how it ended, after how many attempts, by whom, how long, and why. */
export function summaryLines(report: RunReport, paint: Painter): string[] {
  const { view } = report;
  const attempts = new Map(report.tasks.map((task) => [task.id, task.attempts]));
  const rows = view.tasks.map((task) => {
    const own = attempts.get(task.id) ?? [];
    const worked = own.reduce((sum, one) => sum + ((one.endedAt ?? one.leasedAt) - one.leasedAt), 0);
    const reason = task.phase === 'completed' || task.reason === undefined ? '' : oneLine(task.reason);
    const workers = [...new Set(own.map((one) => one.worker))].join(', ');
    return [
      task.phase,
      task.id,
      attemptsText(own.length),
      workers,
      own.length === 0 ? '' : durationText(worked),
      reason,
    ] as const;
  });
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(0, ...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) => {
    const [glyph, colour] = lookOf(row[0]);
    const cells = row.slice(1).map((cell, at) => (at === 4 ? cell : padTo(cell, widths[at + 1] ?? 0)));
    return `${paint[colour](glyph)} ${padTo(row[0], widths[0] ?? 0)}  ${cells.join('  ')}`.trimEnd();
  });
}

function attemptsText(count: number): string {
  if (count === 0) return '';
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

/** What reviewers rejected and why, even where a later round passed. */
export function rejectedFindings(report: RunReport, paint: Painter): string[] {
  const lines: string[] = [];
  for (const task of report.tasks) {
    for (const attempt of task.attempts) {
      const rejected = attempt.reviews.filter((review) => review.outcome === 'rejected');
      if (rejected.length === 0) continue;
      const names = rejected.map((review) => review.specialization).join(', ');
      lines.push(paint.yellow(`${task.id}: round ${attempt.round} was rejected by ${names}`));
      lines.push(...rejected.flatMap((review) => review.findings.flatMap(findingLines)));
    }
  }
  return lines;
}

/** `  file:line major security: what (rule)`, and the suggestion beneath it. */
export function findingLines(finding: Finding): string[] {
  const place =
    finding.file === undefined
      ? ''
      : `${finding.file}${finding.line === undefined ? '' : `:${finding.line}`} `;
  const rule = finding.rule === undefined ? '' : ` (${finding.rule})`;
  const head = `  ${oneLine(place)} ${finding.severity} ${finding.category}: ${oneLine(finding.description)}${rule}`;
  return finding.suggestion === undefined ? [head] : [head, `    suggestion: ${oneLine(finding.suggestion)}`];
}

/** The last words on a run: how it ended, where the report is, and how to go on. */
export function closingLines(view: RunView, files: { markdown: string; html: string } | undefined): string[] {
  const { completed, total } = view.progress;
  const time = durationText((view.finishedAt ?? view.createdAt) - (view.startedAt ?? view.createdAt));
  const reason = view.reason === undefined ? '' : `: ${oneLine(view.reason)}`;
  return [
    `run ${view.run} ${view.phase}: ${completed} of ${total} tasks completed in ${time}${view.phase === 'completed' ? '' : reason}`,
    ...(files === undefined ? [] : [`report: ${files.html}`, `        ${files.markdown}`]),
    ...(view.tip === view.base
      ? ['nothing was integrated; your checkout is as it was']
      : [
          `result: branch ${view.branch}; your checkout is as it was. To merge it: switchyard apply ${view.run}`,
        ]),
  ];
}
