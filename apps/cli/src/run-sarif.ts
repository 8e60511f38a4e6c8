import { writeSarif, type SarifLog } from '@switchyard/analyzers';
import { severities, type Finding, type RunReport } from '@switchyard/protocol';
import { programVersion } from '@switchyard/runtime';

/**
 * What the reviews of a run found that stands, as a SARIF 2.1.0 log: of each task by its last attempt, since earlier ones
 * were sent back for what they had; what several reviewers say of one place, once.
 */
export function runSarif({ tasks }: Pick<RunReport, 'tasks'>, root: string): SarifLog {
  const known = new Map<string, Finding>();
  for (const { attempts } of tasks) {
    const reviews = attempts.findLast((attempt) => attempt.reviews.length > 0)?.reviews ?? [];
    for (const finding of reviews.flatMap(({ findings }) => findings)) {
      const { file, line, rule, description } = finding;
      known.set(JSON.stringify([file, line, rule, description]), finding);
    }
  }
  const findings = [...known.values()].toSorted(
    (a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity),
  );
  return writeSarif({ findings, suppressed: [], fingerprints: new Map() }, { root, version: programVersion });
}
