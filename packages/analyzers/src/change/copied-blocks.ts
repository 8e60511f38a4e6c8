import { createHash } from 'node:crypto';
import type { AnalysisFile, PlacedFinding } from '../engine.ts';
import { isOfKind, languageOf } from '../path-kind.ts';
import type { ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';

/** So many lines that say something, with so many characters in all, are a block; fewer are alike by chance. */
const blockLines = 8;
const blockCharacters = 240;
const placesMax = 8;
/** Of the tree; what comes after is not compared. */
const charactersMax = 8 * 1024 * 1024;
const findingsPerFile = 20;

/** A line that says something, without its indentation. */
interface Row {
  readonly text: string;
  /** 1-based. */
  readonly line: number;
}

interface Place {
  readonly path: string;
  /** Of its first row. */
  readonly at: number;
}

/** What the tree says, by block. */
interface Sources {
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  readonly places: ReadonlyMap<string, readonly Place[]>;
}

/** Blocks of the change that stand word for word somewhere else in the tree, or further up in the same file. */
export const copiedBlocks: ChangeCheck = {
  specializations: ['code-quality'],
  async find(view) {
    const changed = view.present.filter(({ path }) => isSource(path));
    if (changed.length === 0) return [];
    const sources = await readSources(view, changed);
    return changed.flatMap((file) => copiesIn(file, changed, sources).slice(0, findingsPerFile));
  },
};

/** Tests say the same again and again, and should. */
function isSource(path: string): boolean {
  return languageOf(path) !== undefined && !isOfKind(path, 'tests') && !/\.d\.[cm]?ts$/.test(path);
}

/** The change first, then the rest of the tree, up to a limit. */
async function readSources(view: ChangeView, changed: readonly AnalysisFile[]): Promise<Sources> {
  const rows = new Map<string, readonly Row[]>();
  const places = new Map<string, Place[]>();
  const paths = new Set([...changed.map(({ path }) => path), ...(await view.tree()).filter(isSource)]);
  let characters = 0;
  for (const path of paths) {
    const text = (await view.after(path)) ?? '';
    characters += text.length;
    if (characters > charactersMax) break;
    const mine = rowsOf(text);
    rows.set(path, mine);
    for (let at = 0; at + blockLines <= mine.length; at += 1) {
      const key = keyAt(mine, at);
      if (key === undefined) continue;
      const known = places.get(key) ?? [];
      if (known.length < placesMax) places.set(key, [...known, { path, at }]);
    }
  }
  return { rows, places };
}

/** Without what every file has: imports, comments, braces alone. */
function rowsOf(text: string): Row[] {
  return text.split('\n').flatMap((whole, index) => {
    const row = whole.trim();
    const saysNothing =
      row.length < 4 || /^(\/\/|\/?\*)|^(import|export)\b.*\bfrom\b|^import\b|^[\W_]*$/.test(row);
    return saysNothing ? [] : [{ text: row, line: index + 1 }];
  });
}

/** Names what a block says; undefined: too little to be a block. */
function keyAt(rows: readonly Row[], at: number): string | undefined {
  const block = rows.slice(at, at + blockLines).map(({ text }) => text);
  if (block.reduce((sum, text) => sum + text.length, 0) < blockCharacters) return undefined;
  return createHash('sha1').update(block.join('\n')).digest('base64');
}

function copiesIn(
  { path, lines }: AnalysisFile,
  changed: readonly AnalysisFile[],
  { rows: all, places }: Sources,
): PlacedFinding[] {
  const rows = all.get(path) ?? [];
  const found: PlacedFinding[] = [];
  for (let at = 0; at + blockLines <= rows.length; at += 1) {
    const key = keyAt(rows, at);
    const known = key === undefined ? [] : (places.get(key) ?? []);
    const original = known.find((place) => isOriginal(place, { path, at }, changed));
    if (original === undefined) continue;
    const length = lengthOf(rows, at, { rows: all.get(original.path) ?? [], at: original.at });
    const [first, last] = [rows[at]?.line ?? 1, rows[at + length - 1]?.line ?? 1];
    // Copied before the change, and not touched by it: not its doing.
    if (lines.some(([from, to]) => from <= last && to >= first))
      found.push(copied({ path, first, last }, original.path, all.get(original.path)?.[original.at]?.line));
    at += length - 1;
  }
  return found;
}

/** Of two copies in the change the later one is told; within a file, the lower. */
function isOriginal(place: Place, here: Place, changed: readonly AnalysisFile[]): boolean {
  if (place.path === here.path) return place.at + blockLines <= here.at;
  return place.path < here.path || !changed.some(({ path }) => path === place.path);
}

/** How many rows are the same from here on. */
function lengthOf(
  rows: readonly Row[],
  at: number,
  other: { readonly rows: readonly Row[]; readonly at: number },
): number {
  let length = blockLines;
  while (
    rows[at + length] !== undefined &&
    rows[at + length]?.text === other.rows[other.at + length]?.text &&
    (rows !== other.rows || other.at + length < at)
  )
    length += 1;
  return length;
}

function copied(
  here: { readonly path: string; readonly first: number; readonly last: number },
  original: string,
  line: number | undefined,
): PlacedFinding {
  const { path, first, last } = here;
  return {
    severity: 'minor',
    category: 'code-quality',
    file: path,
    line: first,
    endLine: last,
    caused: true,
    description: `Lines ${first} to ${last} say the same as ${original} from line ${line ?? 1} on.`.slice(
      0,
      4000,
    ),
    suggestion: 'Make one function of both, and give it as a parameter what differs.',
    references: [],
    rule: 'change/copied-block',
  };
}
