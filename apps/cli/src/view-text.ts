import type { RunSummary, RunView, TaskView } from '@switchyard/protocol';
import { barLine, reasonText } from './live-view.ts';
import { lookOf } from './phase-look.ts';
import { durationText, momentText, oneLine, tableText } from './show-text.ts';
import type { Painter } from './terminal.ts';
import { waitingNotes } from './waiting-text.ts';

/** How a run stands, in one word. `isServed`: an orchestrator runs that carries it on. */
export function stateText(run: RunSummary, isServed: boolean): string {
  const isOpen = run.phase === 'running' || run.phase === 'planned';
  if (isOpen && !isServed) return 'stopped';
  return run.paused && isOpen ? 'paused' : run.phase;
}

/** `run show`: where a run stands, its tasks, and what to do next. */
export function viewLines(
  view: RunView,
  { paint, isServed }: { paint: Painter; isServed: boolean },
): string[] {
  const startedAt = view.startedAt ?? view.createdAt;
  const state = stateText(view, isServed);
  const reason = view.reason === undefined ? '' : `: ${oneLine(view.reason)}`;
  const took = view.finishedAt === undefined ? '' : `, took ${durationText(view.finishedAt - startedAt)}`;
  const next = nextLines(view, state);
  return [
    `${paint.bold(view.run)}  ${state}${reason}`,
    barLine(view.tasks, { width: 30, paint }),
    '',
    ...taskRows(view.tasks, paint),
    '',
    ...tableText([
      ['started', `${momentText(startedAt)}${took}`],
      ['branch', `${view.branch} at ${view.tip.slice(0, 10)}, from ${view.base.slice(0, 10)}`],
      ['strategy', `${view.strategy.chosen}: ${view.strategy.reason}`],
    ]),
    ...(next.length === 0 ? [] : ['', ...next.map((line) => paint.yellow(line))]),
  ];
}

function taskRows(tasks: readonly TaskView[], paint: Painter): string[] {
  const rows = tasks.map((task) => [oneLine(task.id), task.phase, task.worker ?? '', whyText(task)]);
  return tableText(rows).map((line, at) => {
    const [glyph, colour] = lookOf(tasks[at]?.phase ?? 'pending');
    return `${paint[colour](glyph)} ${line}`;
  });
}

/** What waits also says what happens if nobody answers. */
function whyText(task: TaskView): string {
  const { waiting } = task;
  if (waiting === undefined) return reasonText(task);
  return `${reasonText(task)} (${waiting.default} on ${momentText(waiting.deadline)})`;
}

function nextLines(view: RunView, state: string): string[] {
  const notes = waitingNotes(view.run, view.tasks);
  if (state === 'stopped') return [...notes, `no orchestrator runs; go on: switchyard resume ${view.run}`];
  return state === 'paused' ? [...notes, `go on: switchyard resume ${view.run}`] : notes;
}
