import type { Finding } from './finding.ts';

/** Lines of a file around one of them, 1-based, both ends included; the file may end before. */
export interface SourceRange {
  readonly file: string;
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

/** Lines shown before and after the one that a finding speaks of. */
const context = 2;
/** Longer lines are cut. */
const lineCharsMax = 200;
const secretRule = /^(secretlint\/|text\/private-key$)/;
const secretWord = /secret|password|token|credential|private.?key|api.?key/i;

/**
 * The source lines that a report shows around each finding, in their order: none where a finding has no line, and none
 * where a secret may stand in one of them, of which any finding speaks. A report shall not spread what it found.
 */
export function rangesToShow(findings: readonly Finding[]): (SourceRange | undefined)[] {
  const secrets = new Map<string, Set<number>>();
  for (const one of findings) {
    if (one.file === undefined || one.line === undefined || !speaksOfSecret(one)) continue;
    const lines = secrets.get(one.file) ?? new Set();
    secrets.set(one.file, lines.add(one.line));
  }
  return findings.map(({ file, line }) => {
    if (file === undefined || line === undefined) return undefined;
    const range = { file, line, from: Math.max(1, line - context), to: line + context };
    const lines = Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
    return lines.some((number) => secrets.get(file)?.has(number)) ? undefined : range;
  });
}

/** The lines of a text; what stands behind the last line break is none where it is empty. */
export function splitLines(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** The lines of a range among those of its file; undefined where they end before the line that is meant. */
export function linesIn(lines: readonly string[], { line, from, to }: SourceRange): string[] | undefined {
  if (line > lines.length) return undefined;
  return lines.slice(from - 1, to).map((each) => each.slice(0, lineCharsMax));
}

/** A finding without a rule is somebody's own words. */
function speaksOfSecret({ rule, description }: Finding): boolean {
  return rule === undefined ? secretWord.test(description) : secretRule.test(rule) || secretWord.test(rule);
}
