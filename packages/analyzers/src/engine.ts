import type { ChangedFile, Finding, Specialization } from '@switchyard/protocol';

/** A changed file as an engine sees it. */
export interface AnalysisFile {
  /** Relative to the root, `/` as separator. */
  readonly path: string;
  readonly change: ChangedFile['change'];
  /** Changed ranges of the new file, 1-based, both ends included. */
  readonly lines: readonly (readonly [start: number, end: number])[];
  readonly binary: boolean;
}

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a shell; handed in, so that the caller decides how it is held. */
export type RunCommand = (
  argv: readonly string[],
  cwd: string,
  options?: { readonly timeoutMs?: number },
) => Promise<CommandOutput>;

export interface AnalysisRequest {
  /** A read-only checkout of the commit. */
  readonly root: string;
  readonly files: readonly AnalysisFile[];
  readonly specialization: Specialization;
  /** Findings on every line, not only on changed ones. */
  readonly all?: boolean;
  readonly run: RunCommand;
  readonly signal: AbortSignal;
}

/** A finding with the last line of what it speaks of, so that a change inside it counts as its own. */
export type PlacedFinding = Finding & { readonly endLine?: number | undefined };

/** One static engine. It answers findings for whole files; `analyze` keeps those of the change. */
export interface Engine {
  readonly name: string;
  readonly specializations: readonly Specialization[];
  /** Throws AppError where the engine itself broke; a file it cannot read is a finding of severity info. */
  analyze(request: AnalysisRequest): Promise<PlacedFinding[]>;
  /** What a clean result of this engine says, for the strengths of a verdict. */
  praise(request: AnalysisRequest): string | undefined;
  /** Ends what the engine keeps running; closing twice is fine. */
  close(): Promise<void>;
}
