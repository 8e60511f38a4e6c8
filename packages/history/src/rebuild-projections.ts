import { AppError, isAppError } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { TableFile, type JournalReader, type TableRow } from '@switchyard/store';
import { put } from './projection-chore.ts';
import { projectionOf } from './projection-rows.ts';
import { projectionTables, type ProjectionName } from './projection-tables.ts';
import { recover } from './recover.ts';
import type { RunHistory } from './run-history.ts';

/** What a rebuild wrote, and why the file before could not be gone on with. */
export interface Rebuilt {
  readonly runs: number;
  readonly facts: number;
  readonly rows: number;
  readonly reason?: string;
}

type Histories = ReadonlyMap<string, RunHistory>;

/**
 * Makes all tables again from the facts of the journal alone, in one transaction. An orchestrator may run: what it writes
 * waits meanwhile, and goes on from here. Throws AppError E_STATE_LOCKED, E_DISK_FULL, E_STORAGE.
 * @param open opens the journal once the file is held, so that nobody writes an older state over a newer one
 */
export function rebuildProjections(file: string, journal: string, open: () => JournalReader): Rebuilt {
  const options = { file, tables: Object.values(projectionTables), source: journal };
  const opened = TableFile.open(options);
  const tables = opened instanceof TableFile ? opened : TableFile.make(options);
  let reader: JournalReader | undefined;
  try {
    tables.begin();
    tables.clear();
    reader = open();
    if (reader.name !== journal) throw new AppError('E_STATE_LOCKED', 'the journal was replaced meanwhile');
    const { histories, seq } = recover({ journal: reader, logger: silentLogger() });
    for (const history of histories.values()) for (const rows of projectionOf(history)) put(tables, rows);
    tables.commit();
    const rows = Object.values(projectionTables).reduce((sum, table) => sum + tables.rows(table).length, 0);
    const reason = 'kind' in opened && opened.kind === 'wrong' ? { reason: opened.text } : {};
    return { runs: histories.size, facts: seq, rows, ...reason };
  } finally {
    reader?.close();
    tables.close();
  }
}

/** What a look at the tables found. */
export interface ProjectionsFound {
  readonly state: 'missing' | 'wrong' | 'behind' | 'ahead' | 'held' | 'as the journal';
  readonly text: string;
}

/** Compares the tables with what the journal says, row for row; a run that the file is behind with is only counted. */
export function compareProjections(file: string, journal: string, histories: Histories): ProjectionsFound {
  try {
    const opened = TableFile.open({ file, tables: Object.values(projectionTables), source: journal });
    if ('kind' in opened)
      return opened.kind === 'missing'
        ? { state: 'missing', text: 'none yet' }
        : { state: 'wrong', text: opened.text };
    try {
      return opened.atOnce(() => compared(opened, histories));
    } finally {
      opened.close();
    }
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (error.code === 'E_STATE_LOCKED') return { state: 'held', text: error.message };
    // What is wrong with the tables is not wrong with the journal.
    return { state: 'wrong', text: error.message };
  }
}

function compared(file: TableFile, histories: Histories): ProjectionsFound {
  const stored = Object.values(projectionTables).map(
    (table) => [table.name, byRun(file.rows(table))] as const,
  );
  const known = stored.find(([name]) => name === 'runs')?.[1] ?? new Map<string, TableRow[]>();
  const factsAt = projectionTables.runs.columns.findIndex(({ name }) => name === 'facts');
  let [facts, behind] = [0, 0];
  for (const run of known.keys())
    if (!histories.has(run)) return { state: 'wrong', text: `the journal has no run ${run}` };
  for (const [run, history] of histories) {
    const has = Number(known.get(run)?.[0]?.[factsAt] ?? 0);
    facts += has;
    behind += history.facts - has;
    if (has !== history.facts) continue;
    const rows = rowsOf(history);
    for (const [name, mine] of stored)
      if (JSON.stringify(mine.get(run) ?? []) !== JSON.stringify(rows[name]))
        return { state: 'wrong', text: `the rows of ${run} in ${name} are not what the journal says` };
  }
  if (behind === 0) return { state: 'as the journal', text: `as the journal says after ${facts} facts` };
  if (behind < 0) return { state: 'ahead', text: `${-behind} facts further than the journal` };
  return { state: 'behind', text: `${behind} of ${facts + behind} facts are not in them` };
}

/** All rows of a run by table, in the order of their keys. */
function rowsOf(history: RunHistory): Record<ProjectionName, TableRow[]> {
  const all = Object.fromEntries(
    Object.keys(projectionTables).map((name) => [name, [] as TableRow[]]),
  ) as Record<ProjectionName, TableRow[]>;
  for (const rows of projectionOf(history))
    for (const name of Object.keys(rows) as ProjectionName[]) all[name].push(...(rows[name] ?? []));
  for (const name of Object.keys(all) as ProjectionName[]) {
    const { key } = projectionTables[name];
    all[name].sort((a, b) => compareKeys(a.slice(0, key), b.slice(0, key)));
  }
  return all;
}

/** As SQLite orders them: numbers by size, texts by their bytes. */
function compareKeys(a: TableRow, b: TableRow): number {
  for (const [at, cell] of a.entries()) {
    const other = b[at] ?? null;
    const order =
      typeof cell === 'number' && typeof other === 'number'
        ? cell - other
        : Buffer.compare(Buffer.from(String(cell)), Buffer.from(String(other)));
    if (order !== 0) return order;
  }
  return 0;
}

function byRun(rows: readonly TableRow[]): Map<string, TableRow[]> {
  const runs = new Map<string, TableRow[]>();
  for (const row of rows) {
    const run = String(row[0]);
    const known = runs.get(run);
    if (known === undefined) runs.set(run, [row]);
    else known.push(row);
  }
  return runs;
}
