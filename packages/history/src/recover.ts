import { isAppError, messageOf, type RunEvent, type RunId } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { Journal, SnapshotHead, SnapshotReader } from '@switchyard/store';
import type { LoadEvents } from './event-log.ts';
import { RunHistory } from './run-history.ts';
import { historyOf, snapshotShape } from './snapshot.ts';

/** Where histories come from. */
export interface RecoverOptions {
  readonly journal: Pick<Journal, 'read'>;
  /** Absent: the facts are all there is. */
  readonly shelf?: SnapshotReader | undefined;
  readonly logger: Logger;
}

/** What was recovered, and from what. */
export interface Recovered {
  readonly histories: Map<string, RunHistory>;
  /** The snapshots that were read. */
  readonly heads: readonly SnapshotHead[];
  /** Facts that were folded. */
  readonly folded: number;
  /** Of runs with facts that are in no snapshot: the first of them. */
  readonly firstFolded: ReadonlyMap<string, number>;
  /** The last fact of the journal. */
  readonly seq: number;
}

/**
 * Folds the journal, from snapshots as far as they go. A snapshot of another shape, one that is damaged or one that is
 * missing is named in the log, and an older one or the facts are read in its place: nothing is lost. Throws AppError
 * E_STATE_NEWER and E_STATE_DAMAGED where the facts themselves cannot be read.
 */
export function recover(options: RecoverOptions): Recovered {
  const started = performance.now();
  const recovered = fromSnapshots(options) ?? fold(options, { histories: new Map(), heads: [], floor: 0 });
  const { histories, heads, folded, seq } = recovered;
  const ms = Math.round(performance.now() - started);
  options.logger.info(
    { runs: histories.size, snapshots: heads.length, folded, seq, ms },
    'journal recovered',
  );
  return recovered;
}

interface Start {
  readonly histories: Map<string, RunHistory>;
  readonly heads: readonly SnapshotHead[];
  /** Every fact up to here is in the histories. */
  readonly floor: number;
}

/** Undefined: the snapshots do not make the whole. */
function fromSnapshots(options: RecoverOptions): Recovered | undefined {
  const { shelf, logger } = options;
  if (shelf === undefined) return undefined;
  const start = readSnapshots(options, shelf);
  if (start.heads.length === 0) return undefined;
  const recovered = foldOnto(options, start);
  if (recovered === undefined) return undefined;
  let facts = 0;
  for (const history of recovered.histories.values()) facts += history.facts;
  if (facts === recovered.seq) return recovered;
  logger.warn(
    { facts, seq: recovered.seq },
    'a snapshot is missing or too much: the facts are folded from the first one',
  );
  return undefined;
}

/** Undefined: the facts do not fit the snapshots; whether they fit each other is found out by folding them alone. */
function foldOnto(options: RecoverOptions, start: Start): Recovered | undefined {
  try {
    return fold(options, start);
  } catch (error) {
    if (!isAppError(error) || error.code !== 'E_STATE_DAMAGED') throw error;
    options.logger.warn(
      { reason: error.message },
      'the facts do not fit a snapshot: they are folded from the first one',
    );
    return undefined;
  }
}

function readSnapshots(options: RecoverOptions, shelf: SnapshotReader): Start {
  const histories = new Map<string, RunHistory>();
  const heads: SnapshotHead[] = [];
  let floor = 0;
  let limit = Infinity;
  for (const [stream, newestFirst] of byStream(headsOf(options, shelf))) {
    const found = readOne(options, shelf, newestFirst);
    if (found !== undefined) {
      histories.set(stream, found.history);
      heads.push(found.head);
      floor = Math.max(floor, found.head.floor);
    }
    if (found?.head !== newestFirst[0]) limit = Math.min(limit, found?.head.seq ?? 0);
  }
  return { histories, heads, floor: Math.min(floor, limit) };
}

function headsOf({ logger }: RecoverOptions, shelf: SnapshotReader): readonly SnapshotHead[] {
  try {
    return shelf.heads();
  } catch (error) {
    logger.warn({ err: error }, 'the snapshots cannot be listed: the facts are folded from the first one');
    return [];
  }
}

/** The newest snapshot of a stream that can be used. */
function readOne(
  options: RecoverOptions,
  shelf: SnapshotReader,
  newestFirst: readonly SnapshotHead[],
): { readonly head: SnapshotHead; readonly history: RunHistory } | undefined {
  for (const head of newestFirst) {
    try {
      if (head.shape !== snapshotShape) throw new Error(`it is of another shape (${head.shape})`);
      if (head.seq > shelf.lastSeq()) throw new Error('the journal ends before it');
      const load = eventsFrom({ ...options, shelf }, head.stream);
      return { head, history: historyOf(head, shelf.read(head), load) };
    } catch (error) {
      const fields = { run: head.stream, seq: head.seq, reason: messageOf(error) };
      options.logger.warn(fields, 'a snapshot cannot be used: an older one or the facts are read');
    }
  }
  return undefined;
}

function fold({ journal }: RecoverOptions, { histories, heads, floor }: Start): Recovered {
  let folded = 0;
  let seq = floor;
  const firstFolded = new Map<string, number>();
  for (const stored of journal.read({ after: floor })) {
    seq = stored.seq;
    const history = histories.get(stored.stream) ?? new RunHistory(stored.stream as RunId);
    histories.set(stored.stream, history);
    if (stored.seq <= history.seq) continue;
    history.restore(stored);
    folded += 1;
    if (!firstFolded.has(stored.stream)) firstFolded.set(stored.stream, stored.seq);
  }
  return { histories, heads, folded, firstFolded, seq };
}

/** Reads events from the shelf; where they are gone or damaged, from the facts. */
function eventsFrom({ journal, shelf, logger }: RecoverOptions, run: string): LoadEvents {
  return (count) => {
    try {
      return (shelf?.events(run, count) ?? []) as RunEvent[];
    } catch (error) {
      if (!isAppError(error)) throw error;
      logger.warn({ run, reason: error.message }, 'events are made from the facts again');
      const history = new RunHistory(run as RunId);
      for (const stored of journal.read({ stream: run })) history.restore(stored);
      return history.events.from(0).slice(0, count);
    }
  };
}

function byStream(heads: readonly SnapshotHead[]): Map<string, SnapshotHead[]> {
  const streams = new Map<string, SnapshotHead[]>();
  for (const head of heads) {
    const known = streams.get(head.stream);
    if (known === undefined) streams.set(head.stream, [head]);
    else known.push(head);
  }
  return streams;
}
