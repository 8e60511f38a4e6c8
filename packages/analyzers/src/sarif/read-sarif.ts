import { posix, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { specialization, type Severity, type Specialization } from '@switchyard/protocol';
import { z } from 'zod';
import type { PlacedFinding } from '../engine.ts';

const text = z.object({ text: z.string().optional() }).optional().catch(undefined);
const rule = z.object({
  id: z.string(),
  shortDescription: text,
  help: text,
  helpUri: z.string().optional().catch(undefined),
  defaultConfiguration: z.object({ level: z.string().optional() }).optional().catch(undefined),
  properties: z
    .object({
      tags: z.array(z.string()).optional().catch(undefined),
      'security-severity': z.coerce.number().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});
type Rule = z.infer<typeof rule>;
const rules = z.array(rule.nullable().catch(null)).optional().catch(undefined);
const component = z.object({ rules }).optional().catch(undefined);

const count = z.number().int().min(1).optional().catch(undefined);
const result = z.object({
  ruleId: z.string().optional(),
  ruleIndex: z.number().int().min(0).optional().catch(undefined),
  rule: z
    .object({ id: z.string().optional(), index: z.number().int().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  kind: z.string().optional(),
  level: z.string().optional(),
  message: z.object({ text: z.string().optional(), markdown: z.string().optional() }),
  locations: z
    .array(
      z.object({
        physicalLocation: z.object({
          artifactLocation: z.object({ uri: z.string().optional() }),
          region: z
            .object({ startLine: count, startColumn: count, endLine: count })
            .optional()
            .catch(undefined),
        }),
      }),
    )
    .optional()
    .catch(undefined),
  suppressions: z
    .array(z.object({ status: z.string().optional() }))
    .optional()
    .catch(undefined),
});
type Result = z.infer<typeof result>;

const log = z.object({
  version: z.string().startsWith('2.1'),
  runs: z
    .array(
      z.object({
        tool: z.object({
          driver: z.object({ rules }),
          extensions: z.array(component).optional().catch(undefined),
        }),
        results: z.array(z.unknown()).nullable().optional(),
      }),
    )
    .max(100),
});

export interface SarifSource {
  /** The engine's name, as its rules begin. */
  readonly engine: string;
  readonly root: string;
  readonly category: Specialization;
  /** Results beyond this are counted. */
  readonly resultsMax: number;
  /** Number of lines of a file under review; undefined: it is none of them. */
  readonly linesOf: (path: string) => Promise<number | undefined>;
}

export interface SarifFindings {
  readonly findings: PlacedFinding[];
  /** Results that speak of nothing that is under review, have no form, or are beyond the limit. */
  readonly leftOut: number;
}

/** Reads what a tool printed as SARIF 2.1; undefined: it is none. A result that makes no sense is left out and counted. */
export async function readSarif(printed: string, source: SarifSource): Promise<SarifFindings | undefined> {
  const parsed = log.safeParse(parseJson(printed));
  if (!parsed.success) return undefined;
  const findings: PlacedFinding[] = [];
  let leftOut = 0;
  for (const { tool, results } of parsed.data.runs) {
    const known = [...(tool.driver.rules ?? [])];
    const more = (tool.extensions ?? []).flatMap((one) => one?.rules ?? []);
    for (const one of results ?? []) {
      const read = result.safeParse(one);
      if (!read.success || findings.length >= source.resultsMax) leftOut += 1;
      else if (isMeant(read.data)) {
        const finding = await findingOf(read.data, ruleOf(read.data, known, more), source);
        if (finding === undefined) leftOut += 1;
        else findings.push(finding);
      }
    }
  }
  return { findings, leftOut };
}

function parseJson(printed: string): unknown {
  try {
    return JSON.parse(printed.replace(/^\uFEFF/, ''));
  } catch {
    // Not JSON, or cut off at the limit of the output: the caller says so.
    return undefined;
  }
}

/** Failures that nobody has accepted; a tool also tells what passed. */
function isMeant({ kind, level, suppressions = [] }: Result): boolean {
  if (kind !== undefined && kind !== 'fail' && kind !== 'open' && kind !== 'review') return false;
  return level !== 'none' && !suppressions.some(({ status }) => (status ?? 'accepted') === 'accepted');
}

function ruleOf(
  one: Result,
  known: readonly (Rule | null)[],
  more: readonly (Rule | null)[],
): Rule | undefined {
  const id = one.ruleId ?? one.rule?.id;
  const byIndex = known[one.ruleIndex ?? one.rule?.index ?? -1] ?? undefined;
  if (byIndex !== undefined && (id === undefined || byIndex.id === id)) return byIndex;
  return [...known, ...more].find((candidate) => candidate?.id === id) ?? undefined;
}

async function findingOf(
  one: Result,
  about: Rule | undefined,
  source: SarifSource,
): Promise<PlacedFinding | undefined> {
  const place = one.locations?.[0]?.physicalLocation;
  const file = pathIn(source.root, place?.artifactLocation.uri);
  const lines = file === undefined ? undefined : await source.linesOf(file);
  if (file === undefined || lines === undefined) return undefined;
  const { startLine: line, startColumn: column, endLine } = place?.region ?? {};
  const description = (
    one.message.text ??
    one.message.markdown ??
    about?.shortDescription?.text ??
    ''
  ).trim();
  const id = (one.ruleId ?? one.rule?.id ?? about?.id ?? 'result').slice(0, 150);
  const suggestion = about?.help?.text?.trim().slice(0, 1000);
  return {
    severity: severityOf(one, about),
    category: categoryOf(about, source.category),
    file,
    // A line that the file does not have: the tool saw another file, so the finding speaks of the file.
    ...(line !== undefined &&
      line <= lines && { line, ...(column && { column }), ...(endLine && { endLine }) }),
    description: (description || `${source.engine} reports ${id}.`).slice(0, 4000),
    ...(suggestion && { suggestion }),
    references: referencesOf(about),
    rule: `${source.engine}/${id}`,
  };
}

/** The path of a file inside the root, whatever form the tool named it in; undefined for everything else. */
function pathIn(root: string, uri: string | undefined): string | undefined {
  if (uri === undefined || uri.length > 4096) return undefined;
  let path: string;
  try {
    path = /^file:/i.test(uri) ? fileURLToPath(uri) : decodeURIComponent(uri);
  } catch {
    // No file of this machine, or broken escapes.
    return undefined;
  }
  if (path.includes('\0') || /^[a-z][a-z0-9+.-]+:/i.test(path)) return undefined;
  const whole = resolve(root, path);
  if (!whole.startsWith(`${root}${sep}`)) return undefined;
  return posix.normalize(whole.slice(root.length + 1).replaceAll(sep, '/'));
}

function severityOf({ level, kind }: Result, about: Rule | undefined): Severity {
  const score = about?.properties?.['security-severity'];
  if (score !== undefined && Number.isFinite(score))
    return score >= 9 ? 'critical' : score >= 7 ? 'major' : score >= 4 ? 'minor' : 'info';
  if (kind === 'open' || kind === 'review') return 'info';
  switch (level ?? about?.defaultConfiguration?.level) {
    case 'error':
      return 'major';
    case 'note':
    case 'none':
      return 'info';
    default:
      return 'minor';
  }
}

function categoryOf(about: Rule | undefined, otherwise: Specialization): Specialization {
  for (const tag of about?.properties?.tags ?? []) {
    const named = specialization.safeParse(tag);
    if (named.success) return named.data;
  }
  return otherwise;
}

function referencesOf(about: Rule | undefined): string[] {
  const weaknesses = (about?.properties?.tags ?? []).flatMap((tag) => {
    const number = /\bcwe-0*(\d{1,5})\b/i.exec(tag)?.[1];
    return number === undefined ? [] : [`CWE-${number}`];
  });
  const address = about?.helpUri;
  const isAddress = address !== undefined && /^https:\/\/\S{1,1900}$/.test(address);
  return [...new Set([...weaknesses, ...(isAddress ? [address] : [])])].slice(0, 20);
}
