import type { AttemptReport, RunEvent, RunReport } from '@switchyard/protocol';
import { accountOf, type TaskAccount } from './account.ts';
import { codeSpan, escapeMarkdown } from './markdown-text.ts';
import { runLook, taskLook } from './phase-look.ts';
import { countText, momentText, shortCommit } from './quantities.ts';

/** A part of a progress document that we keep up to date; `key` is the same as long as it speaks of the same. */
export interface ProgressSection {
  readonly key: string;
  readonly text: string;
}

/** Files listed of one task. */
const filesMax = 30;

/** What a progress document says of a run: one section for the run, and one for each task that has begun. */
export function progressSections(report: RunReport): ProgressSection[] {
  const { view } = report;
  const account = accountOf(report);
  const look = runLook[view.phase];
  const open = account.tasks.filter(({ view: { phase } }) => phase === 'waiting');
  const lines = [
    `## ${escapeMarkdown(view.name)}: ${look.word.toLowerCase()}`,
    '',
    `- Run: ${codeSpan(view.run)}, ${escapeMarkdown(account.headline)}`,
    ...(view.finishedAt === undefined ? [] : [`- Ended: ${momentText(view.finishedAt)}`]),
    ...(open.length === 0
      ? []
      : [`- Waits for you: ${open.map((task) => codeSpan(task.view.id)).join(', ')}`]),
  ];
  const begun = account.tasks.filter(({ view: { phase } }) => phase !== 'pending' && phase !== 'ready');
  return [
    { key: view.run, text: lines.join('\n') },
    ...begun.map((task) => ({ key: `${view.run}/${task.view.id}`, text: taskSection(report, task) })),
  ];
}

function taskSection(report: RunReport, task: TaskAccount): string {
  const { view } = task;
  const { sign, word } = taskLook[view.phase];
  const isOver = ['completed', 'failed', 'skipped', 'cancelled', 'rolled-back'].includes(view.phase);
  const last = task.attempts.at(-1);
  const entries: readonly (readonly [string, readonly string[]])[] = [
    [isOver ? 'Since' : 'State since', [momentText(view.since)]],
    ['Files', filesOf(task)],
    ['Key features', (last?.handover?.features ?? []).map((text) => escapeMarkdown(text, 1000))],
    ['Review', reviewOf(last)],
    ['Deployment', deploymentOf(report.events, task)],
    ['Verification', verificationOf(report, task)],
    ['Blockers', blockersOf(task)],
  ];
  return [
    `### ${sign} ${escapeMarkdown(view.id)}: ${word}`,
    '',
    ...entries.flatMap(([name, told]) => (told.length === 0 ? [] : [`- ${name}: ${told.join('; ')}`])),
  ].join('\n');
}

function filesOf({ filesChanged }: TaskAccount): string[] {
  if (filesChanged.length === 0) return [];
  const more = filesChanged.length > filesMax ? [`and ${filesChanged.length - filesMax} more`] : [];
  return [[...filesChanged.slice(0, filesMax).map((path) => codeSpan(path)), ...more].join(', ')];
}

function reviewOf(last: AttemptReport | undefined): string[] {
  return (last?.reviews ?? []).map(({ specialization, outcome, findings }) => {
    const found = findings.length === 0 ? '' : ` with ${countText(findings.length, 'finding')}`;
    return `${specialization} ${outcome}${found}`;
  });
}

/** A gate is where somebody deploys: what was answered there, or what it waits for. */
function deploymentOf(events: readonly RunEvent[], { view }: TaskAccount): string[] {
  if (view.kind !== 'manual') return [];
  if (view.waiting !== undefined) return [`waits for an answer: ${escapeMarkdown(view.waiting.text, 500)}`];
  const told = events.findLast(({ taskId, kind }) => taskId === view.id && kind === 'gate-passed');
  if (view.phase !== 'completed') return [];
  return [told === undefined ? 'answered' : escapeMarkdown(told.text.slice(view.id.length + 2), 500)];
}

function verificationOf({ verification }: RunReport, { view }: TaskAccount): string[] {
  const last = verification.findLast(({ tasks }) => tasks.includes(view.id));
  if (last === undefined) return [];
  const without = last.isRollback === true ? ' without it' : '';
  return [`${last.passed ? 'passed' : 'failed'}${without} on ${codeSpan(shortCommit(last.commit))}`];
}

function blockersOf({ attempts, trouble, view }: TaskAccount): string[] {
  const own = attempts.at(-1)?.handover?.blockers ?? [];
  const why = trouble === undefined || (view.kind === 'manual' && view.phase === 'waiting') ? [] : [trouble];
  return [...why, ...own].map((text) => escapeMarkdown(text, 1000));
}
