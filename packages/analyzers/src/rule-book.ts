import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NapiConfig } from '@ast-grep/napi';
import { severity, specializations, type Specialization } from '@switchyard/protocol';
import { parse } from 'yaml';
import { z } from 'zod';
import { isOfKind, languageOf, pathKinds, sourceLanguages } from './path-kind.ts';

/** The form of a rule file, `rules/<specialization>/<id>.yml`; `rule` and `utils` are ast-grep's own. */
const ruleFile = z.strictObject({
  severity,
  message: z.string().min(1).max(1000),
  suggestion: z.string().min(1).max(1000),
  /** CWE numbers and addresses. */
  references: z.array(z.string().regex(/^(CWE-\d+|https:\/\/\S+)$/)).default([]),
  /** Kinds of files the rule does not hold for. */
  not: z.array(z.enum(pathKinds)).default([]),
  /** Kinds of files the rule is limited to. */
  only: z.array(z.enum(pathKinds)).default([]),
  /** Grammars the rule is limited to: its node kinds exist in these alone. */
  languages: z.array(z.enum(sourceLanguages)).default([...sourceLanguages]),
  rule: z.record(z.string(), z.unknown()),
  constraints: z.record(z.string(), z.unknown()).optional(),
  utils: z.record(z.string(), z.unknown()).default({}),
});

/** One of our own rules. */
export interface AnalysisRule extends Omit<z.infer<typeof ruleFile>, 'rule' | 'constraints' | 'utils'> {
  readonly id: string;
  readonly specialization: Specialization;
  readonly matcher: NapiConfig;
}

const rulesFolder = fileURLToPath(new URL('./rules/', import.meta.url));

/** Reads all rules of this package. A rule that does not fit its form is a bug and throws. */
export function loadRules(): AnalysisRule[] {
  const shared = z.record(z.string(), z.unknown()).parse(readYaml(join(rulesFolder, 'shared.yml')));
  return specializations.flatMap((specialization) =>
    readdirSync(join(rulesFolder, specialization))
      .sort()
      .map((name) => readRule(specialization, name.replace(/\.yml$/, ''), shared)),
  );
}

function readRule(
  specialization: Specialization,
  id: string,
  shared: Readonly<Record<string, unknown>>,
): AnalysisRule {
  const parsed = ruleFile.safeParse(readYaml(join(rulesFolder, specialization, `${id}.yml`)));
  if (!parsed.success)
    throw new Error(`the rule ${specialization}/${id} is malformed: ${parsed.error.message}`);
  const { rule, constraints, utils, ...about } = parsed.data;
  // ast-grep checks the form of the matcher itself, when it is first used.
  const looked = { rule, ...(constraints && { constraints }) };
  const matcher = { ...looked, utils: piecesOf(looked, { ...shared, ...utils }) } as NapiConfig;
  return { ...about, id, specialization, matcher };
}

/** The pieces that a rule needs, and those that they need: ast-grep compiles all that it is given, for each file anew. */
function piecesOf(rule: unknown, all: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const needed: Record<string, unknown> = {};
  const open: unknown[] = [rule];
  while (open.length > 0) {
    const part = open.pop();
    if (typeof part !== 'object' || part === null) continue;
    for (const [key, value] of Object.entries(part)) {
      open.push(value);
      if (key !== 'matches' || typeof value !== 'string' || value in needed) continue;
      needed[value] = all[value];
      open.push(all[value]);
    }
  }
  return needed;
}

function readYaml(file: string): unknown {
  return parse(readFileSync(file, 'utf8')) as unknown;
}

/** Whether a rule holds for a file. */
export function holdsFor(rule: AnalysisRule, path: string): boolean {
  const language = languageOf(path);
  if (language === undefined || !rule.languages.includes(language)) return false;
  if (rule.not.some((kind) => isOfKind(path, kind))) return false;
  return rule.only.length === 0 || rule.only.some((kind) => isOfKind(path, kind));
}
