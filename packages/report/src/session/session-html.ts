import { severities, type SessionReport, type Severity } from '@switchyard/protocol';
import { excerptHtml, findingHtml, severityTone } from '../html-evidence.ts';
import { pageHtml, section } from '../html-page.ts';
import { escapeHtml } from '../markup.ts';
import type { Tone } from '../phase-look.ts';
import { oneLine } from '../plain-text.ts';
import { countText, durationText, momentText } from '../quantities.ts';
import { severityTitles, suppressedTable } from '../review-html.ts';
import { reviewersSvg } from './reviewers-svg.ts';

/** Findings shown on the page; the JSON report has all. */
const findingsMax = 1_000;

const looks: Readonly<
  Record<SessionReport['conclusion'], { readonly tone: Tone; readonly sign: string; readonly word: string }>
> = {
  passed: { tone: 'good', sign: '✓', word: 'Passed' },
  changes_required: { tone: 'bad', sign: '✗', word: 'Changes required' },
  incomplete: { tone: 'person', sign: '!', word: 'Incomplete' },
};

/** Renders the report of a review session as one page: by severity with the source lines, and who reviewed when. */
export function renderSessionHtml(report: SessionReport): string {
  const name = `Task ${oneLine(report.taskId, 60)}: ${oneLine(report.taskTitle, 120)}`;
  return pageHtml(`${looks[report.conclusion].sign} ${name}`, [
    heroHtml(report, name),
    tilesHtml(report),
    section('Warnings', listHtml(report.warnings)),
    section(
      'For a person',
      listHtml(
        report.escalations.map((one) => `${one.source}: ${one.message} ${one.instructions ?? ''}`.trim()),
      ),
    ),
    ...severities.map((severity) => severityHtml(report, severity)),
    restHtml(report),
    section('Conflicting suggestions', conflictsHtml(report)),
    section('Earlier findings', earlierHtml(report)),
    section('Let stand by the policy', suppressedTable(report.suppressed)),
    section('Reviewers', reviewersHtml(report)),
    section('Found in order', listHtml(report.strengths)),
    `<footer>Written by Switchyard ${escapeHtml(report.program)}, ${momentText(Date.parse(report.writtenAt))}; session ${escapeHtml(report.sessionId)}</footer>`,
  ]);
}

function heroHtml(report: SessionReport, name: string): string {
  const look = looks[report.conclusion];
  const took = Math.max(0, Date.parse(report.writtenAt) - Date.parse(report.begunAt));
  const facts: [string, string][] = [
    ['Task', report.taskStatus],
    ['Under review', report.scope],
    ['Reviewers', report.strategy],
    ['Quality score', `${report.qualityScore} of 100 = ${report.qualityFormula}`],
    ['Errors, recoveries tried', `${report.errors}, ${report.recoveryAttempts}`],
    ['Took', durationText(took)],
  ];
  return `<header class="card hero tone-${look.tone}">
<span class="verdict">${look.sign} ${look.word}</span>
<h1>${escapeHtml(name)}</h1>
<p class="headline">${escapeHtml(report.reasons.map((reason) => oneLine(reason)).join('; '))}</p>
<dl class="facts">${facts.map(([term, value]) => `<div><dt>${term}</dt><dd>${escapeHtml(oneLine(value))}</dd></div>`).join('')}</dl>
</header>`;
}

function tilesHtml({ findings, suppressed, reviewers }: SessionReport): string {
  const tile = (count: string | number, text: string, tone?: Tone): string =>
    `<div class="tile${tone === undefined || count === 0 ? '' : ` tone-${tone}`}"><b>${count}</b><span>${text}</span></div>`;
  const completed = reviewers.filter(({ status }) => status === 'completed').length;
  const tiles = [
    tile(`${completed}/${reviewers.length}`, 'reviewers with a result'),
    ...severities.map((severity) =>
      tile(findings.filter((one) => one.severity === severity).length, severity, severityTone[severity]),
    ),
    tile(suppressed.length, 'let stand by the policy'),
  ];
  return `<div class="tiles">${tiles.join('')}</div>`;
}

function severityHtml({ findings }: SessionReport, severity: Severity): string {
  const mine = findings.slice(0, findingsMax).filter((one) => one.severity === severity);
  const body = mine.map((one) => {
    const by = one.reviewers.map((who) => who.replace('task-reviewer_', '')).join(', ');
    const about = [one.priority, `by ${by}`, ...(one.history === 'new' ? [] : [one.history])];
    return findingHtml(
      one,
      `${excerptHtml(one)}<p class="soft">${escapeHtml(oneLine(about.join(' · ')))}</p>`,
    );
  });
  return section(severityTitles[severity], body.join('\n'));
}

function restHtml({ findings }: SessionReport): string {
  const rest = findings.length - findingsMax;
  return rest > 0 ? `<p class="soft">${countText(rest, 'more finding')} in the JSON report.</p>` : '';
}

function conflictsHtml({ conflicts }: SessionReport): string {
  return conflicts
    .map(({ file, line, sides }) => {
      const rows = sides.map(
        ({ reviewer, description, suggestion }) =>
          `<tr><td>${escapeHtml(oneLine(reviewer.replace('task-reviewer_', '')))}</td><td>${escapeHtml(oneLine(description, 1_000))}</td><td>${escapeHtml(oneLine(suggestion, 1_000))}</td></tr>`,
      );
      return `<h3 class="file"><code>${escapeHtml(oneLine(`${file}:${line}`))}</code></h3>\n<div class="card scroll"><table><thead><tr><th>Reviewer</th><th>Says</th><th>Suggests</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
    })
    .join('\n');
}

function earlierHtml({ earlier }: SessionReport): string {
  if (earlier === undefined) return '';
  if (earlier.length === 0) return '<p class="soft">The earlier review found nothing.</p>';
  const rows = earlier.slice(0, findingsMax).map(({ finding, outcome, note }) => {
    const place =
      finding.file === undefined ? '' : `${finding.file}${finding.line ? `:${finding.line}` : ''}`;
    return `<tr><td><b>${escapeHtml(outcome)}</b></td><td><code>${escapeHtml(oneLine(place))}</code></td><td>${escapeHtml(oneLine(finding.description, 1_000))} <span class="soft">${escapeHtml(oneLine(note))}</span></td></tr>`;
  });
  return `<div class="card scroll"><table><thead><tr><th>Now</th><th>Place</th><th>Finding</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function reviewersHtml(report: SessionReport): string {
  const rows = report.reviewers.map(
    (one) =>
      `<tr><td>${escapeHtml(oneLine(one.name.replace('task-reviewer_', '')))}</td><td>${escapeHtml(one.status)}</td><td class="number">${one.findings ?? ''}</td><td class="number">${one.errors}, ${one.retries}</td><td>${escapeHtml(oneLine(one.focus.join(', ')))}</td><td>${escapeHtml(oneLine(one.reason))}</td></tr>`,
  );
  const drawn = reviewersSvg(report);
  const timeline = drawn === undefined ? '' : `<div class="card scroll">${drawn}</div>\n`;
  return `${timeline}<div class="card scroll"><table><thead><tr><th>Reviewer</th><th>Status</th><th class="number">Findings</th><th class="number">Errors, retries</th><th>Focus</th><th>Why</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function listHtml(texts: readonly string[]): string {
  if (texts.length === 0) return '';
  return `<div class="card"><ul>${texts.map((one) => `<li>${escapeHtml(oneLine(one, 2_000))}</li>`).join('')}</ul></div>`;
}
