import type { SessionReport } from '@switchyard/protocol';
import { escapeHtml } from '../markup.ts';
import { oneLine } from '../plain-text.ts';
import { durationText } from '../quantities.ts';

const size = { width: 960, gutter: 150, right: 80, row: 24, bar: 12, head: 8 } as const;

/** Draws who reviewed when, one row a reviewer, over the whole session; colours come from the page's style sheet. */
export function reviewersSvg({ reviewers, begunAt, writtenAt }: SessionReport): string | undefined {
  const bars = reviewers.flatMap(({ name, startedAt, durationMs }) =>
    startedAt === null || durationMs === null ? [] : [{ name, from: Date.parse(startedAt), durationMs }],
  );
  if (bars.length === 0) return undefined;
  const from = Math.min(Date.parse(begunAt), ...bars.map((bar) => bar.from));
  const to = Math.max(Date.parse(writtenAt), ...bars.map((bar) => bar.from + bar.durationMs), from + 1);
  const scale = (size.width - size.gutter - size.right) / (to - from);
  const height = size.head * 2 + bars.length * size.row;
  const rows = bars.map((bar, at) => {
    const middle = size.head + at * size.row + size.row / 2;
    const left = round(size.gutter + (bar.from - from) * scale);
    const width = Math.max(1.5, round(bar.durationMs * scale));
    const label = escapeHtml(oneLine(bar.name.replace('task-reviewer_', ''), 24));
    const took = durationText(bar.durationMs);
    return `<g><text class="label" x="${size.gutter - 10}" y="${middle + 4}">${label}</text><rect class="seg-review" x="${left}" y="${middle - size.bar / 2}" width="${width}" height="${size.bar}" rx="3"><title>${label} · ${took}</title></rect><text class="soft" x="${round(left + width + 6)}" y="${middle + 4}">${took}</text></g>`;
  });
  return [
    `<svg class="timeline" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" role="img" aria-label="Timeline of ${bars.length} reviewers over ${durationText(to - from)}">`,
    ...rows,
    '</svg>',
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
