import type { Linter as LinterType } from 'eslint';
import { analyzerLimits } from '../analyzer-limits.ts';
import type { PlacedFinding } from '../engine.ts';
import { languageOf } from '../path-kind.ts';
import { blankTypes } from './blank-types.ts';
import { lintEngineName, lintRulesFor, securityLintRules, type LintedSource } from './security-rules.ts';

/** A program that reads one text; it finds no configuration by itself. */
interface Loaded {
  readonly linter: LinterType;
  /** A configuration for modules, and one for what is read as a script alone. */
  readonly configurationsOf: (rules: readonly string[]) => readonly LinterType.Config[][];
}

let loaded: Promise<Loaded> | undefined;

/** Runs eslint-plugin-security over one text, by our configuration alone: comments in the source switch nothing off. */
export async function scanLint(source: LintedSource): Promise<PlacedFinding[]> {
  const { path } = source;
  const language = languageOf(path);
  const rules = lintRulesFor(source);
  if (language === undefined || rules.length === 0) return [];
  loaded ??= load();
  const { linter, configurationsOf } = await loaded;
  const text = /\.([cm]?ts|tsx)$/i.test(path) ? blankTypes(source.text, language) : source.text;
  let messages: LinterType.LintMessage[] = [];
  for (const configuration of configurationsOf(rules)) {
    messages = linter.verify(text, configuration, { filename: 'file.js' });
    if (!messages.some(({ fatal }) => fatal === true)) break;
  }
  const broken = messages.find(({ fatal }) => fatal === true);
  if (broken !== undefined) return [unreadable(path, broken)];
  return limited(messages.flatMap((message) => findingOf(message, path) ?? []));
}

/** Half a second, or many on a machine that is busy: whoever wants it loads it before the first file. */
export async function loadLinter(): Promise<void> {
  loaded ??= load();
  await loaded;
}

async function load(): Promise<Loaded> {
  const { Linter } = await import('eslint/universal');
  const plugin = (await import('eslint-plugin-security')).default;
  const configurationOf = (rules: readonly string[], sourceType: 'module' | 'commonjs') => [
    {
      files: ['**/*'],
      languageOptions: {
        ecmaVersion: 'latest' as const,
        sourceType,
        parserOptions: { ecmaFeatures: { jsx: true } },
      },
      linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' as const },
      plugins: { security: plugin },
      rules: Object.fromEntries(rules.map((rule) => [`security/${rule}`, 'error' as const])),
    },
  ];
  return {
    linter: new Linter({ configType: 'flat' }),
    configurationsOf: (rules) => [configurationOf(rules, 'module'), configurationOf(rules, 'commonjs')],
  };
}

function findingOf(message: LinterType.LintMessage, path: string): PlacedFinding | undefined {
  const name = message.ruleId?.replace(/^security\//, '') ?? '';
  const rule = securityLintRules[name];
  if (rule === undefined) return undefined;
  return {
    severity: rule.severity,
    category: 'security',
    file: path,
    line: Math.max(1, message.line),
    column: Math.max(1, message.column),
    endLine: message.endLine,
    description: rule.description,
    suggestion: rule.suggestion,
    references: [
      rule.weakness,
      `https://github.com/eslint-community/eslint-plugin-security/blob/main/docs/rules/${name}.md`,
    ],
    rule: `${lintEngineName}/${name}`,
  };
}

/** oxlint and the type checker say what is wrong with it; here it only is not looked at. */
function unreadable(path: string, { line, message }: LinterType.LintMessage): PlacedFinding {
  return {
    severity: 'info',
    category: 'security',
    file: path,
    description:
      `${lintEngineName} did not look at this file: it is not read as JavaScript (line ${line}: ${message}).`.slice(
        0,
        4000,
      ),
    references: [],
    rule: `${lintEngineName}/left-out`,
  };
}

function limited(found: readonly PlacedFinding[]): PlacedFinding[] {
  const counts = new Map<string, number>();
  return found.filter(({ rule = '' }) => {
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    return count <= analyzerLimits.scanFindingsPerRule;
  });
}
