import type { PeerView, Progress, RunEvent, RunView, TaskPhase, TaskView } from '@switchyard/protocol';
import { cutTo, durationText, oneLine, padTo } from './show-text.ts';
import type { Painter } from './terminal.ts';

/** All that the live view shows; it is a function of this alone. */
export interface LiveInput {
  readonly view: RunView;
  /** Of this run, oldest first. */
  readonly events: readonly RunEvent[];
  readonly peers: readonly PeerView[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Painter;
  /** Said at the foot, for example that the connection is lost. */
  readonly note?: string | undefined;
}

type Look = readonly [
  glyph: string,
  colour: 'green' | 'red' | 'yellow' | 'cyan' | 'magenta' | 'gray' | 'white',
];

const looks: Readonly<Record<TaskPhase, Look>> = {
  pending: ['·', 'gray'],
  ready: ['○', 'white'],
  leased: ['◌', 'cyan'],
  preparing: ['◌', 'cyan'],
  running: ['▶', 'cyan'],
  submitted: ['◍', 'cyan'],
  reviewing: ['◎', 'magenta'],
  integrating: ['⇢', 'magenta'],
  verifying: ['⇢', 'magenta'],
  waiting: ['?', 'yellow'],
  completed: ['✔', 'green'],
  failed: ['✖', 'red'],
  skipped: ['⊘', 'gray'],
  cancelled: ['⊘', 'gray'],
};

/** The sign and colour of a phase. */
export function lookOf(phase: TaskPhase): Look {
  return looks[phase];
}

/** When there is no room for all tasks, these are worth seeing most, in this order. */
const worth: readonly TaskPhase[] = [
  ...(['waiting', 'running', 'preparing', 'leased', 'reviewing', 'verifying', 'integrating'] as const),
  ...(['submitted', 'failed', 'ready', 'completed', 'pending', 'skipped', 'cancelled'] as const),
];

const eventLines = 4;
const fixedLines = 6;

/** The lines of the live view: title, bar, tasks, workers, last events; never more than the screen has. */
export function liveLines(input: LiveInput): string[] {
  const { view, paint, columns } = input;
  const room = Math.max(3, input.rows - fixedLines - eventLines);
  const shown = chooseTasks(view.tasks, room);
  const hidden = view.tasks.length - shown.length;
  const idWidth = Math.min(32, Math.max(4, ...shown.map((task) => task.id.length)));
  const lines = [
    titleLine(input),
    barLine(view.progress, Math.min(40, Math.max(10, columns - 40)), paint),
    '',
    ...shown.map((task) => taskLine(task, input, idWidth)),
    ...(hidden > 0 ? [paint.gray(`  … ${hidden} more tasks`)] : []),
    workersLine(input),
    ...input.events
      .slice(-eventLines)
      .map((event) => paint.gray(cutTo(`  ${eventText(event)}`, columns - 1))),
    ...(input.note === undefined ? [] : [paint.yellow(cutTo(input.note, columns - 1))]),
  ];
  return lines;
}

function titleLine({ view, now, paint }: LiveInput): string {
  const elapsed = durationText((view.finishedAt ?? now) - (view.startedAt ?? view.createdAt));
  const state = view.paused && view.phase === 'running' ? 'paused' : view.phase;
  return `${paint.bold(view.run)}  ${state}  ${elapsed}  ${paint.gray(view.strategy.chosen)}`;
}

/** `[#####-----] 5/10  2 running, 1 failed`. */
export function barLine(progress: Progress, width: number, paint: Painter): string {
  const { total, completed, failed, skipped, cancelled, running, waiting } = progress;
  const part = (count: number): number => (total === 0 ? 0 : Math.floor((count / total) * width));
  const good = part(completed);
  const bad = part(completed + failed + skipped + cancelled) - good;
  const bar =
    paint.green('█'.repeat(good)) + paint.red('█'.repeat(bad)) + paint.gray('░'.repeat(width - good - bad));
  const counts = { running, waiting, failed, skipped, cancelled };
  const words = Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : `${count} ${name}`));
  return `${bar} ${completed}/${total}${words.length === 0 ? '' : `  ${words.join(', ')}`}`;
}

/** Tasks in the order of the plan; where there is no room, the least interesting are left out. */
function chooseTasks(tasks: readonly TaskView[], room: number): readonly TaskView[] {
  if (tasks.length <= room) return tasks;
  const ranked = tasks.map((task, at) => ({ at, rank: worth.indexOf(task.phase) }));
  ranked.sort((a, b) => a.rank - b.rank || a.at - b.at);
  const kept = new Set(ranked.slice(0, room - 1).map(({ at }) => at));
  return tasks.filter((_, at) => kept.has(at));
}

function taskLine(task: TaskView, { now, columns, paint, view }: LiveInput, idWidth: number): string {
  const [glyph, colour] = looks[task.phase];
  const isOpen = !['pending', 'completed', 'failed', 'skipped', 'cancelled'].includes(task.phase);
  const elapsed = isOpen && view.finishedAt === undefined ? durationText(now - task.since) : '';
  const round = task.round > 1 ? ` round ${task.round}` : '';
  const where = task.worker !== undefined && isOpen ? ` ${task.worker}` : '';
  const head = `${padTo(cutTo(oneLine(task.id), idWidth), idWidth)}  ${padTo(task.phase + round, 12)} ${padTo(elapsed, 6)}`;
  const rest = cutTo(`${where} ${messageOf(task)}`.trimEnd(), Math.max(0, columns - head.length - 5));
  return `${paint[colour](glyph)} ${head}${rest === '' ? '' : paint.gray(rest)}`.trimEnd();
}

function messageOf(task: TaskView): string {
  if (task.waiting !== undefined) return oneLine(`${task.waiting.kind}: ${task.waiting.text}`);
  return task.reason === undefined ? '' : oneLine(task.reason);
}

function workersLine({ peers, paint }: LiveInput): string {
  const workers = peers.filter((peer) => peer.role === 'worker');
  const reviewers = peers.filter((peer) => peer.role === 'reviewer');
  if (workers.length + reviewers.length === 0) return paint.gray('workers: none yet');
  const busy = workers.filter((peer) => peer.busy > 0).length;
  const odd = [...workers, ...reviewers].filter(
    (peer) => peer.state === 'unverifiable' || peer.state === 'dead',
  );
  const words = [`workers: ${workers.length} (${busy} busy)`, `reviewers: ${reviewers.length}`];
  return paint.gray([...words, ...odd.map((peer) => `${peer.peer} ${peer.state}`)].join(', '));
}

/** One event on one line, for the foot of the view and for output that is no screen. */
export function eventText(event: RunEvent): string {
  const attempt = event.attempt !== undefined && event.attempt > 1 ? ` (attempt ${event.attempt})` : '';
  const task = event.taskId === undefined ? '' : ` ${oneLine(event.taskId)}${attempt}`;
  const worker = event.worker === undefined || event.text.includes(event.worker) ? '' : ` [${event.worker}]`;
  return `${event.kind}${task}${worker}: ${oneLine(event.text)}`;
}

/** The line of an event for output that is no screen, with the time since the run began. */
export function plainLine(event: RunEvent, startedAt: number): string {
  const { completed, total } = event.progress;
  return `+${padTo(durationText(event.at - startedAt), 6)} ${completed}/${total}  ${eventText(event)}`;
}
