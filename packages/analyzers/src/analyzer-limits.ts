import { limits } from '@switchyard/protocol';

/** Every limit of the analyzers. Bytes, counts and milliseconds as the name says. */
export const analyzerLimits = {
  /** Larger files are named in an info finding and left out. */
  fileBytes: 1024 * 1024,
  /** More changed files than this are counted in an info finding and left out. */
  files: 5_000,
  /** One file in one engine of the scan process; then that process is killed and the file left out. */
  fileTimeMs: 10_000,
  /** From the start of a scan process until it takes jobs. */
  scanStartMs: 60_000,
  /** Characters of one answer of the scan process; more ends it. */
  scanAnswerChars: 32 * 1024 * 1024,
  /** A new scan process after this many files: the profiler inside secretlint keeps every mark it ever made. */
  scansPerProcess: 2_000,
  /** One call of a program over a batch of files. */
  programTimeMs: 60_000,
  programBatchFiles: 200,
  /** Findings that are held between two engines, the most severe; beyond it they are counted. */
  findingsHeld: 100_000,
  /** Kept back for the note that says how many there were. */
  findings: limits.findingsPerReview - 1,
  /** Findings of one rule in one file that a review shows; beyond it they are counted. */
  findingsPerRuleAndFile: 50,
  /** Findings of one rule in one file that the scan process tells; what is not of the change is left out after that. */
  scanFindingsPerRule: 2_000,
  /** Results of one tool that prints SARIF; beyond it they are counted. */
  toolResults: 10_000,
  /** Tools that a policy may name, and how long each may take. */
  tools: 10,
  toolMinutesMax: 60,
  /** Files of the tree that are listed, to find who imports a module and which tests there are. */
  treeFiles: 50_000,
  /** Test texts whose words are kept; beyond it the rest is left out. */
  testTextBytes: 64 * 1024 * 1024,
  /** The scan process ends by itself after this long without work. */
  scanIdleMs: 30_000,
  /** A finding about a construct of at most this many lines counts as changed when any of its lines is. */
  constructLines: 20,
} as const;
