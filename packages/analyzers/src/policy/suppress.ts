import type { Finding } from '@switchyard/protocol';
import { fitsGlob } from './path-glob.ts';
import type { Suppression } from './review-policy.ts';

/** A finding that somebody decided to live with, for a time. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly suppression: Suppression;
}

/** Parts findings from those that a suppression covers. Findings about the policy itself cannot be suppressed. */
export function suppress(
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
  fingerprints: ReadonlyMap<Finding, string>,
): { readonly kept: Finding[]; readonly suppressed: SuppressedFinding[] } {
  const kept: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const finding of findings) {
    const suppression = suppressions.find((one) => covers(one, finding, fingerprints.get(finding)));
    if (suppression === undefined) kept.push(finding);
    else suppressed.push({ finding, suppression });
  }
  return { kept, suppressed };
}

function covers(one: Suppression, finding: Finding, fingerprint: string | undefined): boolean {
  const rule = finding.rule ?? '';
  if (rule.startsWith('policy/')) return false;
  const isRule = one.rule.endsWith('*') ? rule.startsWith(one.rule.slice(0, -1)) : rule === one.rule;
  if (!isRule) return false;
  if (one.fingerprint !== undefined) return one.fingerprint === fingerprint;
  return one.path === undefined || (finding.file !== undefined && fitsGlob(finding.file, [one.path]));
}
