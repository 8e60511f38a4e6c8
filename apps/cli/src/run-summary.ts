import type { PublishedName } from '@switchyard/repo';
import type { Finding, RunReport, RunView, TaskView } from '@switchyard/protocol';
import { idWidthOf } from './event-text.ts';
import { reasonText } from './live-view.ts';
import { glyphColumns, glyphRow, lookOf } from './phase-look.ts';
import { cutTo, durationText, oneLine, padTo, tableText } from './show-text.ts';
import type { Painter } from './terminal.ts';

/** The table at the end of a run: each task, how it ended, how long it took, by whom, and what was not smooth. */
export function summaryLines(
  report: RunReport,
  { paint, width }: { paint: Painter; width?: number },
): string[] {
  const { tasks } = report.view;
  const reports = new Map(report.tasks.map((task) => [task.id, task]));
  const idWidth = idWidthOf(tasks);
  const rows = tasks.map((task) => {
    const attempts = reports.get(task.id)?.attempts ?? [];
    const worked = attempts.reduce((sum, one) => sum + ((one.endedAt ?? one.leasedAt) - one.leasedAt), 0);
    return [
      padTo(cutTo(oneLine(task.id), idWidth), idWidth),
      task.phase,
      (attempts.length === 0 ? '' : durationText(worked)).padStart(6),
      [...new Set(attempts.map((one) => one.worker))].join(', '),
      remarks(task, attempts.length),
    ];
  });
  return tableText(rows, { width: (width ?? Infinity) - glyphColumns }).map((line, at) => {
    const [glyph, colour] = lookOf(tasks[at]?.phase ?? 'pending');
    return glyphRow(paint[colour](glyph), line);
  });
}

function remarks(task: TaskView, attempts: number): string {
  const reason = task.phase === 'completed' ? '' : reasonText(task);
  return [...(attempts > 1 ? [`${attempts} attempts`] : []), reason].filter(Boolean).join('; ');
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

/** `  file:line major security (rule)`, and beneath it what is wrong and what to do. */
export function findingLines(finding: Finding): string[] {
  const { file, line, severity, category, rule, description, suggestion } = finding;
  const place = file === undefined ? [] : [`${oneLine(file)}${line === undefined ? '' : `:${line}`}`];
  const head = [...place, severity, category, ...(rule === undefined ? [] : [`(${rule})`])];
  return [
    `  ${head.join(' ')}`,
    `    ${oneLine(description)}`,
    ...(suggestion === undefined ? [] : [`    suggestion: ${oneLine(suggestion)}`]),
  ];
}

/** Where the result of a run is. */
interface ResultPlace {
  /** Its repository is no more. */
  readonly thrownAway?: boolean;
  /** By what name the user finds it; absent: the branch. */
  readonly published?: PublishedName | undefined;
}

/** The last words on a run: how it ended, where the report is, and how to go on, if there is something to go on with. */
export function closingLines(
  view: RunView,
  files: { markdown: string; html: string } | undefined,
  { thrownAway = false, published }: ResultPlace = {},
): string[] {
  const { completed, total, failed, skipped, cancelled } = view.progress;
  const time = durationText((view.finishedAt ?? view.createdAt) - (view.startedAt ?? view.createdAt));
  const counts = Object.entries({ failed, skipped, cancelled }).flatMap(([name, count]) =>
    count === 0 ? [] : `, ${count} ${name}`,
  );
  // Why tasks failed stands with them.
  const isTold = view.phase === 'completed' || failed > 0 || view.reason === undefined;
  const reason = isTold ? '' : `: ${oneLine(view.reason ?? '')}`;
  return [
    `run ${view.run} ${view.phase}: ${completed} of ${total} tasks completed in ${time}${counts.join('')}${reason}`,
    ...(files === undefined ? [] : [`report: ${files.html}`, `        ${files.markdown}`]),
    ...(view.tip === view.base
      ? ['nothing was integrated; your checkout is as it was']
      : [
          ...resultLines(view.branch, { thrownAway, published }),
          ...(thrownAway ? [] : [`        to merge it: switchyard apply ${view.run}`]),
        ]),
    ...(!thrownAway && (view.phase === 'failed' || failed > 0)
      ? ['to try again: mend what is told above, then switchyard run PLAN; it begins from your branch']
      : []),
  ];
}

function resultLines(branch: string, { thrownAway = false, published }: ResultPlace): string[] {
  if (published?.obstacle === undefined)
    return [`result: branch ${branch}${thrownAway ? ' of the copy' : ''}; your checkout is as it was`];
  return [
    `result: ${published.name}; your checkout is as it was`,
    `        not on the branch ${branch}: ${published.obstacle}`,
  ];
}
