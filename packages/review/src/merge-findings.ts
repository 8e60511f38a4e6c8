import { limits, severities, type Finding } from '@switchyard/protocol';

/**
 * The findings of several reviewers as one list: what is said twice of one line (the same rule, or the same words) is
 * kept once, as its most severe; most severe first, then by file and line.
 */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  const merged: Finding[] = [];
  for (const found of findings.toSorted(bySeverityAndPlace)) {
    const keys = keysOf(found);
    if (keys.some((key) => seen.has(key))) continue;
    for (const key of keys) seen.add(key);
    merged.push(found);
  }
  return merged.slice(0, limits.findingsPerReview);
}

function keysOf({ file, line, rule, description }: Finding): string[] {
  const words = JSON.stringify([file, line, 'words', description.trim().toLowerCase()]);
  return rule === undefined ? [words] : [words, JSON.stringify([file, line, 'rule', rule])];
}

function bySeverityAndPlace(a: Finding, b: Finding): number {
  const severity = severities.indexOf(a.severity) - severities.indexOf(b.severity);
  if (severity !== 0) return severity;
  if (a.file !== b.file) return (a.file ?? '') < (b.file ?? '') ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}
