import type { ExecutorSpec, Failure, TaskAssignment } from '@switchyard/protocol';

/** How one command of an attempt ended. */
export interface CommandResult {
  readonly exitCode: number;
  /** `exited` by itself, `timed-out` killed at its limit of time, `killed` at another limit or by a cancellation. */
  readonly ended: 'exited' | 'timed-out' | 'killed';
  /** Why it was killed, for people. */
  readonly reason?: string;
  /** stdout and stderr as they came, head and tail where it was too much. */
  readonly output: string;
  readonly truncated: boolean;
  readonly durationMs: number;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput?: (chunk: string) => void;
}

/** One attempt as an executor sees it; the files are outside the tree and readable from inside the sandbox. */
export interface ExecutorTask {
  readonly assignment: TaskAssignment;
  /** The checkout; the current directory of every command. */
  readonly tree: string;
  /** JSON list of the findings of the last round; `[]` in the first. */
  readonly feedbackFile: string;
  /** The instructions of the task as text. */
  readonly instructionsFile: string;
  /** A file that the work may write to ask a person. */
  readonly escalationFile: string;
}

/** What an executor may do; everything else is out of its reach. */
export interface ExecutorContext {
  /** Runs a command in the attempt's sandbox. Rejects with AppError E_SANDBOX and friends, never for an exit code. */
  run(argv: readonly string[], options: CommandOptions): Promise<CommandResult>;
  /** Says where the work stands: one line for people. */
  progress(message: string): void;
  /** Aborted when the attempt is cancelled; running commands are dead by then. */
  readonly signal: AbortSignal;
  /** What the work wrote into the escalation file, if anything. */
  readEscalation(): string | undefined;
}

/** How the work of an attempt ended; whether it holds up is for acceptance and review to say. */
export type ExecutorOutcome =
  | { readonly kind: 'done'; readonly summary: string; readonly outputTail: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | {
      readonly kind: 'escalated';
      readonly reason: string;
      readonly attemptedSolutions: readonly string[];
      readonly needsClarification?: string;
    };

/** Does the work of an attempt in one way. */
export interface Executor {
  readonly kind: ExecutorSpec['kind'];
  execute(task: ExecutorTask, context: ExecutorContext): Promise<ExecutorOutcome>;
}
