import { modelCost } from './model-cost.ts';
import {
  isPassed,
  type AttemptReport,
  type Finding,
  type Receipt,
  type RunEvent,
  type RunReport,
} from '@switchyard/protocol';
import { accountOf, bySeverity, type RunAccount, type TaskAccount } from './account.ts';
import { applyAdvice } from './apply-advice.ts';
import { endText, placeOf } from './html-evidence.ts';
import { keptLines } from './kept-lines.ts';
import { letPass } from './let-pass.ts';
import { codeBlock, codeSpan, escapeMarkdown } from './markdown-text.ts';
import { mermaidGraph } from './mermaid-graph.ts';
import { runLook, taskLook } from './phase-look.ts';
import { countText, durationText, momentText, shortCommit } from './quantities.ts';
import { answersPart, askedAndAnswered, questionPart } from './questions.ts';

/** Findings shown of one review; the JSON report has all. */
const findingsMax = 100;

/** Where those who read a report find a transcript. `transcript`: where it is within the state folder. */
export type TranscriptAddress = (of: { readonly taskId: string; readonly transcript: string }) => string;

/** From beside a report or a case file that is kept in the state folder. */
const fromItsFile: TranscriptAddress = ({ transcript }) => `../../${transcript}`;

/** Renders a run's report as GitHub-flavoured Markdown. */
export function renderMarkdown(report: RunReport, addressOf = fromItsFile): string {
  const account = accountOf(report);
  const { run } = report.view;
  const told = askedAndAnswered(report.events);
  const parts = [
    headPart(report, account),
    sandboxPart(report),
    failuresPart(account),
    applyPart(report, account),
    summaryPart(account),
    graphPart(report),
    verificationPart(report),
    ...account.tasks.map((task) => taskPart(task, { run, addressOf, told: told.get(task.view.id) ?? [] })),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function headPart({ view }: RunReport, account: RunAccount): string {
  const look = runLook[view.phase];
  const models = modelCost(view);
  const found = Object.entries(account.findings)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  const rows: [string, string][] = [
    ['Started', momentText(account.startedAt)],
    [account.isOver ? 'Took' : 'So far', durationText(account.endedAt - account.startedAt)],
    ['Branch', codeSpan(view.branch)],
    ['Base, tip', `${codeSpan(shortCommit(view.base))}, ${codeSpan(shortCommit(view.tip))}`],
    ['Strategy', `${view.strategy.chosen}: ${escapeMarkdown(view.strategy.reason)}`],
    ['Workers', account.workers.map((worker) => codeSpan(worker)).join(', ') || 'none'],
    ['Attempts', `${account.attempts}, of which ${account.rejections} sent back by reviewers`],
    ['Findings', found.join(', ') || 'none'],
    ...(models === undefined ? [] : [['Models', escapeMarkdown(models)] satisfies [string, string]]),
  ];
  return [
    `# ${look.sign} ${look.word}: ${escapeMarkdown(view.name)}`,
    `**${escapeMarkdown(account.headline)}**${view.reason === undefined || view.reason === '' ? '' : ` — ${escapeMarkdown(view.reason, 1000)}`}`,
    ['| | |', '| --- | --- |', ...rows.map(([term, value]) => `| ${term} | ${value} |`)].join('\n'),
  ].join('\n\n');
}

function sandboxPart({ sandbox }: RunReport): string {
  if (sandbox !== 'none') return '';
  return '> **WARNING: NO SANDBOX.** The operator turned it off: the commands of this run could read and write everything that this user can, and use the network. Nothing here proves that they kept to their workspaces.';
}

function failuresPart(account: RunAccount): string {
  if (account.failures.length === 0) return '';
  const lines = account.failures.flatMap(({ task, skipped }) => {
    const name = escapeMarkdown(task.view.id);
    const why = escapeMarkdown(task.trouble ?? '', 1000);
    return [
      `- **${name}** failed: ${why}`,
      ...skipped.map(
        (other) =>
          `  - ${escapeMarkdown(other.view.id)} skipped because ${name} failed: ${escapeMarkdown(task.trouble ?? '', 200)}`,
      ),
    ];
  });
  return `## What went wrong\n\n${lines.join('\n')}`;
}

function applyPart(report: RunReport, account: RunAccount): string {
  if (!account.isOver) return '';
  const lines = applyAdvice(report, account).map(
    ({ command, text }) => `${text}\n\n${codeBlock(command, 'sh')}`,
  );
  return `## What to do now\n\n${lines.join('\n\n')}`;
}

function summaryPart(account: RunAccount): string {
  const rows = account.tasks.map((task) => {
    const look = taskLook[task.view.phase];
    const cells = [
      escapeMarkdown(task.view.id),
      `${look.sign} ${look.word}`,
      String(task.attempts.length),
      String(task.view.round),
      escapeMarkdown(task.attempts.at(-1)?.worker ?? ''),
      task.durationMs === undefined ? '' : durationText(task.durationMs),
      String(task.findings.length),
      task.mergeCommit === undefined ? '' : codeSpan(shortCommit(task.mergeCommit)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '## Tasks',
    '',
    '| Task | State | Attempts | Rounds | Worker | Time | Findings | Merged |',
    '| --- | --- | ---: | ---: | --- | ---: | ---: | --- |',
    ...rows,
  ].join('\n');
}

function graphPart({ view }: RunReport): string {
  const graph = mermaidGraph(view);
  return graph === undefined ? '' : `## Graph\n\n${codeBlock(graph, 'mermaid')}`;
}

function verificationPart({ verification }: RunReport): string {
  if (verification.length === 0) return '';
  const entries = verification.map((record) => {
    const names = record.tasks.map((id) => escapeMarkdown(id, 80)).join(', ');
    const head = `**${record.passed ? '✓ passed' : '✗ failed'}** on ${codeSpan(shortCommit(record.commit))}${names === '' ? '' : ` ${record.isRollback === true ? 'without' : 'with'} ${names}`}`;
    return [head, ...record.receipts.map(receiptPart)].join('\n\n');
  });
  return `## Verification of the merged result\n\n${entries.join('\n\n')}`;
}

interface AboutTask {
  readonly run: string;
  readonly addressOf: TranscriptAddress;
  /** Of its questions and their answers. */
  readonly told: readonly RunEvent[];
}

function taskPart(task: TaskAccount, { run, addressOf, told }: AboutTask): string {
  const { view, attempts } = task;
  const { waiting, caseFile } = view;
  return [
    `## ${escapeMarkdown(view.id)}`,
    factsLine(task),
    waiting === undefined ? '' : questionPart(waiting),
    answersPart(told),
    caseFile === undefined ? '' : caseText(caseFile),
    ...attempts.map((one) => attemptPart({ run, view, addressOf }, one)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** How it stands, why, and what it brought. */
function factsLine(task: TaskAccount): string {
  const { view, attempts, trouble } = task;
  const look = taskLook[view.phase];
  // Its attempts, and a question that is shown whole, say it themselves.
  const isSaid = view.waiting !== undefined || (attempts.length > 0 && view.phase !== 'rolled-back');
  const why = trouble === undefined || isSaid ? '' : `: ${escapeMarkdown(trouble, 1000)}`;
  const files =
    task.filesChanged.length === 0
      ? ''
      : `${countText(task.filesChanged.length, 'file')} changed: ${task.filesChanged
          .slice(0, 20)
          .map((path) => codeSpan(path))
          .join(', ')}${task.filesChanged.length > 20 ? ', …' : ''}`;
  const merged = task.mergeCommit === undefined ? '' : `merged as ${codeSpan(shortCommit(task.mergeCommit))}`;
  return [`${look.sign} ${look.word}${why}`, merged, files].filter((part) => part !== '').join(' · ');
}

function caseText(file: string): string {
  return `It was parked; its case file, in the state folder: ${codeSpan(file)}`;
}

/** The task of an attempt. */
interface AttemptOf extends Pick<TaskAccount, 'view'> {
  readonly run: string;
  readonly addressOf?: TranscriptAddress;
}

/** One attempt: how it ended, what is kept of it, what it printed, its receipts and reviews. */
export function attemptPart(
  { run, view, addressOf = fromItsFile }: AttemptOf,
  attempt: AttemptReport,
): string {
  const length = attempt.endedAt === undefined ? '' : `, ${durationText(attempt.endedAt - attempt.leasedAt)}`;
  const round = attempt.round > 1 ? `, round ${attempt.round}` : '';
  const { failure, transcript, outputTail = failure?.outputTail ?? '' } = attempt;
  const passed = letPass(attempt);
  const parts = [
    `### Attempt ${attempt.attempt}${round}: ${attempt.outcome} (${codeSpan(attempt.worker)}${length})`,
    passed === undefined ? '' : `⚠ ${passed}`,
    failure === undefined ? '' : `✗ ${codeSpan(failure.code)} ${escapeMarkdown(failure.message, 4000)}`,
    ...keptLines(run, view, attempt).map(({ text, command }) =>
      command === undefined ? text : `${text} ${codeSpan(command)}`,
    ),
    folded('The end of its output', outputTail),
    ...(transcript === undefined
      ? []
      : [`[What its agent said and did](<${addressOf({ taskId: view.id, transcript })}>)`]),
    ...attempt.receipts.map(receiptPart),
    ...attempt.reviews.map(reviewPart),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function receiptPart(receipt: Receipt): string {
  const named = receipt.criterion === receipt.command ? '' : `${escapeMarkdown(receipt.criterion)}: `;
  const line = `${isPassed(receipt) ? '✓' : '✗'} ${named}${codeSpan(receipt.command)} ${endText(receipt)}, ${durationText(receipt.durationMs)}`;
  return receipt.outputTail.trim() === '' ? line : `${line}\n\n${folded('Output', receipt.outputTail)}`;
}

/** Output behind a triangle where HTML is rendered; plain text readers see it as a block. */
function folded(title: string, text: string): string {
  return text.trim() === '' ? '' : `<details><summary>${title}</summary>\n\n${codeBlock(text)}\n\n</details>`;
}

function reviewPart(review: AttemptReport['reviews'][number]): string {
  const by = review.reviewer === undefined ? '' : ` by ${codeSpan(review.reviewer)}`;
  const head = `**${review.specialization} review: ${review.outcome}**${by}${review.feedback === '' ? '' : ` — ${escapeMarkdown(review.feedback, 1000)}`}`;
  const shown = bySeverity(review.findings).slice(0, findingsMax).map(findingLine);
  const rest = review.findings.length - shown.length;
  if (rest > 0) shown.push(`- and ${rest} more in the JSON report`);
  return shown.length === 0 ? head : `${head}\n\n${shown.join('\n')}`;
}

function findingLine(finding: Finding): string {
  const suggestion =
    finding.suggestion === undefined ? '' : `\n  Do: ${escapeMarkdown(finding.suggestion, 1000)}`;
  const rule = finding.rule === undefined ? '' : ` (${codeSpan(finding.rule)})`;
  return `- **${finding.severity}** ${codeSpan(placeOf(finding))}: ${escapeMarkdown(finding.description, 1000)}${rule}${suggestion}`;
}
