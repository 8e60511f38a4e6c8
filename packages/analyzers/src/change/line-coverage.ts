import { stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { z } from 'zod';
import type { AnalysisFile, PlacedFinding } from '../engine.ts';
import type { ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';

/** Of the changed lines that can run, so many in a hundred shall have been run by a test. */
const shareWanted = 80;
const reportNames = ['coverage/lcov.info', 'lcov.info', 'coverage/coverage-final.json'];

/** Line → how often it ran. */
type LineHits = Map<number, number>;

/** Changed lines that no test ran, by a coverage report that lies in the tree. */
export const lineCoverage: ChangeCheck = {
  specializations: ['testing'],
  async find(view) {
    const reports = await findReports(view);
    if (reports.length === 0) return [];
    const hits = new Map<string, LineHits>();
    for (const report of reports) await readReport(view, report, hits);
    const found: PlacedFinding[] = [];
    for (const file of view.present) {
      const mine = hits.get(file.path);
      if (mine === undefined) continue;
      const isStale = await isNewer(view, file.path, reports);
      found.push(...(isStale ? [staleReport(file.path)] : uncovered(file, mine, view.request.all === true)));
    }
    return found;
  },
};

/** Reports at the root and in its packages; built folders are no part of the listed tree. */
async function findReports(view: ChangeView): Promise<string[]> {
  const folders = new Set(['.']);
  for (const { path } of view.request.files)
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder))
      folders.add(folder);
  const found: string[] = [];
  for (const folder of folders)
    for (const name of reportNames) {
      const path = posix.join(folder, name);
      if ((await modifiedAt(view, path)) !== undefined) found.push(path);
    }
  return found;
}

async function modifiedAt(view: ChangeView, path: string): Promise<number | undefined> {
  try {
    return (await stat(join(view.request.root, path))).mtimeMs;
  } catch {
    // Not there: most trees have no report, or only one of them.
    return undefined;
  }
}

async function isNewer(view: ChangeView, path: string, reports: readonly string[]): Promise<boolean> {
  const written = await modifiedAt(view, path);
  const reported = await Promise.all(reports.map((report) => modifiedAt(view, report)));
  return written !== undefined && reported.every((at) => at !== undefined && at + 1_000 < written);
}

async function readReport(view: ChangeView, report: string, hits: Map<string, LineHits>): Promise<void> {
  const text = (await view.after(report)) ?? '';
  const folder = posix.dirname(report).replace(/(^|\/)coverage$/, '');
  const place = (name: string): string => {
    const inside = name.startsWith(`${view.request.root}/`)
      ? name.slice(view.request.root.length + 1)
      : undefined;
    return inside ?? posix.join(folder, name);
  };
  const add = (name: string, line: number, count: number): void => {
    const lines = hits.get(place(name)) ?? new Map<number, number>();
    lines.set(line, (lines.get(line) ?? 0) + count);
    hits.set(place(name), lines);
  };
  if (report.endsWith('.json')) readIstanbul(text, add);
  else readLcov(text, add);
}

type Add = (name: string, line: number, count: number) => void;

function readLcov(text: string, add: Add): void {
  let name = '';
  for (const row of text.split(/\r?\n/)) {
    if (row.startsWith('SF:')) name = row.slice(3).replaceAll('\\', '/');
    const [, line, count] = /^DA:(\d+),(\d+)/.exec(row) ?? [];
    if (line !== undefined && count !== undefined) add(name, Number(line), Number(count));
  }
}

const istanbul = z.record(
  z.string(),
  z.object({
    statementMap: z.record(z.string(), z.object({ start: z.object({ line: z.number() }) })),
    s: z.record(z.string(), z.number()),
  }),
);

function readIstanbul(text: string, add: Add): void {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Half written: as if there were no report.
    return;
  }
  const parsed = istanbul.safeParse(json);
  if (!parsed.success) return;
  for (const [name, { statementMap, s }] of Object.entries(parsed.data))
    for (const [id, { start }] of Object.entries(statementMap)) add(name, start.line, s[id] ?? 0);
}

function uncovered(file: AnalysisFile, hits: LineHits, isAll: boolean): PlacedFinding[] {
  const isChanged = (line: number): boolean =>
    isAll || file.lines.some(([from, to]) => from <= line && line <= to);
  const lines = [...hits.keys()].filter(isChanged).sort((a, b) => a - b);
  const missed = lines.filter((line) => hits.get(line) === 0);
  const [first] = missed;
  if (first === undefined) return [];
  const share = Math.floor(((lines.length - missed.length) / lines.length) * 100);
  const which =
    missed.length === 1
      ? `line ${first} was not run by any test`
      : `lines ${rangesText(missed)} were not run by any test`;
  return [
    {
      severity: share < shareWanted ? 'minor' : 'info',
      category: 'testing',
      file: file.path,
      line: first,
      description:
        `Tests run ${share} % of the changed lines of this file, ${shareWanted} % are wanted: ${which}.`.slice(
          0,
          4000,
        ),
      suggestion: 'Add a test that gets there.',
      references: [],
      rule: 'change/line-not-covered',
    },
  ];
}

/** `3–5, 9`. */
function rangesText(lines: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}

function staleReport(path: string): PlacedFinding {
  return {
    severity: 'info',
    category: 'testing',
    file: path,
    description: 'The coverage report is older than this file, so its lines say nothing.',
    suggestion: 'Run the tests with coverage and review again.',
    references: [],
    rule: 'change/coverage-stale',
  };
}
