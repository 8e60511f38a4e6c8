import { specializations, type Specialization } from '@switchyard/protocol';
import type { AnalysisFile, Engine } from './engine.ts';
import { changeEngine } from './change/change-engine.ts';
import { oxlintEngine } from './oxlint-engine.ts';
import { lintEngineName } from './lint/security-rules.ts';
import { languageOf } from './path-kind.ts';
import { loadRules } from './rule-book.ts';
import { scanEngine } from './scan-engine.ts';
import { createScanner, type ScannerOptions } from './scanner.ts';
import { sqlChecks } from './sql-scan.ts';
import { textChecks } from './text-scan.ts';

const present = (file: AnalysisFile): boolean => !file.binary && file.change !== 'deleted';
const isSource = (file: AnalysisFile): boolean => present(file) && languageOf(file.path) !== undefined;
const inFiles = (count: number): string => (count === 1 ? 'in 1 file' : `in ${count} files`);

function textCheckCount(wanted: Specialization): number {
  const mine = textChecks.filter((check) => check.specializations.includes(wanted));
  return mine.length + sqlChecks.filter((check) => check.specialization === wanted).length;
}

/** The engines that need no key and no network. They share one scan process; whoever opens them closes them. */
export function staticEngines(options: ScannerOptions): Engine[] {
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
      specializations: specializations.filter((wanted) => textCheckCount(wanted) > 0),
      wants: present,
      praise: (files, wanted) =>
        `text checks: ${textCheckCount(wanted)} for ${wanted}, nothing ${inFiles(files)}`,
    }),
    scanEngine(scanner, {
      name: lintEngineName,
      scan: 'lint',
      specializations: ['security'],
      wants: isSource,
      praise: (files) => `${lintEngineName}: nothing ${inFiles(files)}`,
    }),
    changeEngine(scanner),
    oxlintEngine(),
  ];
}
