/** One command for a sandbox: it sees the system's programs, what is in `read` and `write`, and nothing else. */
export interface SandboxRunRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Absolute paths of the host that the command may change. */
  readonly write: readonly string[];
  /** Absolute paths of the host that it may read. */
  readonly read: readonly string[];
  /** On top of the sandbox's clean environment. */
  readonly env: Record<string, string>;
  readonly timeoutMs: number;
  readonly stdin?: Uint8Array;
}

/** How it ended. */
export interface SandboxRunResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/**
 * Runs a command where it can do no harm. Git on files that an attempt wrote runs through it; the guard's sandbox is
 * handed in, since adapters do not know each other.
 */
export type SandboxRun = (request: SandboxRunRequest) => Promise<SandboxRunResult>;
