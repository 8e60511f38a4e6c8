import type { Severity, Specialization } from '@switchyard/protocol';
import type { AnalysisFile, PlacedFinding } from './engine.ts';

/** What a note about a file that was not looked at speaks of. */
export interface LeftOut {
  readonly file: AnalysisFile;
  readonly specializations: readonly Specialization[];
  readonly engine: string;
}

/** The finding that says that a file is over a limit and was not looked at. */
export function overLimit(about: LeftOut, reason: string): PlacedFinding {
  return note(about, reason, 'info');
}

/**
 * The finding that says that a file stopped the engine. It blocks in a security review: else a change could pass
 * by being written so that nobody can look at it.
 */
export function stoppedEngine(about: LeftOut, reason: string): PlacedFinding {
  return note(about, reason, about.specializations.includes('security') ? 'major' : 'minor');
}

function note({ engine, file, specializations }: LeftOut, reason: string, severity: Severity): PlacedFinding {
  return {
    severity,
    category: categoryOf(specializations),
    file: file.path,
    description: `${engine} did not look at this file: ${reason}.`.slice(0, 4000),
    suggestion: 'Have a person look at it, or split it.',
    references: [],
    rule: `${engine}/left-out`,
  };
}

/** Where a note about several specializations belongs: to security, if that is looked at. */
export function categoryOf(specializations: readonly Specialization[]): Specialization {
  return specializations.includes('security') ? 'security' : (specializations[0] ?? 'code-quality');
}
