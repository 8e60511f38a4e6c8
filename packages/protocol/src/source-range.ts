import type { Finding } from './finding.ts';

/** Lines of a file, 1-based, both ends included; the file may end before. */
export interface SourceRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Lines shown before and after the one that a finding speaks of. */
const context = 2;
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
    const range = { file, from: Math.max(1, line - context), to: line + context };
    const lines = Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
    return lines.some((number) => secrets.get(file)?.has(number)) ? undefined : range;
  });
}

/** A finding without a rule is somebody's own words. */
function speaksOfSecret({ rule, description }: Finding): boolean {
  return rule === undefined ? secretWord.test(description) : secretRule.test(rule) || secretWord.test(rule);
}
