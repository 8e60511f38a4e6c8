import { specializations } from '@switchyard/protocol';
import type { AnalysisFile, Engine } from './engine.ts';
import { oxlintEngine } from './oxlint-engine.ts';
import { languageOf } from './path-kind.ts';
import { loadRules } from './rule-book.ts';
import { scanEngine } from './scan-engine.ts';
import { createScanner, type ScannerOptions } from './scanner.ts';
import { textChecks } from './text-scan.ts';

const present = (file: AnalysisFile): boolean => !file.binary && file.change !== 'deleted';
const isSource = (file: AnalysisFile): boolean => present(file) && languageOf(file.path) !== undefined;
const inFiles = (count: number): string => (count === 1 ? 'in 1 file' : `in ${count} files`);

/** The engines that need no key and no network. They share one scan process; whoever opens them closes them. */
export function staticEngines(options: ScannerOptions = {}): Engine[] {
  const scanner = createScanner(options);
  const rules = loadRules();
  return [
    scanEngine(scanner, {
      name: 'secretlint',
      scan: 'secrets',
      specializations: ['security'],
      wants: present,
      praise: (files) => `secretlint: no secrets ${inFiles(files)}`,
    }),
    scanEngine(scanner, {
      name: 'ast-grep',
      scan: 'syntax',
      specializations: [...new Set(rules.map((rule) => rule.specialization))],
      wants: isSource,
      praise: (files, wanted) =>
        `ast-grep: ${rules.filter((rule) => rule.specialization === wanted).length} ${wanted} rules, nothing ${inFiles(files)}`,
    }),
    scanEngine(scanner, {
      name: 'text',
      scan: 'text',
      specializations: specializations.filter((wanted) =>
        textChecks.some((check) => check.specializations.includes(wanted)),
      ),
      wants: present,
      praise: (files, wanted) =>
        `text checks: ${textChecks.filter((check) => check.specializations.includes(wanted)).length} for ${wanted}, nothing ${inFiles(files)}`,
    }),
    oxlintEngine(),
  ];
}
