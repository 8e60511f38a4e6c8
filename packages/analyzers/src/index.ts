export type {
  AnalysisFile,
  AnalysisRequest,
  BaseTree,
  CommandOutput,
  Engine,
  PlacedFinding,
  RunCommand,
} from './engine.ts';
export { analyze, type Analysis, type Review } from './analyze.ts';
export { parsePolicy, policyPath, type ReviewPolicy, type Suppression } from './policy/review-policy.ts';
export type { SuppressedFinding } from './policy/suppress.ts';
export { baseTreeOf } from './base-tree.ts';
export { changedTexts, wholeFiles } from './changed-texts.ts';
export { listTree } from './change/tree-files.ts';
export { sandboxedRun, type EngineSandbox } from './sandboxed-run.ts';
export { sandboxedScan, type ScanSandbox } from './sandboxed-scan.ts';
export type { ScanProgram, ScanStreams, StartScan } from './scan-child.ts';
export { writeSarif } from './sarif/write-sarif.ts';
export type { SarifLog } from './sarif/sarif-log.ts';
export { readSource } from './source-file.ts';
export { changedLineRanges } from './line-changes.ts';
export { staticEngines } from './static-engines.ts';
export { oxlintReadPaths as engineReadPaths } from './oxlint-engine.ts';
export { oxlintRules } from './oxlint-rules.ts';
export { analyzerLimits } from './analyzer-limits.ts';
export { loadRules, type AnalysisRule } from './rule-book.ts';
export { scanText, textChecks } from './text-scan.ts';
export { scanSql, sqlChecks } from './sql-scan.ts';
export { scanSyntax } from './syntax-scan.ts';
