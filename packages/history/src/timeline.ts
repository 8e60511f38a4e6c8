import type { RunEvent, RunId } from '@switchyard/protocol';
import type { StoredFact } from '@switchyard/store';
import { RunHistory, type KnownFact } from './run-history.ts';

/** One fact of a run, for people. */
export interface TimelineEntry {
  /** Its place in the journal. */
  readonly seq: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly kind: string;
  /** The task, or the attempt whose review it is (`task#fence`); empty: the whole run. */
  readonly about: string;
  /** What watchers were told, or else what the fact says. */
  readonly text: string;
}

/**
 * The whole history of a run, one entry a fact, none left out. A function of the journal alone: the same on every
 * machine, at every time. Throws AppError E_STATE_NEWER and E_STATE_DAMAGED.
 */
export function* timelineOf(run: RunId, facts: Iterable<StoredFact>): Iterable<TimelineEntry> {
  const history = new RunHistory(run);
  for (const stored of facts) {
    const { known, events } = history.restore(stored);
    yield {
      seq: stored.seq,
      at: known.fact.at,
      kind: stored.kind,
      about: aboutOf(known),
      text: textOf(known, events),
    };
  }
}

/** Entries as lines, in UTC: time, place in the journal, kind, task, text. */
export function* timelineLines(entries: Iterable<TimelineEntry>): Iterable<string> {
  for (const { seq, at, kind, about, text } of entries) {
    const head = `${new Date(at).toISOString()} ${String(seq).padStart(6)}  ${kind.padEnd(kindWidth)}`;
    yield `${head}  ${[about, text].filter((part) => part !== '').join('  ')}`.trimEnd();
  }
}

const kindWidth = 24;
/** Longer texts are cut: the facts themselves have them whole. */
const textMax = 240;
const commitLetters = 12;

function aboutOf(known: KnownFact): string {
  if (known.kind === 'review') return oneLine(known.key);
  return 'taskId' in known.fact ? oneLine(known.fact.taskId) : '';
}

function textOf(known: KnownFact, events: readonly RunEvent[]): string {
  const told = events.map(({ text }) => text);
  return cut(told.length > 0 ? told.join('; ') : detailsOf(known.fact).join(', '));
}

/** Fields of a fact that are said elsewhere in its line. */
const saidElsewhere = new Set(['kind', 'at', 'taskId', 'run']);

/** What a fact says, in its own words: fields of its own and of its parts; of lists, how long they are. */
function detailsOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, field]: [string, unknown]) => {
    if (prefix === '' && saidElsewhere.has(name)) return [];
    if (Array.isArray(field)) return field.length === 0 ? [] : [`${prefix}${name}: ${field.length}`];
    if (typeof field === 'object' && field !== null) return prefix === '' ? detailsOf(field, `${name}.`) : [];
    if (field === undefined || field === null || field === '') return [];
    return [`${prefix}${name}: ${shown(field)}`];
  });
}

function shown(field: unknown): string {
  const text = oneLine(String(field));
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text) ? text.slice(0, commitLetters) : cut(text);
}

function cut(text: string): string {
  const line = oneLine(text);
  if (line.length <= textMax) return line;
  return `${Array.from(line).slice(0, textMax).join('')}…`;
}

/** Text of others: no control characters, which could move the cursor or forge lines. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
