import { pathToFileURL } from 'node:url';
import type { Finding, Severity } from '@switchyard/protocol';
import type { Review } from '../analyze.ts';
import type { SuppressedFinding } from '../policy/suppress.ts';
import type { SarifLevel, SarifLog, SarifResult, SarifRule } from './sarif-log.ts';

const schemaAddress =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const rootName = '%SRCROOT%';

const levels: Readonly<Record<Severity, SarifLevel>> = {
  critical: 'error',
  major: 'error',
  minor: 'warning',
  info: 'note',
};
/** Within the bands that code hosts make of the number: critical from 9, high from 7, medium from 4. */
const securitySeverities: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  major: '8.0',
  minor: '5.0',
  info: '1.0',
};

export interface SarifAbout {
  readonly root: string;
  readonly version: string;
}

/** What a log tells of a review. */
export type SarifSource = Pick<Review, 'findings' | 'suppressed' | 'fingerprints'>;

/** A review as a SARIF 2.1.0 log: one run, suppressed findings in it as suppressed, with reason and end. */
export function writeSarif(review: SarifSource, { root, version }: SarifAbout): SarifLog {
  const suppressed = new Map(review.suppressed.map((one) => [one.finding, one]));
  const all = [...review.findings, ...suppressed.keys()];
  const rules = rulesOf(all);
  const places = new Map([...rules.keys()].map((id, index) => [id, index]));
  const results = all.map((finding): SarifResult => {
    const id = ruleId(finding);
    return {
      ...resultOf(finding, suppressed.get(finding)),
      ruleId: id,
      ruleIndex: places.get(id) ?? 0,
      partialFingerprints: fingerprintsIn(review, finding),
    };
  });
  return {
    $schema: schemaAddress,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Switchyard', version, rules: [...rules.values()] } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { [rootName]: { uri: pathToFileURL(`${root}/`).href } },
        results,
      },
    ],
  };
}

function ruleId(finding: Finding): string {
  return finding.rule ?? `switchyard/${finding.category}`;
}

/** One rule for each that fired; its level is that of its worst finding. */
function rulesOf(findings: readonly Finding[]): Map<string, SarifRule> {
  const rules = new Map<string, SarifRule>();
  for (const finding of findings)
    if (!rules.has(ruleId(finding))) rules.set(ruleId(finding), ruleOf(finding));
  return rules;
}

function ruleOf(finding: Finding): SarifRule {
  const address = finding.references.find((one) => one.startsWith('https://'));
  const weaknesses = finding.references.flatMap((one) => {
    const number = /^CWE-(\d+)$/.exec(one)?.[1];
    return number === undefined ? [] : [`external/cwe/cwe-${number.padStart(3, '0')}`];
  });
  return {
    id: ruleId(finding),
    shortDescription: { text: finding.suggestion ?? finding.description },
    ...(address !== undefined && { helpUri: address }),
    defaultConfiguration: { level: levels[finding.severity] },
    properties: {
      tags: [...new Set([finding.category, ...weaknesses])],
      ...(finding.category === 'security' && { 'security-severity': securitySeverities[finding.severity] }),
    },
  };
}

function resultOf(
  finding: Finding,
  suppressed: SuppressedFinding | undefined,
): Omit<SarifResult, 'ruleId' | 'ruleIndex' | 'partialFingerprints'> {
  const { file, line, column, description, suggestion } = finding;
  const region = line === undefined ? undefined : { startLine: line, ...(column && { startColumn: column }) };
  return {
    level: levels[finding.severity],
    message: { text: suggestion === undefined ? description : `${description}\n${suggestion}` },
    // What speaks of the whole change stands at its root: code hosts show nothing that has no place.
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file === undefined ? '.' : uriOf(file), uriBaseId: rootName },
          ...(region && { region }),
        },
      },
    ],
    ...(suppressed && {
      suppressions: [
        {
          kind: 'external',
          status: 'accepted',
          justification: `${suppressed.suppression.reason} (until ${suppressed.suppression.until})`,
        },
      ],
    }),
    properties: { severity: finding.severity, category: finding.category },
  };
}

/** A path as a relative URI: each name escaped; none that looks like a scheme. */
function uriOf(path: string): string {
  const uri = path.split('/').map(encodeURIComponent).join('/');
  return uri.includes(':') ? `./${uri}` : uri;
}

function fingerprintsIn(review: SarifSource, finding: Finding): Record<string, string> {
  const fingerprint = review.fingerprints.get(finding);
  return fingerprint === undefined ? {} : { 'switchyard/v1': fingerprint };
}
