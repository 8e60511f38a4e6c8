import { isAppError, messageOf, type TaskId } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import { touchedBy } from '@switchyard/scheduler';
import { TableFile, type TableRow } from '@switchyard/store';
import type { Chore, Kept } from './archivist.ts';
import { eventRow, reviewRows, runRows, taskRows, type ProjectionRows } from './projection-rows.ts';
import { projectionTables, type ProjectionName } from './projection-tables.ts';
import type { Recovered } from './recover.ts';
import type { RunHistory } from './run-history.ts';

export interface ProjectionChoreOptions {
  readonly file: string;
  /** The name of the journal. */
  readonly journal: string;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Tasks, reviews and pages of events that a step writes. Default 40. */
  readonly partsAStep?: number;
}

/** A run, and what of it the file does not have. */
interface Entry {
  readonly history: RunHistory;
  /** Facts that the journal has. */
  facts: number;
  readonly tasks: Set<TaskId>;
  readonly reviews: Set<string>;
  /** Events that the file has. */
  events: number;
  /** The file may have rows of it that are to go first. */
  isStale: boolean;
}

/** More facts than these are not left waiting, however busy the loop is. */
const overdueFacts = 100_000;
const eventsAPart = 100;
/** When the file is held by somebody, or cannot be written. */
const retryMs = { held: 250, trouble: 60_000 } as const;
/** Steps at the end of the process; what is left then is caught up with at the next start. */
const lastStepsMax = 2_000;

/**
 * Keeps the tables that people query, a run at a time, each in one transaction: what is read of a run is always what it
 * was after some fact. A file that is missing, damaged, of another version or behind is named in the log and made anew.
 */
export class ProjectionChore implements Chore {
  private readonly options: ProjectionChoreOptions;
  private readonly entries = new Map<string, Entry>();
  private readonly behind = new Set<Entry>();
  private file: TableFile | undefined;
  /** The run whose rows are being written, in a transaction that is open. */
  private work: Entry | undefined;
  private waiting = 0;
  private notBefore = 0;

  constructor(options: ProjectionChoreOptions) {
    this.options = options;
  }

  adopt({ histories }: Recovered): void {
    for (const [run, history] of histories) this.entries.set(run, entryOf(history, history.facts));
    for (const entry of this.entries.values()) this.behind.add(entry);
  }

  kept({ history, facts }: Kept): void {
    const entry = this.entries.get(history.run) ?? entryOf(history, 0);
    this.entries.set(history.run, entry);
    entry.facts += facts.length;
    this.waiting += facts.length;
    this.behind.add(entry);
    for (const known of facts) {
      if (known.kind === 'review') entry.reviews.add(known.key);
      else for (const id of touchedBy(history.state, known.fact)) entry.tasks.add(id);
    }
  }

  step(isBusy: boolean): boolean {
    if (this.behind.size === 0 || this.options.clock.monotonic() < this.notBefore) return false;
    if (isBusy && this.waiting < overdueFacts) return false;
    try {
      const file = this.current();
      // Files that are gone on with may turn out to have everything.
      this.work ??= this.begin(file);
      return this.work === undefined ? false : this.writeSome(file, this.work);
    } catch (error) {
      this.failed(error);
      return true;
    }
  }

  finish(): Promise<void> {
    this.notBefore = 0;
    for (let left = lastStepsMax; left > 0 && this.notBefore === 0 && this.step(false); left -= 1);
    this.file?.close();
    this.file = undefined;
    return Promise.resolve();
  }

  /** The file at its path: somebody may have taken it away or made it anew. */
  private current(): TableFile {
    if (this.file?.isInPlace === false) {
      this.file.close();
      this.file = undefined;
      this.work = undefined;
    }
    this.file ??= this.open();
    return this.file;
  }

  private open(): TableFile {
    const { file, journal, logger } = this.options;
    const options = { file, tables: Object.values(projectionTables), source: journal };
    const opened = TableFile.open(options);
    if (opened instanceof TableFile && this.goOn(opened)) return opened;
    if (opened instanceof TableFile) opened.close();
    const text =
      'kind' in opened ? (opened.kind === 'wrong' ? opened.text : undefined) : 'it is not of this journal';
    if (text !== undefined)
      logger.warn({ file, reason: text }, 'the projections are made anew from the journal');
    const made = TableFile.make(options);
    for (const entry of this.entries.values()) this.restart(entry, false);
    return made;
  }

  /** Finds out how far the file is with each run; false: it is further than the journal. */
  private goOn(file: TableFile): boolean {
    const { runs } = projectionTables;
    const at = (row: TableRow, name: string): number =>
      Number(row[runs.columns.findIndex((column) => column.name === name)]);
    const rows = new Map(file.rows(runs).map((row) => [String(row[0]), row]));
    for (const [run, row] of rows) if (at(row, 'facts') > (this.entries.get(run)?.facts ?? 0)) return false;
    for (const [run, entry] of this.entries) {
      const row = rows.get(run);
      if (row === undefined || at(row, 'facts') !== entry.facts) this.restart(entry, row !== undefined);
      else {
        entry.tasks.clear();
        entry.reviews.clear();
        entry.events = at(row, 'events');
        this.behind.delete(entry);
      }
    }
    return true;
  }

  /** All of a run is to be written. */
  private restart(entry: Entry, isStale: boolean): void {
    for (const id of entry.history.state.tasks.keys()) entry.tasks.add(id);
    for (const key of entry.history.reviews.keys()) entry.reviews.add(key);
    entry.events = 0;
    entry.isStale = isStale;
    this.behind.add(entry);
  }

  private begin(file: TableFile): Entry | undefined {
    const [entry] = this.behind;
    if (entry === undefined) return undefined;
    file.begin();
    if (entry.isStale)
      for (const table of Object.values(projectionTables)) file.drop(table, entry.history.run);
    return entry;
  }

  private writeSome(file: TableFile, entry: Entry): boolean {
    for (let left = this.options.partsAStep ?? 40; left > 0; left -= 1) if (!writePart(file, entry)) break;
    // What the journal does not have yet may not be shown: a later step looks again.
    if (hasParts(entry) || entry.history.facts > entry.facts) return true;
    put(file, runRows(entry.history));
    file.commit();
    entry.isStale = false;
    this.work = undefined;
    this.behind.delete(entry);
    if (this.behind.size === 0) this.waiting = 0;
    return this.behind.size > 0;
  }

  /** What of a transaction was not kept is written again. */
  private failed(error: unknown): void {
    const { file, logger, clock } = this.options;
    const code = isAppError(error) ? error.code : undefined;
    if (code === undefined) throw error;
    const isHeld = code === 'E_STATE_LOCKED';
    this.notBefore = clock.monotonic() + (isHeld ? retryMs.held : retryMs.trouble);
    // A commit that readers keep waiting is tried again as it is.
    if (isHeld) return;
    logger.warn(
      { file, reason: messageOf(error) },
      'the projections cannot be written; it is tried again later',
    );
    if (this.work !== undefined) this.restart(this.work, true);
    this.work = undefined;
    this.file?.close();
    this.file = undefined;
  }
}

function entryOf(history: RunHistory, facts: number): Entry {
  return { history, facts, tasks: new Set(), reviews: new Set(), events: 0, isStale: false };
}

function hasParts({ tasks, reviews, events, history }: Entry): boolean {
  return tasks.size > 0 || reviews.size > 0 || events < history.events.length;
}

/** Writes one thing that the file does not have; false: it has all. */
function writePart(file: TableFile, entry: Entry): boolean {
  const { history, tasks, reviews } = entry;
  for (const id of tasks) {
    const task = history.state.tasks.get(id);
    if (task !== undefined) put(file, taskRows(history.run, task));
    tasks.delete(id);
    return true;
  }
  for (const key of reviews) {
    const review = history.reviews.get(key);
    if (review !== undefined) put(file, reviewRows(history.run, review));
    reviews.delete(key);
    return true;
  }
  const rows: TableRow[] = [];
  for (let at = entry.events; at < history.events.length && rows.length < eventsAPart; at += 1) {
    const event = history.events.at(at);
    if (event !== undefined) rows.push(eventRow(event));
  }
  if (rows.length === 0) return false;
  file.put(projectionTables.events, rows);
  entry.events += rows.length;
  return true;
}

/** Puts rows into the tables they are of. */
export function put(file: TableFile, rows: ProjectionRows): void {
  for (const name of Object.keys(rows) as ProjectionName[])
    file.put(projectionTables[name], rows[name] ?? []);
}
