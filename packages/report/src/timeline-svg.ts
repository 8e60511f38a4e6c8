import type { RunAccount } from './account.ts';
import { anchorOf, escapeHtml } from './markup.ts';
import { taskLook } from './phase-look.ts';
import { oneLine } from './plain-text.ts';
import { durationText } from './quantities.ts';
import type { Segment, TimelineRow } from './timeline.ts';

/** Sizes in user units of the drawing, which is as wide as `width` at its natural size. */
const size = { width: 960, gutter: 190, right: 16, row: 24, bar: 12, head: 26, worker: 22 } as const;
const rowsMax = 400;
/** At most this many marks on the axis. */
const ticksMax = 8;

const words: Readonly<Record<Segment['kind'], string>> = {
  queued: 'waits for a worker',
  work: 'works',
  review: 'in review',
  person: 'waits for a person',
  merge: 'merged and verified',
};

/** The legend's words, in the order of a task's life. */
export const timelineLegend = words;

/** Draws the timeline: one row a task, then one row a worker; colours come from the page's style sheet. */
export function timelineSvg(rows: readonly TimelineRow[], account: RunAccount): string | undefined {
  if (rows.length === 0 || rows.length > rowsMax) return undefined;
  const from = Math.min(account.startedAt, ...rows.flatMap((row) => row.segments.map((one) => one.from)));
  const to = Math.max(account.endedAt, ...rows.flatMap((row) => row.segments.map((one) => one.to)), from + 1);
  const inner = size.width - size.gutter - size.right;
  const x = (at: number): number => round(size.gutter + ((at - from) / (to - from)) * inner);
  const workers = account.workers.slice(0, rowsMax);
  const tasksEnd = size.head + rows.length * size.row;
  const height = tasksEnd + (workers.length > 0 ? 18 + workers.length * size.worker : 0) + 6;
  return [
    `<svg class="timeline" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" role="img" aria-label="Timeline of ${rows.length} tasks over ${durationText(to - from)}">`,
    ...axis({ from, to, x, height }),
    ...rows.map((row, number) => taskRow(row, size.head + number * size.row, x)),
    ...workers.map((worker, number) =>
      workerRow(worker, { rows, y: tasksEnd + 18 + number * size.worker, x }),
    ),
    '</svg>',
  ].join('\n');
}

type Scale = (at: number) => number;

function axis(about: { from: number; to: number; x: Scale; height: number }): string[] {
  const step = tickStep(about.to - about.from);
  const marks: string[] = [];
  for (let offset = 0; offset <= about.to - about.from; offset += step) {
    const at = about.x(about.from + offset);
    marks.push(
      `<line class="grid" x1="${at}" y1="18" x2="${at}" y2="${about.height}"/><text class="tick" x="${at}" y="12">${durationText(offset).replace('.0 s', ' s').replace('0 ms', '0')}</text>`,
    );
  }
  return marks;
}

/** The smallest round step that keeps the axis readable. */
function tickStep(lengthMs: number): number {
  const steps = [
    10, 50, 100, 250, 500, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 86400,
  ];
  const inMs = steps.map((step, index) => (index < 5 ? step : step * 1000));
  return inMs.find((step) => lengthMs / step <= ticksMax) ?? Math.ceil(lengthMs / ticksMax);
}

function taskRow(row: TimelineRow, y: number, x: Scale): string {
  const { view } = row.task;
  const { sign, tone, word } = taskLook[view.phase];
  const middle = y + size.row / 2;
  const bars = row.segments.map((segment) => bar(segment, middle, x)).join('');
  const rejections = row.rejectedAt
    .map(
      (at) =>
        `<path class="rejected" d="M${x(at)} ${middle - 8}v16"><title>sent back by reviewers</title></path>`,
    )
    .join('');
  const end = x(Math.max(...row.segments.map((segment) => segment.to)));
  return `<g><a href="#${anchorOf(row.index)}"><text class="label" x="${size.gutter - 10}" y="${middle + 4}">${escapeHtml(oneLine(view.id, 28))}<title>${escapeHtml(oneLine(view.id))}: ${word}</title></text></a>${bars}${rejections}<text class="end tone-${tone}" x="${Math.min(end + 4, size.width - 12)}" y="${middle + 4}">${sign}</text></g>`;
}

function bar(segment: Segment, middle: number, x: Scale): string {
  const left = x(segment.from);
  const width = Math.max(1.5, round(x(segment.to) - left));
  const thin = segment.kind === 'queued';
  const height = thin ? 2 : size.bar;
  const about = [
    words[segment.kind],
    segment.attempt === undefined || segment.kind === 'queued' ? '' : `attempt ${segment.attempt}`,
    segment.worker === undefined ? '' : oneLine(segment.worker, 60),
    durationText(segment.to - segment.from),
  ].filter((part) => part !== '');
  return `<rect class="seg-${segment.kind}" x="${left}" y="${middle - height / 2}" width="${width}" height="${height}" rx="${thin ? 1 : 3}"><title>${escapeHtml(about.join(' · '))}</title></rect>`;
}

function workerRow(
  worker: string,
  about: { readonly rows: readonly TimelineRow[]; readonly y: number; readonly x: Scale },
): string {
  const middle = about.y + size.worker / 2;
  const bars = about.rows
    .flatMap((row) =>
      row.segments
        .filter((segment) => segment.kind === 'work' && segment.worker === worker)
        .map((segment) => {
          const left = about.x(segment.from);
          const width = Math.max(1.5, round(about.x(segment.to) - left));
          const label = `${oneLine(row.task.view.id, 60)} · attempt ${segment.attempt ?? 1} · ${durationText(segment.to - segment.from)}`;
          return `<rect class="seg-busy" x="${left}" y="${middle - 4}" width="${width}" height="8" rx="2"><title>${escapeHtml(label)}</title></rect>`;
        }),
    )
    .join('');
  return `<g><text class="label worker" x="${size.gutter - 10}" y="${middle + 4}">${escapeHtml(oneLine(worker, 28))}</text>${bars}</g>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
