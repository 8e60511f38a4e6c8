import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { changedLineRanges, type AnalysisFile } from '@switchyard/analyzers';
import { labelledPairs, type LabelledPair } from './labelled-pairs.ts';

/** One half of a pair as a tree of its own, and the change that brings it. */
export interface Side {
  readonly pair: LabelledPair;
  readonly isFlawed: boolean;
  readonly root: string;
  /** The changed file. */
  readonly place: string;
  readonly file: AnalysisFile;
  readonly before: string | undefined;
}

/** Writes both halves of every pair below a folder. */
export function writeSides(folder: string): Side[] {
  return labelledPairs().flatMap((pair) => [side(folder, pair, true), side(folder, pair, false)]);
}

function side(folder: string, pair: LabelledPair, isFlawed: boolean): Side {
  const root = join(folder, pair.specialization, pair.id, isFlawed ? 'a' : 'b');
  const text = isFlawed ? pair.flawed : pair.good;
  const place = join(root, pair.path);
  for (const [path, content] of [...Object.entries(pair.with), [pair.path, text] as const]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const { before } = pair;
  const lines = before === undefined ? ([[1, 1_000_000]] as const) : changedLineRanges(before, text);
  const change = before === undefined ? 'added' : 'modified';
  return { pair, isFlawed, root, place, before, file: { path: pair.path, change, lines, binary: false } };
}
