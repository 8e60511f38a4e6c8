import { severities, type ReviewReport, type Severity } from '@switchyard/protocol';
import { excerptHtml, findingHtml, severityTone } from './html-evidence.ts';
import { pageHtml, section } from './html-page.ts';
import { escapeHtml } from './markup.ts';
import type { Tone } from './phase-look.ts';
import { oneLine } from './plain-text.ts';
import { countText, durationText, momentText, shortCommit } from './quantities.ts';

/** Findings shown on the page; the JSON report has all. */
const findingsMax = 1_000;

/** Headings of a page that tells findings by severity. */
export const severityTitles: Readonly<Record<Severity, string>> = {
  critical: 'Critical',
  major: 'Major',
  minor: 'Minor',
  info: 'Remarks',
};

/** Renders what a review found as one page: by severity, with the source lines, and what was let stand. */
export function renderReviewHtml(report: ReviewReport): string {
  const name = oneLine(report.root.split('/').at(-1) ?? report.root, 120);
  const look = lookOf(report);
  return pageHtml(`${look.sign} Review of ${name}`, [
    heroHtml(report, name),
    tilesHtml(report),
    ...severities.map((severity) => severityHtml(report, severity)),
    restHtml(report),
    section('Let stand by the policy', suppressedTable(report.suppressed)),
    section(
      'Found in order',
      report.strengths.length === 0
        ? ''
        : `<div class="card"><ul>${report.strengths.map((one) => `<li>${escapeHtml(oneLine(one))}</li>`).join('')}</ul></div>`,
    ),
    `<footer>Written by Switchyard ${escapeHtml(report.program)}, ${momentText(report.startedAt + report.durationMs)}</footer>`,
  ]);
}

function lookOf({ counts }: ReviewReport): {
  readonly tone: Tone;
  readonly sign: string;
  readonly word: string;
} {
  if ((counts.critical ?? 0) > 0) return { tone: 'bad', sign: '✗', word: 'Critical findings' };
  if ((counts.major ?? 0) > 0) return { tone: 'person', sign: '✗', word: 'Major findings' };
  return { tone: 'good', sign: '✓', word: 'Nothing critical or major' };
}

function heroHtml(report: ReviewReport, name: string): string {
  const look = lookOf(report);
  const facts: [string, string][] = [
    ['Folder', `<code>${escapeHtml(oneLine(report.root))}</code>`],
    ['Looked at', countText(report.filesAnalyzed, 'file')],
    ['Findings on', report.all ? 'every line' : 'lines of the change, or caused by it'],
    ['For', report.specializations.join(', ')],
    ['Took', durationText(report.durationMs)],
  ];
  if (report.since !== undefined)
    facts.splice(1, 0, [
      'Changes since',
      `${escapeHtml(oneLine(report.since.revision, 80))} <code>${shortCommit(report.since.commit)}</code>`,
    ]);
  return `<header class="card hero tone-${look.tone}">
<span class="verdict">${look.sign} ${look.word}</span>
<h1>Review of ${escapeHtml(name)}</h1>
<dl class="facts">${facts.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('')}</dl>
</header>`;
}

function tilesHtml({ counts, suppressed }: ReviewReport): string {
  const tile = (count: number, text: string, tone: Tone | undefined): string =>
    `<div class="tile${tone === undefined || count === 0 ? '' : ` tone-${tone}`}"><b>${count}</b><span>${text}</span></div>`;
  const tiles = severities.map((severity) => tile(counts[severity] ?? 0, severity, severityTone[severity]));
  return `<div class="tiles">${[...tiles, tile(suppressed.length, 'let stand by the policy', undefined)].join('')}</div>`;
}

function severityHtml({ findings }: ReviewReport, severity: Severity): string {
  const mine = findings.slice(0, findingsMax).filter((one) => one.severity === severity);
  const files = [...new Set(mine.map(({ file }) => file ?? ''))];
  const body = files.map((file) => {
    const list = mine.filter((one) => (one.file ?? '') === file);
    const heading = file === '' ? 'The whole' : `<code>${escapeHtml(oneLine(file))}</code>`;
    return `<h3 class="file">${heading}</h3>\n${list.map((one) => findingHtml(one, excerptHtml(one))).join('\n')}`;
  });
  return section(severityTitles[severity], body.join('\n'));
}

function restHtml({ findings }: ReviewReport): string {
  const rest = findings.length - findingsMax;
  return rest > 0 ? `<p class="soft">${countText(rest, 'more finding')} in the JSON report.</p>` : '';
}

/** What was found and let stand, with reason and end; nothing where there is nothing. */
export function suppressedTable(suppressed: Readonly<ReviewReport['suppressed']>): string {
  const rows = suppressed.slice(0, findingsMax).map(({ finding, reason, until }) => {
    const place =
      finding.file === undefined ? '' : `${finding.file}${finding.line ? `:${finding.line}` : ''}`;
    return `<tr><td><code>${escapeHtml(oneLine(finding.rule ?? finding.category))}</code></td><td><code>${escapeHtml(oneLine(place))}</code></td><td>${escapeHtml(oneLine(reason, 400))}</td><td class="number">${escapeHtml(until)}</td></tr>`;
  });
  if (rows.length === 0) return '';
  return `<div class="card scroll"><table><thead><tr><th>Rule</th><th>Place</th><th>Reason</th><th class="number">Until</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}
