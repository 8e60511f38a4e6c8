import type { RunEvent, RunEventKind, TaskView, WaitingFor } from '@switchyard/protocol';
import { codeBlock, escapeMarkdown } from './markdown-text.ts';
import { momentText } from './quantities.ts';

/** What is told of questions to people, and of the answers. */
const kinds: ReadonlySet<RunEventKind> = new Set([
  'task-waiting',
  'task-asks',
  'gate-passed',
  'task-answered',
] as const);

/** Events on questions and answers, by task, oldest first. */
export function askedAndAnswered(events: readonly RunEvent[]): ReadonlyMap<string, readonly RunEvent[]> {
  const byTask = new Map<string, RunEvent[]>();
  for (const event of events) {
    if (event.taskId === undefined || !kinds.has(event.kind)) continue;
    const list = byTask.get(event.taskId) ?? [];
    list.push(event);
    byTask.set(event.taskId, list);
  }
  return byTask;
}

/** What a task asked, and who answered what when: a line each. Nothing where it asked nothing. */
export function answersPart(events: readonly RunEvent[]): string {
  return events
    .map((event) => `- ${momentText(event.at)}: ${escapeMarkdown(wordsOf(event), 2000)}`)
    .join('\n');
}

/** The text of an event without the name of its task before it. */
function wordsOf({ taskId, text }: RunEvent): string {
  return taskId !== undefined && text.startsWith(taskId)
    ? text.slice(taskId.length).replace(/^:? /, '')
    : text;
}

/** What a task waits for an answer to, whole, and until when. */
export function questionPart(waiting: NonNullable<TaskView['waiting']>): string {
  return `${codeBlock(waiting.text)}\n\n${deadlineText(waiting)}`;
}

function deadlineText({ since, deadline, default: then }: WaitingFor): string {
  return `It waits since ${momentText(since)}. Without an answer by ${momentText(deadline)} the answer is **${then}**.`;
}
