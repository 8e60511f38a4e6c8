import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { factChecksum } from './checksum.ts';
import { batchColumns, isSoundBatch, mismatchText, type BatchRow } from './fact-batch.ts';
import { factColumns, hasBatches, type FactRow } from './fact-reader.ts';
import { readIfThere } from './file-store.ts';
import { openJournalReader, type JournalReader } from './journal-reader.ts';
import { requireNotGone } from './mark-check.ts';
import { markFileOf, readMark } from './mark.ts';
import { requireReadable, versionsOf } from './migrations.ts';
import { observedError, type Observation } from './observation.ts';
import { walEnd } from './wal-end.ts';

export interface InspectOptions {
  /** An orchestrator has it open: its write-ahead log may be in the middle of a commit. */
  readonly inUse: boolean;
  /** Looks at the journal as a whole where it can be read. */
  readonly look?: ((journal: JournalReader) => readonly Observation[]) | undefined;
}

const copyFromBackup =
  'put the file, its -wal and its .mark back from one copy made before; or move the whole state folder away to begin anew, and keep it: what runs had merged is on their branches in the repository';

/**
 * Looks at a journal and says all that is wrong with it. Nothing is changed and no file is made beside it: a journal
 * that nobody has open and whose write-ahead log is not empty is looked at in a copy.
 */
export function inspectJournal(file: string, options: InspectOptions): Observation[] {
  return observed(file, () => {
    requireNotGone(file);
    if (!existsSync(file)) return [{ name: 'journal', state: 'note', text: 'none yet' }];
    const log = options.inUse ? undefined : readIfThere(`${file}-wal`);
    if (log === undefined || log.length === 0) return inspectPlace(file, options);
    return [...inspectCopy(file, options), ...logEnd(log)];
  });
}

function inspectCopy(file: string, { look }: InspectOptions): Observation[] {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-look-'));
  try {
    for (const name of [file, `${file}-wal`, markFileOf(file)])
      if (existsSync(name)) copyFileSync(name, join(folder, basename(name)));
    const found = inspectPlace(join(folder, basename(file)), { inUse: true, look });
    return found.map((one) => ({ ...one, text: one.text.replaceAll(folder, dirname(file)) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inspectPlace(file: string, options: InspectOptions): Observation[] {
  // Without a writer and a log, nothing can change: SQLite then needs no files beside it.
  const isStill = options.inUse ? '' : '&immutable=1';
  let db: Database.Database | undefined;
  const found: Observation[] = [];
  const looked = observed(file, () => {
    const opened = new Database(`${pathToFileURL(file).href}?mode=ro${isStill}`);
    db = opened;
    opened.exec('pragma busy_timeout = 2000');
    if (!requireReadable(opened, file)) return [{ name: 'journal', state: 'note', text: 'empty' }];
    found.push(...observed(file, () => pageProblems(opened)));
    found.push(...observed(file, () => factObservations(opened, file)));
    return asWhole(file, options);
  });
  db?.close();
  return [...found, ...looked];
}

/** What goes wrong while something is looked at, is what was found. */
function observed(file: string, look: () => Observation[]): Observation[] {
  try {
    return look();
  } catch (thrown) {
    return [withMend(observedError('journal', thrown, file))];
  }
}

function withMend(observation: Observation): Observation {
  return observation.code === 'E_STATE_DAMAGED' ? { ...observation, mend: copyFromBackup } : observation;
}

const pageProblemsMax = 10;

function pageProblems(db: Database.Database): Observation[] {
  const rows = db.prepare(`pragma integrity_check(${pageProblemsMax})`).raw(true).all() as [string][];
  const problems = rows.map(([text]) => text).filter((text) => text !== 'ok');
  if (problems.length === 0) return [];
  return [damaged('pages and indexes', problems.join('\n'))];
}

/** A row as it lies there: the facts it stands for, and what is wrong with it. */
interface Row {
  readonly first: number;
  readonly last: number;
  readonly wrong?: string;
}

/** All facts against their checksums and their numbers. */
function factObservations(db: Database.Database, file: string): Observation[] {
  const wrong: string[] = [];
  let [facts, expected] = [0, 1];
  for (const row of allRows(db)) {
    const { first, last } = row;
    if (first !== expected)
      wrong.push(
        first === expected + 1
          ? `fact ${expected} is missing`
          : `facts ${expected} to ${first - 1} are missing`,
      );
    if (row.wrong !== undefined) wrong.push(row.wrong);
    expected = last + 1;
    facts += last - first + 1;
  }
  const { applied, known } = versionsOf(db);
  const age =
    applied < known ? `version ${applied}, which the next start brings to ${known}` : `version ${applied}`;
  const text = `${facts} facts, ${statSync(file).size} bytes, ${age}`;
  if (wrong.length === 0) return [{ name: 'journal', state: 'ok', text }];
  return [damaged('facts', `${text}\n${shortened(wrong).join('\n')}`)];
}

function* allRows(db: Database.Database): Iterable<Row> {
  const facts = db.prepare(`select ${factColumns} from facts where seq > ? order by seq limit 1000`);
  for (const row of pages<FactRow>(facts)) yield factRow(row);
  if (!hasBatches(db)) return;
  const batches = db.prepare(`select ${batchColumns} from batches where first > ? order by first limit 100`);
  for (const row of pages<BatchRow>(batches)) yield batchRow(row);
}

function factRow([seq, stream, at, kind, version, data, checksum]: FactRow): Row {
  const range = { first: seq, last: seq };
  if (factChecksum(seq, { stream, at, kind, version, data }) === checksum) return range;
  return { ...range, wrong: `fact ${seq} (${kind} of ${stream}) does not match its checksum` };
}

function batchRow(row: BatchRow): Row {
  const [first, last, stream] = row;
  if (isSoundBatch(row)) return { first, last };
  // Its numbers may be what is wrong: what comes next says how far it went.
  const wrong = mismatchText(row, ` (of ${stream})`);
  return { first, last: Math.max(first, last), wrong };
}

function* pages<Row extends readonly [number, ...unknown[]]>(statement: Database.Statement): Iterable<Row> {
  const page = statement.raw(true);
  for (let after = -1; ;) {
    const rows = page.all(after) as Row[];
    yield* rows;
    after = rows.at(-1)?.[0] ?? after;
    if (rows.length === 0) return;
  }
}

const shownMax = 20;

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= shownMax) return [...lines];
  return [...lines.slice(0, shownMax), `and ${lines.length - shownMax} more`];
}

function damaged(name: string, text: string): Observation {
  return { name, state: 'wrong', code: 'E_STATE_DAMAGED', text, mend: copyFromBackup };
}

/** Its end as it was acknowledged, and what else the caller wants to know. */
function asWhole(file: string, { inUse, look }: InspectOptions): Observation[] {
  const reader = openJournalReader(file, { isStill: !inUse });
  if (reader === undefined) return [];
  try {
    return [...markObservation(file), ...(look?.(reader) ?? [])];
  } finally {
    reader.close();
  }
}

/** A mark that says less than it should has been judged when the reader opened. */
function markObservation(file: string): Observation[] {
  if (readMark(markFileOf(file)).kind === 'mark') return [];
  const text = `${markFileOf(file)} is missing or cannot be read: whether the end of the journal is complete cannot be told`;
  return [{ name: 'mark', state: 'note', text, mend: 'nothing to do: the next start makes it anew' }];
}

/** What of a write-ahead log that nobody has open is of no whole commit. */
function logEnd(log: Buffer): Observation[] {
  const { commits, tornBytes } = walEnd(log);
  const waiting: Observation = {
    name: 'journal log',
    state: 'note',
    text: `${commits} commits wait in the write-ahead log: the last orchestrator was killed`,
    mend: 'nothing to do: the next start takes them over',
  };
  if (tornBytes === 0) return [waiting];
  const text = `the write-ahead log ends in ${tornBytes} bytes of a commit that is not whole (${commits} before it are)`;
  const mend =
    'nothing to do, if nothing above is wrong: nobody was told of that commit, and the next start drops it';
  return [{ ...waiting, text, mend }];
}
