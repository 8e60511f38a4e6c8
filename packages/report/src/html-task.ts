import type { AttemptReport } from '@switchyard/protocol';
import type { TaskAccount } from './account.ts';
import { findingsHtml, receiptsHtml } from './html-evidence.ts';
import { keptLines, type KeptLine } from './kept-lines.ts';
import { letPass } from './let-pass.ts';
import { anchorOf, escapeHtml } from './markup.ts';
import { taskLook, type Tone } from './phase-look.ts';
import { oneLine } from './plain-text.ts';
import { countText, durationText, shortCommit } from './quantities.ts';

/** Files listed of one task; the JSON report has all. */
const filesMax = 200;

const outcomeTone: Readonly<Record<AttemptReport['outcome'], Tone>> = {
  running: 'active',
  submitted: 'active',
  accepted: 'good',
  rejected: 'person',
  failed: 'bad',
  lost: 'dim',
  cancelled: 'dim',
  conflict: 'person',
};
const reviewTone: Readonly<Record<AttemptReport['reviews'][number]['outcome'], Tone>> = {
  approved: 'good',
  rejected: 'bad',
  'timed-out': 'person',
  failed: 'person',
  running: 'active',
};

/** Everything about one task, folded; open where something went wrong. */
export function taskHtml(task: TaskAccount, index: number, run: string): string {
  const { view } = task;
  const look = taskLook[view.phase];
  const isOpen = view.phase === 'failed' || view.phase === 'waiting' || view.round > 1;
  const about = [
    task.attempts.length > 1 ? countText(task.attempts.length, 'attempt') : '',
    view.round > 1 ? countText(view.round, 'round') : '',
    task.durationMs === undefined ? '' : durationText(task.durationMs),
    task.findings.length > 0 ? countText(task.findings.length, 'finding') : '',
  ].filter((part) => part !== '');
  return `<details class="task" id="${anchorOf(index)}"${isOpen ? ' open' : ''}>
<summary><span class="name">${escapeHtml(oneLine(view.id))}</span> ${pill(look.tone, `${look.sign} ${look.word}`)} <span class="soft">${about.join(' · ')}</span></summary>
<div>${[troubleHtml(task), caseHtml(task), factsHtml(task), ...task.attempts.map((one) => attemptHtml(run, task, one)), filesHtml(task)].join('\n')}</div>
</details>`;
}

/** A word in a coloured lozenge. */
export function pill(tone: Tone, text: string): string {
  return `<span class="pill tone-${tone}">${escapeHtml(text)}</span>`;
}

function troubleHtml({ trouble }: TaskAccount): string {
  return trouble === undefined ? '' : `<p><b>Why:</b> ${escapeHtml(oneLine(trouble, 2000))}</p>`;
}

function caseHtml({ view: { caseFile } }: TaskAccount): string {
  if (caseFile === undefined) return '';
  return `<p>It was parked; its case file, in the state folder: <code>${escapeHtml(caseFile)}</code></p>`;
}

function factsHtml({ view, mergeCommit }: TaskAccount): string {
  const waits = view.dependsOn.map((id) => escapeHtml(oneLine(id, 80))).join(', ');
  const parts = [
    view.workspace.length === 0
      ? ''
      : `writes ${view.workspace.map((path) => `<code>${escapeHtml(oneLine(path))}</code>`).join(' ')}`,
    waits === '' ? '' : `after ${waits}`,
    mergeCommit === undefined ? '' : `merged as <code>${shortCommit(mergeCommit)}</code>`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `<p class="soft">${parts.join(' · ')}</p>`;
}

/** A file beside the report, in the state folder. */
function transcriptHtml({ transcript }: AttemptReport): string {
  if (transcript === undefined) return '';
  const href = `../../${transcript.split('/').map(encodeURIComponent).join('/')}`;
  return `<p class="soft"><a href="${escapeHtml(href)}">what its agent said and did</a></p>`;
}

function attemptHtml(run: string, { view }: TaskAccount, attempt: AttemptReport): string {
  const length =
    attempt.endedAt === undefined ? '' : ` · ${durationText(attempt.endedAt - attempt.leasedAt)}`;
  const commit = attempt.commit === undefined ? '' : ` · commit <code>${shortCommit(attempt.commit)}</code>`;
  return `<section class="attempt">
<h3>Attempt ${attempt.attempt}${attempt.round > 1 ? `, round ${attempt.round}` : ''} ${pill(outcomeTone[attempt.outcome], attempt.outcome)} <span class="soft">on ${escapeHtml(oneLine(attempt.worker, 80))}${length}${commit}</span></h3>
${keptLines(run, view, attempt).map(keptHtml).join('')}
${letPassHtml(attempt)}${failureHtml(attempt)}
${outputHtml(attempt)}
${transcriptHtml(attempt)}
${receiptsHtml(attempt.receipts)}
${attempt.reviews.map(reviewHtml).join('\n')}
</section>`;
}

function letPassHtml(attempt: AttemptReport): string {
  const passed = letPass(attempt);
  return passed === undefined ? '' : `<p>${pill('person', 'let pass')} ${escapeHtml(passed)}</p>\n`;
}

function keptHtml({ text, command }: KeptLine): string {
  const how = command === undefined ? '' : ` <code>${escapeHtml(command)}</code>`;
  return `<p class="soft">${escapeHtml(text)}${how}</p>`;
}

/** What one that handed in a result printed; of one that failed it stands with its failure. */
function outputHtml({ outputTail = '' }: AttemptReport): string {
  if (outputTail.trim() === '') return '';
  return `<details class="receipt"><summary>The end of its output</summary><pre>${escapeHtml(outputTail)}</pre></details>`;
}

function failureHtml({ failure }: AttemptReport): string {
  if (failure === undefined) return '';
  const tail =
    failure.outputTail === undefined || failure.outputTail.trim() === ''
      ? ''
      : `<pre>${escapeHtml(failure.outputTail)}</pre>`;
  const paths = failure.paths
    ?.slice(0, filesMax)
    .map((path) => `<li><code>${escapeHtml(oneLine(path))}</code></li>`);
  return `<p><span class="no">✗</span> <code>${failure.code}</code> ${escapeHtml(oneLine(failure.message, 4000))}</p>${paths === undefined || paths.length === 0 ? '' : `<ul>${paths.join('')}</ul>`}${tail}`;
}

function reviewHtml(review: AttemptReport['reviews'][number]): string {
  const length = review.durationMs === undefined ? '' : ` in ${durationText(review.durationMs)}`;
  const by = review.reviewer === undefined ? '' : ` by ${escapeHtml(oneLine(review.reviewer, 80))}`;
  return `<div class="review"><p>${pill(reviewTone[review.outcome], review.outcome)} <b>${review.specialization}</b> <span class="soft">review${by}${length}</span></p>
${review.feedback.trim() === '' ? '' : `<p>${escapeHtml(review.feedback).replaceAll('\n', '<br>')}</p>`}
${findingsHtml(review.findings)}</div>`;
}

function filesHtml({ filesChanged }: TaskAccount): string {
  if (filesChanged.length === 0) return '';
  const shown = filesChanged
    .slice(0, filesMax)
    .map((path) => `<li><code>${escapeHtml(oneLine(path))}</code></li>`);
  const rest = filesChanged.length - shown.length;
  return `<details class="receipt"><summary>${countText(filesChanged.length, 'file')} changed</summary><ul>${shown.join('')}${rest > 0 ? `<li class="soft">and ${rest} more</li>` : ''}</ul></details>`;
}
