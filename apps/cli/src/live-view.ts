import type { PeerView, RunEvent, RunView, TaskPhase, TaskView } from '@switchyard/protocol';
import { eventLine, idWidthOf } from './event-text.ts';
import { lookOf } from './phase-look.ts';
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
  /** Said at the foot: that the connection is lost, or what waits for a person. */
  readonly notes?: readonly string[];
}

/** When there is no room for all tasks, these are worth seeing most, in this order. */
const worth: readonly TaskPhase[] = [
  ...(['waiting', 'running', 'preparing', 'leased', 'reviewing', 'verifying', 'integrating'] as const),
  ...([
    'submitted',
    'failed',
    'ready',
    'completed',
    'pending',
    'skipped',
    'cancelled',
    'rolled-back',
  ] as const),
];

/** Phases whose time goes on because somebody works, or should. */
const timed: ReadonlySet<TaskPhase> = new Set([
  'leased',
  'preparing',
  'running',
  'submitted',
  'reviewing',
  'integrating',
  'waiting',
]);

const eventLines = 4;
const noteLines = 3;
/** Title, bar, two empty lines, and the one on tasks for which there is no room. */
const fixedLines = 5;

/** The lines of the live view: title, bar, tasks, last events, notes; never more than the screen has. */
export function liveLines(input: LiveInput): string[] {
  const { view, paint, columns } = input;
  const notes = notesOf(input);
  const room = Math.max(3, input.rows - fixedLines - eventLines - notes.length - 1);
  const shown = chooseTasks(view.tasks, room);
  const hidden = view.tasks.length - shown.length;
  const idWidth = idWidthOf(shown);
  const phaseWidth = Math.max(0, ...shown.map((task) => task.phase.length));
  const startedAt = view.startedAt ?? view.createdAt;
  const events = input.events
    .slice(-eventLines)
    .map((event) => cutTo(eventLine(event, { startedAt, idWidth, paint: plain }), columns - 1));
  return [
    titleLine(input),
    barLine(view.tasks, { width: Math.min(40, Math.max(10, columns - 48)), paint }),
    '',
    ...shown.map((task) => taskLine(task, input, { idWidth, phaseWidth })),
    ...(hidden > 0 ? [paint.gray(`  … ${hidden} more tasks`)] : []),
    ...(events.length === 0 ? [] : ['', ...events.map((line) => paint.gray(line))]),
    ...notes.map((note) => paint.yellow(cutTo(note, columns - 1))),
  ];
}

const same = (text: unknown): string => String(text);
/** Events at the foot have one colour. */
const plain = { green: same, red: same, yellow: same, cyan: same, magenta: same, gray: same, white: same };

function notesOf({ notes = [] }: LiveInput): readonly string[] {
  if (notes.length <= noteLines) return notes;
  return [...notes.slice(0, noteLines - 1), `… and ${notes.length - noteLines + 1} more`];
}

function titleLine({ view, now, paint, peers, columns }: LiveInput): string {
  const elapsed = durationText((view.finishedAt ?? now) - (view.startedAt ?? view.createdAt));
  const state = view.paused && view.phase === 'running' ? 'paused' : view.phase;
  const head = `${view.run}  ${state}  ${elapsed}`;
  const rest = cutTo(`${view.strategy.chosen}, ${fleetText(peers, now)}`, columns - head.length - 3);
  return `${paint.bold(view.run)}  ${state}  ${elapsed}  ${paint.gray(rest)}`;
}

/** How many tasks there are of each kind that something happens to, or happened. */
const groups: readonly (readonly [name: string, phases: readonly TaskPhase[]])[] = [
  ['running', ['leased', 'preparing', 'running', 'submitted']],
  ['reviewing', ['reviewing']],
  ['verifying', ['integrating', 'verifying']],
  ['waiting', ['waiting']],
  ['failed', ['failed']],
  ['skipped', ['skipped']],
  ['cancelled', ['cancelled']],
  ['rolled back', ['rolled-back']],
];

/** `████▒▒░░░ 5/10  2 running, 1 failed`: completed, not yet verified, ended otherwise, and to come. */
export function barLine(
  tasks: readonly Pick<TaskView, 'phase'>[],
  { width, paint }: { width: number; paint: Painter },
): string {
  const count = (...phases: readonly TaskPhase[]): number =>
    tasks.filter(({ phase }) => phases.includes(phase)).length;
  const place = (number: number): number =>
    tasks.length === 0 ? 0 : Math.floor((number / tasks.length) * width);
  const completed = count('completed');
  const merged = completed + count('integrating', 'verifying');
  const over = merged + count('failed', 'skipped', 'cancelled', 'rolled-back');
  const bar = [
    paint.green('█'.repeat(place(completed))),
    paint.green('▒'.repeat(place(merged) - place(completed))),
    paint.red('█'.repeat(place(over) - place(merged))),
    paint.gray('░'.repeat(width - place(over))),
  ];
  const words = groups.flatMap(([name, phases]) => {
    const number = count(...phases);
    return number === 0 ? [] : `${number} ${name}`;
  });
  return `${bar.join('')} ${completed}/${tasks.length}${words.length === 0 ? '' : `  ${words.join(', ')}`}`;
}

/** Tasks in the order of the plan; where there is no room, the least interesting are left out. */
function chooseTasks(tasks: readonly TaskView[], room: number): readonly TaskView[] {
  if (tasks.length <= room) return tasks;
  const ranked = tasks.map((task, at) => ({ at, rank: worth.indexOf(task.phase) }));
  ranked.sort((a, b) => a.rank - b.rank || a.at - b.at);
  const kept = new Set(ranked.slice(0, room - 1).map(({ at }) => at));
  return tasks.filter((_, at) => kept.has(at));
}

function taskLine(
  task: TaskView,
  { now, columns, paint, view }: LiveInput,
  { idWidth, phaseWidth }: { idWidth: number; phaseWidth: number },
): string {
  const [glyph, colour] = lookOf(task.phase);
  const isTimed = timed.has(task.phase) && view.finishedAt === undefined;
  const name = padTo(cutTo(oneLine(task.id), idWidth), idWidth);
  const elapsed = isTimed ? durationText(now - task.since) : '';
  const head = `${name}  ${padTo(task.phase, phaseWidth)}  ${elapsed.padStart(6)}`;
  const worker = isTimed && task.worker !== undefined ? task.worker : '';
  const rest = cutTo([worker, reasonText(task)].filter(Boolean).join('  '), columns - head.length - 5);
  return `${paint[colour](glyph)} ${head}  ${paint.gray(rest)}`.trimEnd();
}

/** What the phase says already. */
const plainReason =
  /^(is ready|is accepted by its worker|is at work|is being reviewed|is on the candidate|completed|goes to .*|hands in .*)$/;

/** Why a task is where it is, in as far as its phase does not say so; with the round, where it is not the first. */
export function reasonText(task: TaskView): string {
  const round = task.round > 1 && !ended.has(task.phase) ? `round ${task.round}` : '';
  const reason = oneLine(task.reason ?? '').replace(/^(failed|skipped|cancelled): /, '');
  const told = task.waiting === undefined ? reason : oneLine(task.waiting.text);
  return [round, plainReason.test(told) ? '' : told].filter(Boolean).join('  ');
}

const ended: ReadonlySet<TaskPhase> = new Set(['completed', 'failed', 'skipped', 'cancelled', 'rolled-back']);

function fleetText(peers: readonly PeerView[], now: number): string {
  const there = peers.filter((peer) => peer.state !== 'dead');
  const workers = there.filter((peer) => peer.role === 'worker');
  const reviewers = there.filter((peer) => peer.role === 'reviewer');
  const odd = oddText(peers, now);
  if (workers.length + reviewers.length === 0) return ['no workers yet', ...odd].join(', ');
  const busy = workers.filter((peer) => peer.busy > 0).length;
  const words = [
    `${countOf(workers.length, 'worker')}${busy === 0 ? '' : ` (${busy} busy)`}`,
    ...(reviewers.length === 0 ? [] : [countOf(reviewers.length, 'reviewer')]),
  ];
  return [...words, ...odd].join(', ');
}

/** How many that are not there are named, and for how long the dead are worth a word on the screen. */
const oddMax = 3;
const deadShownMs = 5 * 60_000;

/** `worker-2 dead 12s`: who is missed, and who died lately, the last first. */
function oddText(peers: readonly PeerView[], now: number): string[] {
  const found = peers
    .map((peer) => ({ peer, forMs: now - (peer.livenessSince ?? peer.since) }))
    .filter(({ peer, forMs }) =>
      peer.state === 'dead' ? forMs < deadShownMs : peer.state === 'unverifiable',
    )
    .toSorted((one, other) => one.forMs - other.forMs);
  const named = found
    .slice(0, oddMax)
    .map(({ peer, forMs }) => `${peer.peer} ${peer.state} ${durationText(forMs)}`);
  return found.length > oddMax ? [...named, `${found.length - oddMax} more gone`] : named;
}

function countOf(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
