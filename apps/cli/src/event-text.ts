import type { RunEvent, RunEventKind, TaskView } from '@switchyard/protocol';
import { lookOf, type Look } from './phase-look.ts';
import { cutTo, durationText, oneLine, padTo } from './show-text.ts';
import type { Painter } from './terminal.ts';

/**
 * Steps between two that people look for; `--json` and `switchyard logs` have them all. An integration is told by the
 * verification and the end of the task.
 */
const untold: ReadonlySet<RunEventKind> = new Set([
  'task-ready',
  'task-running',
  'task-reviewing',
  'task-integrated',
  'task-assign-failed',
]);

/**
 * Whether an event is worth a line of its own. A rejection and a lost attempt are told by what follows from them; that
 * nobody is there to take a task, by itself.
 */
export function isTold({ kind, text, worker }: RunEvent): boolean {
  if (kind === 'task-assign-failed' && worker === undefined) return true;
  return !untold.has(kind) && !(kind === 'review-verdict' && text.includes(': review rejected: '));
}

const idWidthMax = 32;

/** The width of a column that holds the names of these tasks. */
export function idWidthOf(tasks: readonly Pick<TaskView, 'id'>[]): number {
  return Math.min(idWidthMax, Math.max(4, ...tasks.map(({ id }) => [...id].length))); // oxlint-disable-line no-misused-spread -- code points are near enough to columns
}

/** What is said of a task, without its name in front: that stands in a column of its own. */
export function withoutName(text: string, taskId: string): string {
  const line = oneLine(text);
  const name = oneLine(taskId);
  if (!line.startsWith(name)) return line;
  const rest = line.slice(name.length);
  return /^:? \S/.test(rest) ? rest.replace(/^:? /, '') : line;
}

/** How an event is shown: time since the run began, the task, and what happened to it. */
export interface EventLine {
  readonly startedAt: number;
  readonly idWidth: number;
  readonly paint: Pick<Painter, Look[1]>;
  /** How many tasks of how many were completed then. */
  readonly hasCounts?: boolean;
}

/** One event on one line. */
export function eventLine(event: RunEvent, options: EventLine): string {
  const { startedAt, idWidth, paint, hasCounts = false } = options;
  const { completed, total } = event.progress;
  const width = String(total).length;
  const counts = hasCounts ? `  ${String(completed).padStart(width)}/${total}` : '';
  const time = `${durationText(event.at - startedAt).padStart(6)}${counts}`;
  const name = event.taskId === undefined ? '' : oneLine(event.taskId);
  const [glyph, colour] = signOf(event.kind);
  return `${time}  ${paint[colour](glyph)} ${padTo(cutTo(name, idWidthMax), idWidth)}  ${words(event)}`;
}

function words({ kind, taskId, text }: RunEvent): string {
  if (taskId !== undefined) return withoutName(text, taskId);
  return kind === 'started' ? `started: ${oneLine(text)}` : oneLine(text);
}

function signOf(kind: RunEventKind): Look {
  switch (kind) {
    case 'completed':
    case 'verified':
    case 'task-completed':
    case 'gate-passed':
      return lookOf('completed');
    case 'failed':
    case 'error':
    case 'verify-failed':
    case 'task-failed':
      return lookOf('failed');
    case 'task-assign-failed':
    case 'task-retrying':
    case 'task-salvaged':
    case 'task-wip':
    case 'task-rejected':
    case 'task-sent-back':
    case 'worker-unverifiable':
      return ['↺', 'yellow'];
    case 'task-violation':
      return ['!', 'red'];
    case 'task-rolled-back':
    case 'rolling-back':
      return lookOf('rolled-back');
    case 'rollback-refused':
      return lookOf('failed');
    case 'task-waiting':
    case 'task-asks':
      return lookOf('waiting');
    case 'task-skipped':
      return lookOf('skipped');
    case 'cancelled':
    case 'task-cancelled':
      return lookOf('cancelled');
    case 'verifying':
    case 'task-integrated':
      return lookOf('verifying');
    case 'review-verdict':
    case 'task-reviewing':
      return lookOf('reviewing');
    case 'task-submitted':
      return lookOf('submitted');
    case 'task-assigned':
    case 'task-running':
    case 'task-answered':
    case 'worker-alive':
      return lookOf('running');
    case 'started':
    case 'task-ready':
    case 'follow-ups':
    case 'tasks-added':
    case 'paused':
    case 'budget-raised':
    case 'resumed':
      return [' ', 'white'];
  }
}
