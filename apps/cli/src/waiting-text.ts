import { shellWord, type GateInput, type RunView, type TaskView } from '@switchyard/protocol';
import { askingName } from './asking-name.ts';
import { oneLine } from './show-text.ts';

/** Whether a task waits for a person: at its own place in the plan, or at work with a question. */
export function waitsForAnswer({ phase, waiting }: TaskView): boolean {
  return phase === 'waiting' || waiting?.kind === 'question';
}

/** What a person can do about a task that waits: the command to type. */
export function answerText(run: string, task: TaskView): string {
  const name = shellWord(oneLine(task.id));
  // An event alone does not say what it waits for: only manual tasks have gates.
  const kind = task.waiting?.kind ?? (task.kind === 'manual' ? 'gate' : 'escalation');
  const asked = task.waiting === undefined ? '' : ` --asked ${askingName(task.waiting.since)}`;
  if (kind === 'question')
    return `switchyard answer ${run} ${name}${asked} --note "…"   (or --action skip, fail)`;
  return kind === 'escalation'
    ? `switchyard answer ${run} ${name}${asked} --action retry --note "…"   (or skip, fail, accept)`
    : `switchyard gate approve ${run} ${name}${asked}${inputsText(task)}   (or reject)`;
}

/** The values that a gate asks for, as flags; those with a default may be left out. */
function inputsText({ waiting }: TaskView): string {
  return (waiting?.inputs ?? [])
    .map(({ name, choices, default: value }) => {
      const flag = ` --input ${name}=${choices.length === 0 ? '…' : choices.map((choice) => shellWord(oneLine(choice))).join('|')}`;
      return value === undefined ? flag : ` [${flag.slice(1)}]`;
    })
    .join('');
}

function inputLine({ name, text, default: value }: GateInput): string {
  const what = text === '' ? 'a value for the tasks that follow' : oneLine(text);
  return `  ${name}: ${what}${value === undefined ? '' : ` (else ${oneLine(value)})`}`;
}

/** The same with what is asked, and what there is to look at, for the foot of a screen. */
export function waitingNotes(view: RunView): string[] {
  const notes = view.tasks
    .filter(waitsForAnswer)
    .flatMap((task) => [
      `${oneLine(task.id)} waits for you: ${answerText(view.run, task)}`,
      ...(task.waiting?.inputs ?? []).map(inputLine),
    ]);
  return [...notes, ...lookNote(view)];
}

/** The branch is published while a task waits at its place in the plan, if anything is on it. */
function lookNote({ base, tip, branch, tasks }: RunView): string[] {
  if (tip === base || !tasks.some(({ phase }) => phase === 'waiting')) return [];
  return [`what the run has changed so far: git diff ${base.slice(0, 10)}...${branch}`];
}
