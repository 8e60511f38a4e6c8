import { isPassed, type Finding, type Receipt, type Severity, type ShownFinding } from '@switchyard/protocol';
import { bySeverity } from './account.ts';
import { escapeHtml, referenceLink } from './markup.ts';
import type { Tone } from './phase-look.ts';
import { oneLine } from './plain-text.ts';
import { durationText } from './quantities.ts';

/** A severity's tone; never colour alone, the word stands beside it. */
export const severityTone: Readonly<Record<Severity, Tone>> = {
  critical: 'bad',
  major: 'person',
  minor: 'active',
  info: 'idle',
};
/** Findings shown of one review; the JSON report has all. */
const findingsMax = 200;

/** How a command ended, in words. */
export function endText(receipt: Receipt): string {
  switch (receipt.ended) {
    case 'exited':
      return `exit code ${receipt.exitCode}`;
    case 'timed-out':
      return 'killed at its time limit';
    case 'killed':
      return 'killed';
  }
}

/** Receipts with their output folded away; open where the command failed. */
export function receiptsHtml(receipts: readonly Receipt[]): string {
  return receipts.map(receiptHtml).join('\n');
}

function receiptHtml(receipt: Receipt): string {
  const ok = isPassed(receipt);
  const sign = ok ? '<span class="ok">✓</span>' : '<span class="no">✗</span>';
  const named = receipt.criterion === receipt.command ? '' : `${escapeHtml(oneLine(receipt.criterion))} · `;
  const line = `${sign} ${named}<code>${escapeHtml(oneLine(receipt.command))}</code> <span class="soft">${endText(receipt)} · ${durationText(receipt.durationMs)}</span>`;
  if (receipt.outputTail.trim() === '') return `<div class="receipt flat">${line}</div>`;
  const note = receipt.truncated ? '<p class="soft">The output is longer; this is its end.</p>' : '';
  return `<details class="receipt"${ok ? '' : ' open'}><summary>${line}</summary>${note}<pre>${escapeHtml(receipt.outputTail)}</pre></details>`;
}

/** Findings, most severe first. */
export function findingsHtml(findings: readonly ShownFinding[]): string {
  const shown = bySeverity(findings)
    .slice(0, findingsMax)
    .map((one) => findingHtml(one, excerptHtml(one)))
    .join('\n');
  const rest = findings.length - findingsMax;
  return rest > 0 ? `${shown}\n<p class="soft">${rest} more are in the JSON report.</p>` : shown;
}

/** One finding; `extra` is HTML that stands below its words. */
export function findingHtml(finding: Finding, extra = ''): string {
  const suggestion =
    finding.suggestion === undefined ? '' : `<p><b>Do:</b> ${escapeHtml(finding.suggestion)}</p>`;
  const sources = finding.references.map(referenceHtml);
  if (finding.rule !== undefined) sources.unshift(`<code>${escapeHtml(finding.rule)}</code>`);
  return `<div class="finding tone-${severityTone[finding.severity]}"><div class="where"><span class="pill">${finding.severity}</span> <code>${escapeHtml(placeOf(finding))}</code> <span class="soft">${escapeHtml(finding.category)}</span></div><p>${escapeHtml(finding.description)}</p>${extra}${suggestion}${sources.length > 0 ? `<p class="soft">${sources.join(' · ')}</p>` : ''}</div>`;
}

/** The source lines around a finding, its own marked; nothing where there are none. */
export function excerptHtml({ excerpt, line }: ShownFinding): string {
  if (excerpt === undefined) return '';
  const rows = excerpt.lines.map((text, index) => {
    const number = excerpt.from + index;
    return `<span${number === line ? ' class="hit"' : ''}><i>${number}</i>${escapeHtml(text)}</span>`;
  });
  return `<pre class="excerpt">${rows.join('')}</pre>`;
}

/** `file:line`, `file`, or that it speaks of the whole change. */
export function placeOf(finding: Finding): string {
  if (finding.file === undefined) return 'the whole change';
  return finding.line === undefined ? oneLine(finding.file) : `${oneLine(finding.file)}:${finding.line}`;
}

function referenceHtml(reference: string): string {
  const link = referenceLink(reference);
  return link === undefined
    ? escapeHtml(oneLine(reference))
    : `<a href="${escapeHtml(link)}" rel="noreferrer">${escapeHtml(oneLine(reference, 80))}</a>`;
}
