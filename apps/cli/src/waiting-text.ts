import type { TaskView } from '@switchyard/protocol';
import { oneLine, shellWord } from './show-text.ts';

/** What a person can do about a task that waits: the command to type. */
export function answerText(run: string, task: TaskView): string {
  const name = shellWord(oneLine(task.id));
  return task.waiting?.kind === 'escalation'
    ? `switchyard answer ${run} ${name} --action retry --note "…"   (or skip, fail, accept)`
    : `switchyard gate approve ${run} ${name}   (or reject)`;
}

/** The same with what is asked, for the foot of a screen. */
export function waitingNotes(run: string, tasks: readonly TaskView[]): string[] {
  return tasks
    .filter(({ phase }) => phase === 'waiting')
    .map((task) => `${oneLine(task.id)} waits for you: ${answerText(run, task)}`);
}
