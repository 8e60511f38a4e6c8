export type {
  AnalysisFile,
  AnalysisRequest,
  CommandOutput,
  Engine,
  PlacedFinding,
  RunCommand,
} from './engine.ts';
export { analyze, type Analysis } from './analyze.ts';
export { staticEngines } from './static-engines.ts';
export { oxlintReadPaths as engineReadPaths } from './oxlint-engine.ts';
export { oxlintRules } from './oxlint-rules.ts';
export { analyzerLimits } from './analyzer-limits.ts';
export { loadRules, type AnalysisRule } from './rule-book.ts';
export { scanText, textChecks } from './text-scan.ts';
export { scanSyntax } from './syntax-scan.ts';
