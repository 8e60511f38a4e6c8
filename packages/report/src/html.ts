import { modelCost } from './model-cost.ts';
import type { RunReport } from '@switchyard/protocol';
import { accountOf, type RunAccount, type TaskAccount } from './account.ts';
import { applyAdvice } from './apply-advice.ts';
import { dotToSvg } from './dot-to-svg.ts';
import { graphDot } from './graph-dot.ts';
import { receiptsHtml, severityTone } from './html-evidence.ts';
import { pageHtml, section } from './html-page.ts';
import { pill, taskHtml } from './html-task.ts';
import { anchorOf, escapeHtml } from './markup.ts';
import { runLook, taskLook, type Tone } from './phase-look.ts';
import { oneLine } from './plain-text.ts';
import { countText, durationText, momentText, shortCommit } from './quantities.ts';
import { timelineLegend, timelineSvg } from './timeline-svg.ts';
import { segmentKinds, timelineOf } from './timeline.ts';

/** Events listed at the end; the JSON report has all. */
const eventsMax = 500;

/** Renders a run's report as one page that needs nothing else: no script, no network. */
export async function renderHtml(report: RunReport): Promise<string> {
  const account = accountOf(report);
  const title = oneLine(report.view.name, 120);
  const parts = [
    heroHtml(report, account),
    tilesHtml(report, account),
    sandboxHtml(report),
    failuresHtml(account),
    applyHtml(report, account),
    await graphHtml(report),
    timelineHtml(report, account),
    tableHtml(account),
    verificationHtml(report),
    section('Tasks', account.tasks.map((task, index) => taskHtml(task, index, report.view.run)).join('\n')),
    historyHtml(report, account),
  ];
  const footer = `<footer>Run ${escapeHtml(report.view.run)} · written by Switchyard ${momentText(account.endedAt)} · all times in UTC</footer>`;
  return pageHtml(`${runLook[report.view.phase].sign} ${title}`, [...parts, footer]);
}

function heroHtml({ view }: RunReport, account: RunAccount): string {
  const look = runLook[view.phase];
  const reason =
    view.reason === undefined || view.reason === ''
      ? ''
      : `<p class="soft">${escapeHtml(oneLine(view.reason, 1000))}</p>`;
  const models = modelCost(view);
  const facts: [string, string][] = [
    ['Started', momentText(account.startedAt)],
    [account.isOver ? 'Took' : 'So far', durationText(account.endedAt - account.startedAt)],
    ['Branch', `<code>${escapeHtml(view.branch)}</code>`],
    ['Base → tip', `<code>${shortCommit(view.base)}</code> → <code>${shortCommit(view.tip)}</code>`],
    ['Workers', account.workers.length === 0 ? 'none' : escapeHtml(oneLine(account.workers.join(', ')))],
    [
      'Strategy',
      `${view.strategy.chosen} <span class="soft">${escapeHtml(oneLine(view.strategy.reason))}</span>`,
    ],
    ...(models === undefined ? [] : [['Models', escapeHtml(oneLine(models))] satisfies [string, string]]),
  ];
  return `<header class="card hero tone-${look.tone}">
<span class="verdict">${look.sign} ${look.word}${view.paused ? ', paused' : ''}</span>
<h1>${escapeHtml(oneLine(view.name))}</h1>
<p class="headline">${escapeHtml(account.headline)}</p>${reason}
<dl class="facts">${facts.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('')}</dl>
</header>`;
}

function tilesHtml({ view }: RunReport, account: RunAccount): string {
  const { progress } = view;
  const blocking = account.findings.critical + account.findings.major;
  const tiles: [number, string, Tone | undefined][] = [
    [progress.completed, `of ${countText(progress.total, 'task')} completed`, 'good'],
    [progress.failed, 'failed', progress.failed > 0 ? 'bad' : undefined],
    [progress.skipped + progress.cancelled, 'skipped or cancelled', undefined],
    [progress.rolledBack ?? 0, 'rolled back', undefined],
    [account.attempts, account.attempts === 1 ? 'attempt' : 'attempts', undefined],
    [account.rejections, 'sent back by reviewers', account.rejections > 0 ? 'person' : undefined],
    [blocking, 'critical or major findings', blocking > 0 ? 'person' : undefined],
  ];
  return `<div class="tiles">${tiles
    .map(
      ([count, text, tone]) =>
        `<div class="tile${tone === undefined ? '' : ` tone-${tone}`}"><b>${count}</b><span>${text}</span></div>`,
    )
    .join('')}</div>`;
}

function sandboxHtml({ sandbox }: RunReport): string {
  if (sandbox !== 'none') return '';
  return `<div class="banner"><b>No sandbox.</b> The operator turned it off: the commands of this run could read and write everything that this user can, and use the network. Nothing here proves that they kept to their workspaces.</div>`;
}

function failuresHtml(account: RunAccount): string {
  const cards = account.failures.map(({ task, skipped }) => {
    const name = oneLine(task.view.id);
    const rest = skipped.map(
      (other) =>
        `<li>${linkTo(other, account)} skipped because ${escapeHtml(name)} failed: ${escapeHtml(oneLine(task.trouble ?? '', 200))}</li>`,
    );
    return `<div class="card trouble"><p>${pill('bad', '✗ failed')} <b>${linkTo(task, account)}</b></p><p>${escapeHtml(oneLine(task.trouble ?? '', 2000))}</p>${rest.length === 0 ? '' : `<ul>${rest.join('')}</ul>`}</div>`;
  });
  return section('What went wrong', cards.join('\n'));
}

function linkTo(task: TaskAccount, account: RunAccount): string {
  return `<a href="#${anchorOf(account.tasks.indexOf(task))}">${escapeHtml(oneLine(task.view.id))}</a>`;
}

function applyHtml(report: RunReport, account: RunAccount): string {
  if (!account.isOver) return '';
  const lines = applyAdvice(report, account).map(
    ({ command, text }) => `<p>${escapeHtml(text)}</p><pre><code>${escapeHtml(command)}</code></pre>`,
  );
  return section('What to do now', `<div class="card">${lines.join('')}</div>`);
}

async function graphHtml({ view }: RunReport): Promise<string> {
  const dot = graphDot(view);
  if (dot === undefined)
    return section(
      'Graph',
      `<p class="soft">${view.tasks.length} tasks are too many to draw; see <code>switchyard plan graph</code>.</p>`,
    );
  const svg = (await dotToSvg(dot)).replace(
    '<svg',
    `<svg role="img" aria-label="Graph of ${view.tasks.length} tasks"`,
  );
  return section('Graph', `<div class="card scroll graph">${svg}</div>`);
}

function timelineHtml(report: RunReport, account: RunAccount): string {
  const svg = timelineSvg(timelineOf(report, account), account);
  if (svg === undefined) return '';
  const legend = segmentKinds.map(
    (kind) =>
      `<li><svg width="16" height="10"><rect class="seg-${kind}" width="16" height="10" rx="2"/></svg>${timelineLegend[kind]}</li>`,
  );
  return section(
    'Timeline',
    `<div class="card"><div class="scroll">${svg}</div><ul class="legend">${legend.join('')}</ul></div>`,
  );
}

function tableHtml(account: RunAccount): string {
  const rows = account.tasks.map((task, index) => {
    const { view } = task;
    const look = taskLook[view.phase];
    const worst = task.findings[0];
    const found =
      worst === undefined
        ? ''
        : pill(severityTone[worst.severity], `${task.findings.length} · ${worst.severity}`);
    return `<tr><td><a href="#${anchorOf(index)}">${escapeHtml(oneLine(view.id))}</a></td><td>${pill(look.tone, `${look.sign} ${look.word}`)}</td><td class="number wide">${task.attempts.length === 0 ? '' : task.attempts.length}</td><td class="number wide">${task.attempts.length === 0 ? '' : view.round}</td><td class="wide">${escapeHtml(oneLine(task.attempts.at(-1)?.worker ?? '', 60))}</td><td class="number">${task.durationMs === undefined ? '' : durationText(task.durationMs)}</td><td>${found}</td></tr>`;
  });
  return section(
    'Summary',
    `<div class="card scroll"><table><thead><tr><th>Task</th><th>State</th><th class="number wide">Attempts</th><th class="number wide">Rounds</th><th class="wide">Worker</th><th class="number">Time</th><th>Findings</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`,
  );
}

function verificationHtml({ verification }: RunReport): string {
  const entries = verification.map((record) => {
    const names = record.tasks.map((id) => escapeHtml(oneLine(id, 80))).join(', ');
    return `<div>${pill(record.passed ? 'good' : 'bad', record.passed ? '✓ passed' : '✗ failed')} <span class="soft"><code>${shortCommit(record.commit)}</code> · ${momentText(record.at)}${names === '' ? '' : ` · ${record.isRollback === true ? 'without' : 'with'} ${names}`}</span>${receiptsHtml(record.receipts)}</div>`;
  });
  return section(
    'Verification of the merged result',
    entries.length === 0 ? '' : `<div class="card">${entries.join('\n')}</div>`,
  );
}

function historyHtml({ events }: RunReport, account: RunAccount): string {
  if (events.length === 0) return '';
  const shown = events.slice(-eventsMax);
  const left = events.length - shown.length;
  const lines = shown.map(
    (event) =>
      `<li value="${event.seq}"><span class="soft">+${durationText(Math.max(0, event.at - account.startedAt))}</span> ${escapeHtml(oneLine(event.text, 400))}</li>`,
  );
  return section(
    'History',
    `<details class="card"><summary>${countText(events.length, 'event')}${left > 0 ? `, the last ${shown.length} shown` : ''}</summary><ol class="history">${lines.join('\n')}</ol></details>`,
  );
}
