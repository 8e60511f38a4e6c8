import { Lang, parse } from '@ast-grep/napi';
import type { Specialization } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { PlacedFinding } from './engine.ts';
import { languageOf } from './path-kind.ts';
import { holdsFor, type AnalysisRule } from './rule-book.ts';

/** Runs our own syntax rules of some specializations over one source text. */
export function scanSyntax(
  source: { readonly path: string; readonly text: string },
  specializations: readonly Specialization[],
  rules: readonly AnalysisRule[],
): PlacedFinding[] {
  const language = languageOf(source.path);
  if (language === undefined) return [];
  const mine = rules.filter(
    (rule) => specializations.includes(rule.specialization) && holdsFor(rule, source.path),
  );
  if (mine.length === 0) return [];
  const root = parse(Lang[language], source.text).root();
  return mine.flatMap((rule) => {
    const nodes = root.findAll(rule.matcher);
    return nodes.slice(0, analyzerLimits.scanFindingsPerRule).map((node) => {
      const range = node.range();
      return {
        severity: rule.severity,
        category: rule.specialization,
        file: source.path,
        line: range.start.line + 1,
        column: range.start.column + 1,
        endLine: range.end.line + 1,
        description: rule.message,
        suggestion: rule.suggestion,
        references: rule.references,
        rule: `ast-grep/${rule.id}`,
      };
    });
  });
}
