import { isBlocking, severities, type Finding } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import { placeInChange } from './change-filter.ts';
import { commandEngine } from './command-engine.ts';
import type { AnalysisRequest, Engine } from './engine.ts';
import { fingerprintsOf } from './fingerprint.ts';
import { categoryOf } from './left-out.ts';
import { lintEngineName } from './lint/security-rules.ts';
import { languageOf } from './path-kind.ts';
import { readPolicy } from './policy/review-policy.ts';
import { suppress, type SuppressedFinding } from './policy/suppress.ts';
import { unseenCode } from './unseen-code.ts';

/** What the engines make of one change. */
export interface Analysis {
  /** Most severe first, then by file and line. */
  readonly findings: Finding[];
  /** Files that were there to look at: not deleted, not binary. */
  readonly filesAnalyzed: number;
  /** What was checked and found in order. */
  readonly strengths: string[];
}

/** An analysis with what only this machine needs to know of it. */
export interface Review extends Analysis {
  /** What somebody decided to live with, with reason and end. */
  readonly suppressed: readonly SuppressedFinding[];
  /** A name for each finding, suppressed ones too, that outlives moves in its file. */
  readonly fingerprints: ReadonlyMap<Finding, string>;
}

/**
 * Runs the engines of some specializations over a change and keeps what the change itself brought, unless `all` is
 * asked for, and nobody has suppressed. Throws AppError where an engine broke, and the signal's reason where it was
 * aborted.
 */
export async function analyze(engines: readonly Engine[], request: AnalysisRequest): Promise<Review> {
  const { files, present, leftOut } = withinLimit(request);
  const lines = new Map(present.map((file) => [file.path, file.lines]));
  const policy = await readPolicy(request);
  const narrowed = { ...request, files, deep: request.deep ?? policy.deep };
  const strengths: string[] = [];
  const keep = (placed: Awaited<ReturnType<Engine['analyze']>>): Finding[] =>
    placed.flatMap((one) => placeInChange(one, request.all === true ? undefined : lines) ?? []);
  // Binary files are no engine's, but code may only look like one.
  const binary = request.files
    .filter((file) => file.binary)
    .slice(0, request.filesMax ?? analyzerLimits.files);
  const unseen = await unseenCode({ ...narrowed, files: [...files, ...binary] });
  const found = new HeldFindings(keep(unseen));
  // What turned out to be unseen code is not nothing: the finding about it is what there is to say.
  const filesAnalyzed = new Set([...present.map(({ path }) => path), ...unseen.map(({ file }) => file)]).size;
  for (const engine of [...engines, ...policy.tools.map((tool) => commandEngine(tool, request))]) {
    const wanted = request.specializations.filter((one) => engine.specializations.includes(one));
    if (wanted.length === 0) continue;
    request.signal.throwIfAborted();
    request.onEngine?.(engine.name);
    const mine = keep(await engine.analyze(narrowed));
    found.add(mine);
    for (const one of wanted) {
      const isClean = !mine.some(({ category, severity }) => category === one && severity !== 'info');
      const praise = isClean ? engine.praise(narrowed, one) : undefined;
      if (praise !== undefined) strengths.push(praise);
    }
  }
  found.add(keep([...policy.problems]));
  const all = sorted(withoutDoubles(found.held));
  const fingerprints = await fingerprintsOf(request.root, all);
  const { kept, suppressed } = suppress(all, policy.suppressions, fingerprints);
  return {
    findings: capped(kept, request, { leftOut, dropped: found.dropped }),
    filesAnalyzed,
    strengths: strengths.concat(coverage(kept, filesAnalyzed)),
    suppressed,
    fingerprints,
  };
}

/** Findings of one engine after the other, of which so many are held. */
class HeldFindings {
  held: Finding[];
  dropped = 0;

  constructor(held: Finding[]) {
    this.held = held;
  }

  add(more: readonly Finding[]): void {
    const all = this.held.concat(more);
    const isOver = all.length > analyzerLimits.findingsHeld;
    this.held = isOver ? sorted(all).slice(0, analyzerLimits.findingsHeld) : all;
    this.dropped += all.length - this.held.length;
  }
}

/** Files that are there, up to the limit, and those that the change took away. */
function withinLimit({ files, filesMax = analyzerLimits.files }: AnalysisRequest): {
  files: AnalysisRequest['files'];
  present: AnalysisRequest['files'];
  leftOut: AnalysisRequest['files'];
} {
  const there = files.filter((file) => file.change !== 'deleted' && !file.binary);
  const gone = files.filter((file) => file.change === 'deleted' && !file.binary);
  const present = there.slice(0, filesMax);
  return {
    files: [...present, ...gone.slice(0, filesMax)],
    present,
    leftOut: there.slice(filesMax),
  };
}

function coverage(found: readonly Finding[], files: number): string[] {
  if (files === 0 || found.some(isBlocking)) return [];
  return [`nothing critical or major in ${files === 1 ? '1 changed file' : `${files} changed files`}`];
}

/** Two engines that say the same of one line say it once; the more severe word stays, else the first. */
function withoutDoubles(found: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const one of found) {
    const key = JSON.stringify([one.file, one.line, sameThing(one)]);
    const before = seen.get(key);
    if (before === undefined || rankOf(one) < rankOf(before)) seen.set(key, one);
  }
  return withoutSaidBySharper([...seen.values()]);
}

/** What the linter says of a line is left out where one of our own rules names the same weakness there. */
function withoutSaidBySharper(found: readonly Finding[]): Finding[] {
  const isOfLinter = (one: Finding): boolean => one.rule?.startsWith(`${lintEngineName}/`) === true;
  const keys = ({ file, line, references }: Finding): string[] =>
    references
      .filter((one) => one.startsWith('CWE-'))
      .map((weakness) => JSON.stringify([file, line, weakness]));
  const said = new Set(found.filter((one) => !isOfLinter(one)).flatMap(keys));
  return found.filter((one) => !isOfLinter(one) || !keys(one).some((key) => said.has(key)));
}

const synonyms: Readonly<Record<string, string>> = {
  'secretlint/privatekey': 'text/private-key',
  'oxlint/oxc(no-accumulating-spread)': 'ast-grep/spread-in-reduce',
  'oxlint/eslint(complexity)': 'change/complexity-grown',
  'change/test-skipped': 'ast-grep/skipped-test',
  'change/test-focused': 'ast-grep/focused-test',
};

function sameThing(one: Finding): string {
  const rule = one.rule ?? '';
  return synonyms[rule] ?? (named.has(rule) ? rule : `${rule} ${one.column ?? ''} ${one.description}`);
}
const named = new Set(Object.values(synonyms));

function rankOf({ severity }: Finding): number {
  return severities.indexOf(severity);
}

function sorted(found: readonly Finding[]): Finding[] {
  return [...found].sort(
    (a, b) =>
      rankOf(a) - rankOf(b) ||
      (a.file ?? '').localeCompare(b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

/** What a review carries: of one rule in one file a part, and so many in all; the rest is counted. */
function capped(
  all: Finding[],
  request: AnalysisRequest,
  { leftOut, dropped }: { readonly leftOut: AnalysisRequest['files']; readonly dropped: number },
): Finding[] {
  const category = categoryOf(request.specializations);
  const notes: Finding[] = [];
  if (leftOut.length > 0) {
    const filesMax = request.filesMax ?? analyzerLimits.files;
    const description = `${leftOut.length} files were not looked at: a review takes at most ${filesMax}.`;
    const hidesCode = request.all !== true && leftOut.some(({ path }) => languageOf(path) !== undefined);
    notes.push({
      ...limitNote({ category, description }),
      ...(category === 'security' && hidesCode && { severity: 'major' as const }),
    });
  }
  const found = cappedByRule(all);
  const room = (request.findingsMax ?? analyzerLimits.findings) - notes.length;
  const more = Math.max(0, found.length - room) + dropped;
  if (more > 0) {
    const description = `${more} findings are not shown: a review carries at most ${room}.`;
    notes.push(limitNote({ category, description }));
  }
  return [...found.slice(0, room), ...notes];
}

/** What is left out of a file is said of it. */
function cappedByRule(all: readonly Finding[]): Finding[] {
  const counts = new Map<string, { readonly first: Finding; count: number }>();
  const found = all.filter((one) => {
    if (one.rule === undefined || one.file === undefined) return true;
    const key = JSON.stringify([one.rule, one.file]);
    const known = counts.get(key) ?? { first: one, count: 0 };
    counts.set(key, { ...known, count: known.count + 1 });
    return known.count < analyzerLimits.findingsPerRuleAndFile;
  });
  const notes = [...counts.values()].flatMap(({ first, count }) => {
    const more = count - analyzerLimits.findingsPerRuleAndFile;
    if (more <= 0) return [];
    const { category, file = '', rule = '' } = first;
    const description = `${more} more ${more === 1 ? 'finding' : 'findings'} of ${rule} in this file ${more === 1 ? 'is' : 'are'} not shown.`;
    return [{ ...limitNote({ category, description }), file }];
  });
  return [...found, ...notes];
}

function limitNote(about: Pick<Finding, 'category' | 'description'>): Finding {
  const suggestion = 'Split the change.';
  return { severity: 'info', ...about, suggestion, references: [], rule: 'analyzers/limit' };
}
