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
  /** Why it was ended, for people; absent: it ended by itself. */
  readonly reason?: string | undefined;
}

/** Runs a program without a shell; handed in, so that the caller decides how it is held. */
export type RunCommand = (
  argv: readonly string[],
  cwd: string,
  options?: {
    readonly timeoutMs?: number;
    /** Folders that it reads beside the tree. */
    readonly readPaths?: readonly string[];
  },
) => Promise<CommandOutput>;

export interface AnalysisRequest {
  /** A read-only checkout of the commit. */
  readonly root: string;
  readonly files: readonly AnalysisFile[];
  /** What is looked for. A check of several specializations answers for the first of them that is asked for. */
  readonly specializations: readonly Specialization[];
  /** The tree before the change; absent where there is no change to speak of. */
  readonly base?: BaseTree;
  /** Where the policy is read instead, where there is no one change: the tree as it was committed, say. */
  readonly policy?: BaseTree;
  /** Findings on every line, not only on changed ones. */
  readonly all?: boolean;
  /** Also what finds more and errs more; as the policy says unless told. */
  readonly deep?: boolean;
  readonly run: RunCommand;
  /** `refuse`: commands that the policy names are not run; for trees of strangers where nothing holds a command. */
  readonly commands?: 'run' | 'refuse';
  readonly signal: AbortSignal;
  /** Files beyond this are counted and left out; `analyzerLimits.files` unless told. */
  readonly filesMax?: number;
  /** Findings beyond this are counted and left out; `analyzerLimits.findings`, what the wire carries, unless told. */
  readonly findingsMax?: number;
  /** The day suppressions are measured by, `2027-01-31`; today unless told. */
  readonly today?: string;
  /** Told of each engine before it begins. */
  readonly onEngine?: (engine: string) => void;
  /** Told of each file that an engine is done with. */
  readonly onFile?: (engine: string, file: string) => void;
}

/** The files as they were before the change. */
export interface BaseTree {
  /** The text of a file, undefined where there was none, it was binary or over the limit. */
  read(path: string): Promise<string | undefined>;
  /** The bytes of a file, whatever they are; undefined where there was none. Absent: `read` has to do. */
  bytes?(path: string): Promise<Uint8Array | undefined>;
}

/** A finding with what decides whether the change brought it. */
export type PlacedFinding = Finding & {
  /** The last line of what it speaks of, so that a change inside it counts as its own. */
  readonly endLine?: number | undefined;
  /** The change caused it, though it stands on a line that the change left alone. */
  readonly caused?: boolean | undefined;
};

/** One static engine. It answers findings for whole files; `analyze` keeps those of the change. */
export interface Engine {
  readonly name: string;
  readonly specializations: readonly Specialization[];
  /** Throws AppError where the engine itself broke; a file it cannot read is a finding of severity info. */
  analyze(request: AnalysisRequest): Promise<PlacedFinding[]>;
  /** What a clean result of this engine says, for the strengths of a verdict. */
  praise(request: AnalysisRequest, specialization: Specialization): string | undefined;
  /** Ends what the engine keeps running; closing twice is fine. */
  close(): Promise<void>;
}
