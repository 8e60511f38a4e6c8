import { isBlocking, severities, type Finding } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import { placeInChange } from './change-filter.ts';
import type { AnalysisRequest, Engine } from './engine.ts';

/** What the engines make of one change. */
export interface Analysis {
  /** Most severe first, then by file and line. */
  readonly findings: Finding[];
  /** Files that were there to look at: not deleted, not binary. */
  readonly filesAnalyzed: number;
  /** What was checked and found in order. */
  readonly strengths: string[];
}

/**
 * Runs the engines of a specialization over a change and keeps what the change itself brought, unless `all` is
 * asked for. Throws AppError where an engine broke, and the signal's reason where it was aborted.
 */
export async function analyze(engines: readonly Engine[], request: AnalysisRequest): Promise<Analysis> {
  const present = request.files.filter((file) => file.change !== 'deleted' && !file.binary);
  const files = present.slice(0, analyzerLimits.files);
  const narrowed = { ...request, files };
  const lines = new Map(files.map((file) => [file.path, file.lines]));
  const found: Finding[] = [];
  const strengths: string[] = [];
  for (const engine of engines) {
    if (!engine.specializations.includes(request.specialization)) continue;
    request.signal.throwIfAborted();
    const placed = await engine.analyze(narrowed);
    const mine = placed.flatMap((one) => placeInChange(one, request.all === true ? undefined : lines) ?? []);
    found.push(...mine);
    const praise = mine.some((one) => one.severity !== 'info') ? undefined : engine.praise(narrowed);
    if (praise !== undefined) strengths.push(praise);
  }
  return {
    findings: capped(sorted(withoutDoubles(found)), request, present.length - files.length),
    filesAnalyzed: files.length,
    strengths: strengths.concat(coverage(found, files.length)),
  };
}

function coverage(found: readonly Finding[], files: number): string[] {
  if (files === 0 || found.some(isBlocking)) return [];
  return [`nothing critical or major in ${files === 1 ? '1 changed file' : `${files} changed files`}`];
}

/** Two engines that say the same of one line say it once; the first engine keeps the word. */
function withoutDoubles(found: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const one of found) {
    const key = JSON.stringify([one.file, one.line, sameThing(one)]);
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}

const synonyms: Readonly<Record<string, string>> = {
  'secretlint/privatekey': 'text/private-key',
  'oxlint/oxc(no-accumulating-spread)': 'ast-grep/spread-in-reduce',
};

function sameThing(one: Finding): string {
  return synonyms[one.rule ?? ''] ?? `${one.rule ?? ''} ${one.column ?? ''} ${one.description}`;
}

function sorted(found: readonly Finding[]): Finding[] {
  const rank = (one: Finding): number => severities.indexOf(one.severity);
  return [...found].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.file ?? '').localeCompare(b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

function capped(found: Finding[], request: AnalysisRequest, filesLeftOut: number): Finding[] {
  const note = (description: string): Finding => ({
    severity: 'info',
    category: request.specialization,
    description,
    suggestion: 'Split the change.',
    references: [],
    rule: 'analyzers/limit',
  });
  const notes: Finding[] = [];
  if (filesLeftOut > 0)
    notes.push(
      note(`${filesLeftOut} files were not looked at: a review takes at most ${analyzerLimits.files}.`),
    );
  const room = analyzerLimits.findings - notes.length;
  if (found.length > room)
    notes.push(note(`${found.length - room} findings are not shown: a review carries at most ${room}.`));
  return [...found.slice(0, room), ...notes];
}
