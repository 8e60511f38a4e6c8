import { join } from 'node:path';
import {
  microUsdOf,
  sumUsage,
  usdText,
  type RunSummary,
  type RunView,
  type TaskView,
} from '@switchyard/protocol';
import type { PublishedName } from '@switchyard/repo';
import { keptName, keptOf, keptWords } from './kept-work.ts';
import { barLine, reasonText } from './live-view.ts';
import { glyphColumns, glyphRow, lookOf } from './phase-look.ts';
import { durationText, foldText, momentText, oneLine, tableText } from './show-text.ts';
import type { Painter } from './terminal.ts';
import { waitingNotes } from './waiting-text.ts';

/** How a run stands, in one word. `isServed`: an orchestrator runs that carries it on. */
export function stateText(run: RunSummary, isServed: boolean): string {
  const isOpen = run.phase === 'running' || run.phase === 'planned';
  if (isOpen && !isServed) return 'stopped';
  return run.paused && isOpen ? 'paused' : run.phase;
}

/** When a paused run goes on by itself. */
export function pauseEndText({ paused, pausedUntil }: RunSummary): string {
  return paused && pausedUntil !== undefined ? `goes on by itself on ${momentText(pausedUntil)}` : '';
}

interface ViewOptions {
  readonly paint: Painter;
  /** An orchestrator runs that carries it on. */
  readonly isServed: boolean;
  /** It has ended, and its result is not in the repository yet: why, if that is known. */
  readonly unpublished?: string | undefined;
  /** By what name its result is found once it has ended; absent: its branch. */
  readonly published?: PublishedName | undefined;
  /** Where the state of the repository lies, if it is on this machine. */
  readonly stateFolder?: string | undefined;
  /** Where lines are folded. */
  readonly width?: number;
}

/** `run show`: where a run stands, its tasks, and what to do next. */
export function viewLines(
  view: RunView,
  { paint, isServed, unpublished, published, stateFolder, width = Infinity }: ViewOptions,
): string[] {
  const startedAt = view.startedAt ?? view.createdAt;
  const state = stateText(view, isServed);
  const why = [oneLine(view.reason ?? ''), state === 'paused' ? pauseEndText(view) : ''].filter(Boolean);
  const reason = why.length === 0 ? '' : `: ${why.join('; ')}`;
  const took = view.finishedAt === undefined ? '' : `, took ${durationText(view.finishedAt - startedAt)}`;
  const next = nextLines(view, { state, unpublished });
  return [
    ...headLines(`${view.run}  ${state}${reason}`, { view, paint, width }),
    barLine(view.tasks, { width: barColumns(width), paint }),
    '',
    ...taskRows(view.tasks, { paint, width }),
    '',
    ...tableText(
      [
        ['started', `${momentText(startedAt)}${took}`],
        branchRow(view, published),
        ['strategy', `${view.strategy.chosen}: ${view.strategy.reason}`],
        ...spentRow(view),
      ],
      { width },
    ),
    ...keptRows(view, { paint, width }),
    ...caseRows(view, { paint, stateFolder, width }),
    ...(next.length === 0 ? [] : ['', ...next.map((line) => paint.yellow(line))]),
  ];
}

/** The run and how it stands; why, below it, where there is no room. */
function headLines(text: string, { view, paint, width }: Look & { view: RunView }): string[] {
  const [first = '', ...more] = foldText(text, width);
  return [first.replace(view.run, paint.bold(view.run)), ...more];
}

/** The bar leaves room for what it is made of. */
function barColumns(width: number): number {
  return Math.max(10, Math.min(30, width - 40));
}

/** Money and requests of its models, where there were any. */
function spentRow({ usage = [], budgetUsd }: RunView): string[][] {
  if (usage.length === 0) return [];
  const { requests, microUsd } = sumUsage(usage);
  const of = budgetUsd === undefined ? '' : ` of ${usdText(microUsdOf(budgetUsd))}`;
  return [['models', `${usdText(microUsd)}${of}, ${requests} requests (switchyard usage)`]];
}

type Look = Required<Pick<ViewOptions, 'paint' | 'width'>>;

function taskRows(tasks: readonly TaskView[], { paint, width }: Look): string[] {
  const rows = tasks.map((task) => [oneLine(task.id), task.phase, task.worker ?? '', whyText(task)]);
  return tableText(rows, { width: width - glyphColumns }).map((line, at) => {
    const [glyph, colour] = lookOf(tasks[at]?.phase ?? 'pending');
    return glyphRow(paint[colour](glyph), line);
  });
}

/** Late results and work in progress that are kept, each with the command that shows it. */
function keptRows(view: RunView, { paint, width }: Look): string[] {
  const kept = keptOf([view]);
  if (kept.length === 0) return [];
  const rows = kept.map((one) => [
    `  ${oneLine(one.taskId)}`,
    `${keptName(one.kind)} of attempt ${one.attempt}${one.isNext ? ' (the next goes on from it)' : ''}`,
    `switchyard salvage show ${keptWords(one)}`,
  ]);
  return ['', paint.bold('kept beside the results'), ...tableText(rows, { width, isTyped: true })];
}

/** What was tried with tasks that were parked, and what to do: a file each. */
function caseRows(
  view: RunView,
  { paint, stateFolder, width }: Look & Pick<ViewOptions, 'stateFolder'>,
): string[] {
  const rows = view.tasks.flatMap(({ id, caseFile }) =>
    caseFile === undefined
      ? []
      : [
          [
            `  ${oneLine(id)}`,
            stateFolder === undefined ? `${caseFile} in the state folder` : join(stateFolder, caseFile),
          ],
        ],
  );
  return rows.length === 0
    ? []
    : ['', paint.bold('case files'), ...tableText(rows, { width, isTyped: true })];
}

function branchRow({ branch, tip, base }: RunView, published: PublishedName | undefined): [string, string] {
  const range = `${tip.slice(0, 10)}, from ${base.slice(0, 10)}`;
  return published?.obstacle === undefined
    ? ['branch', `${branch} at ${range}`]
    : ['result', `${published.name} at ${range}; not on the branch ${branch}: ${published.obstacle}`];
}

/** What waits also says what happens if nobody answers. */
function whyText(task: TaskView): string {
  const { waiting } = task;
  if (waiting === undefined) return reasonText(task);
  const { kind, default: then, deadline } = waiting;
  const end = kind === 'gate' && then === 'accept' ? 'goes on by itself' : then;
  return `${reasonText(task)} (${end} on ${momentText(deadline)})`;
}

/** Said of a run that has ended, and whose orchestrator could not publish it, or was killed before. */
export function unpublishedText(why: string): string {
  return `its result is not in your repository yet${why === '' ? '' : ` (${oneLine(why)})`}`;
}

function nextLines(
  view: RunView,
  { state, unpublished }: { readonly state: string; readonly unpublished: string | undefined },
): string[] {
  const notes = waitingNotes(view);
  if (unpublished !== undefined)
    notes.push(`${unpublishedText(unpublished)}; bring it there: switchyard resume ${view.run}`);
  const resume = `switchyard resume ${view.run}`;
  const raise = view.paused ? raiseIn(view.reason) : undefined;
  if (state === 'stopped')
    return [
      ...notes,
      `no orchestrator runs; go on: ${raise === undefined ? '' : `${raise}, then `}${resume}`,
    ];
  return state === 'paused' ? [...notes, `go on: ${raise ?? resume}`] : notes;
}

/** Without more money a run that has used up its own is paused again as soon as it is resumed. */
function raiseIn(reason = ''): string | undefined {
  return /`(switchyard budget raise [^`]+)`/.exec(reason)?.[1];
}
