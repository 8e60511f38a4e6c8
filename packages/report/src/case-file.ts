import { shellWord, type RunReport, type TaskView } from '@switchyard/protocol';
import { accountOf, type TaskAccount } from './account.ts';
import { diffCommand, type Advice } from './apply-advice.ts';
import { attemptPart } from './markdown.ts';
import { codeBlock, codeSpan, escapeMarkdown } from './markdown-text.ts';
import { oneLine } from './plain-text.ts';
import { countText, momentText } from './quantities.ts';
import { questionPart } from './questions.ts';

/** Which task of a run was parked. */
export interface CaseOf {
  readonly taskId: TaskView['id'];
  /** It has handed in what a person may accept. */
  readonly canAccept: boolean;
}

/**
 * Renders the case file of a parked task as Markdown: why it is parked, what a person can do, with the commands, and
 * what was tried. Throws where the run has no such task.
 */
export function renderCase(report: RunReport, { taskId, canAccept }: CaseOf): string {
  const task = accountOf(report).tasks.find(({ view }) => view.id === taskId);
  if (task === undefined) throw new Error(`run ${report.view.run} has no task ${taskId}`);
  const { run, name } = report.view;
  const instructions = report.plan.tasks.find(({ id }) => id === taskId)?.instructions.trim() ?? '';
  const parts = [
    `# Case: ${escapeMarkdown(taskId)}`,
    `Task ${codeSpan(oneLine(taskId))} of run ${codeSpan(run)} (${escapeMarkdown(name)}), after ${countText(task.attempts.length, 'attempt')}.`,
    '## Why it is parked',
    whyPart(task),
    '## What you can do',
    ...[...lookAdvice(report.view), ...adviceOf(run, task, canAccept)].map(
      ({ command, text }) => `${text}\n\n${codeBlock(command, 'sh')}`,
    ),
    ...(instructions === '' ? [] : ['## What was asked', codeBlock(instructions.slice(0, 8000))]),
    '## What was tried',
    ...task.attempts.map(
      (attempt) => `${attemptPart({ run, view: task.view }, attempt)}\n\n${timesPart(attempt)}`,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

function whyPart({ view, trouble }: TaskAccount): string {
  const { waiting } = view;
  if (waiting === undefined) return codeBlock(trouble ?? view.reason ?? 'no reason was given');
  return questionPart(waiting);
}

function timesPart({ leasedAt, endedAt }: TaskAccount['attempts'][number]): string {
  return `Given out ${momentText(leasedAt)}${endedAt === undefined ? '' : `, ended ${momentText(endedAt)}`}.`;
}

/** What is on the run branch is published by the time a person is asked. */
function lookAdvice(view: RunReport['view']): Advice[] {
  if (view.tip === view.base) return [];
  return [{ command: diffCommand(view), text: 'Look at what the run has changed so far.' }];
}

function adviceOf(run: string, { view, attempts }: TaskAccount, canAccept: boolean): Advice[] {
  const words = `${run} ${shellWord(oneLine(view.id))}`;
  const answer = (action: string, note = ''): string =>
    `switchyard answer ${words} --action ${action}${note}`;
  const newest = attempts
    .toReversed()
    .flatMap((attempt) =>
      (['salvage', 'wip'] as const).filter((kind) => attempt[kind]).map((kind) => ({ attempt, kind })),
    )[0];
  const kept =
    newest === undefined ? '' : ` ${words} --attempt ${newest.attempt.attempt} --kind ${newest.kind}`;
  return [
    {
      command: answer('retry', ' --note "what the next attempt should know"'),
      text: 'Mend the cause, then let it be tried again; the note is given to the next attempt.',
    },
    ...(newest === undefined
      ? []
      : [
          { command: `switchyard salvage show${kept}`, text: 'See what it had done.' },
          {
            command: `switchyard salvage take${kept} --next`,
            text: 'Let the next attempt go on from there (answer retry after it).',
          },
          { command: `switchyard salvage take${kept}`, text: 'Take it as a branch, and finish it yourself.' },
        ]),
    ...(canAccept
      ? [{ command: answer('accept'), text: 'Accept what it handed in, in spite of the review.' }]
      : []),
    { command: answer('skip'), text: 'Go on without it; what depends on it is skipped too.' },
    { command: answer('fail'), text: 'Give it up.' },
    {
      command: `switchyard logs --run ${run} --task ${shellWord(oneLine(view.id))}`,
      text: 'Read what the daemons logged of it.',
    },
  ];
}
