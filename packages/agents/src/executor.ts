import type { Readable, Writable } from 'node:stream';
import type { ExecutorSpec, Failure, TaskAssignment } from '@switchyard/protocol';
import type { AgentEvent } from './agent-event.ts';
import type { FileGuard } from './file-guard.ts';
import type { McpBridge } from './mcp/mcp-bridge.ts';
import type { ModelEndpoint } from './model-endpoint.ts';
import type { Question } from './question.ts';
import type { McpCaller } from './tools/mcp-caller.ts';
import type { ToolRights } from './tools/tool-groups.ts';
import type { SpawnAnswer, SpawnRequest } from './spawn-request.ts';

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

/** What a command may write that lasts: the workspace, or nothing. */
export type CommandWrites = 'workspace' | 'none';

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Absent: the workspace. `none` is refused with E_SANDBOX_UNAVAILABLE where no sandbox can hold a command to it. */
  readonly writes?: CommandWrites;
  readonly env: Readonly<Record<string, string>>;
  readonly onOutput?: (chunk: string) => void;
}

/** How a process of an attempt ended. */
export type AgentProcessEnd = Pick<CommandResult, 'exitCode' | 'ended' | 'reason' | 'durationMs'>;

/** A process of an attempt that lives on, such as an agent that talks over its standard streams. */
export interface AgentProcess {
  /** What is written after the end is dropped. */
  readonly stdin: Writable;
  /** To be read, or the process blocks; ends when the whole tree has ended. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Kills the whole tree; once it has ended: nothing. */
  kill(reason: string): void;
  /** When nothing of it lives any more. Rejects with AppError E_SANDBOX when it could not be started. */
  readonly ended: Promise<AgentProcessEnd>;
}

export interface SpawnOptions {
  readonly timeoutMs: number;
  /** On top of the clean environment; nothing of the daemon's gets in. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of its private home folder by their path in it; the home is new for each process. */
  readonly homeFiles?: Readonly<Record<string, string>>;
  /** Folders of the host that it may read beside what every command sees: where its program is installed. */
  readonly programFolders?: readonly string[];
  /** Absent: the workspace. `none` is refused with E_SANDBOX_UNAVAILABLE where no sandbox can hold a process to it. */
  readonly writes?: CommandWrites;
  /** More bytes than this on both streams end it. */
  readonly outputBytesMax?: number;
  /** More processes and threads than this at once end it. */
  readonly processesMax?: number;
}

/** One attempt as an executor sees it; the files are outside the tree and readable from inside the sandbox. */
export interface ExecutorTask {
  readonly assignment: TaskAssignment;
  /** The checkout; the current directory of every command. */
  readonly tree: string;
  /** JSON list of the findings of the last round; `[]` in the first. */
  readonly feedbackFile: string;
  /** JSON list of what the tasks it depends on came to: files, findings, blockers. */
  readonly upstreamFile: string;
  /** A file that the work may write for those that depend on it: findings, blockers. */
  readonly handoverFile: string;
  /** The instructions of the task as text. */
  readonly instructionsFile: string;
  /** A file that the work may write to ask a person. */
  readonly escalationFile: string;
}

/** What an executor may do; everything else is out of its reach. */
export interface ExecutorContext {
  /** Runs a command in the attempt's sandbox. Rejects with AppError E_SANDBOX and friends, never for an exit code. */
  run(argv: readonly string[], options: CommandOptions): Promise<CommandResult>;
  /** Starts a process that lives on in the attempt's sandbox, its home private. Rejects as `run` does. */
  spawn(argv: readonly string[], options: SpawnOptions): Promise<AgentProcess>;
  /** The files of the attempt, held to its workspace and to what it may read. */
  readonly files: FileGuard;
  /** The model that the attempt may use; absent: this worker has none. */
  readonly model?: ModelEndpoint;
  /** How an agent's own program reaches the MCP servers of the task, which run beside it. */
  readonly mcpBridges?: readonly McpBridge[];
  /** The same for our own loop; absent: the task has none. */
  readonly mcp?: McpCaller;
  /** Tells what the agent says and does: for the transcript, the log and whoever watches. */
  event(event: AgentEvent): void;
  /**
   * Asks a person, the orchestrating agent or the policy, and gives the answer. Where nobody answers in time it
   * throws AttemptEscalated, which ends the attempt; the next finds `answer` in its assignment.
   */
  ask(question: Question): Promise<string>;
  /** Adds a task to the run; the orchestrator refuses it but in orchestrator mode, whatever this agent says. */
  spawnTask(request: SpawnRequest): Promise<SpawnAnswer>;
  /** Lets the agent's own program call what its mode grants of our tools; before, it can only ask. */
  offer(rights: ToolRights): void;
  /** Takes the plan that the task is to draft, and says what came of it. Absent: it drafts none. */
  readonly handInPlan?: (plan: string) => Promise<string>;
  /** How long the attempt was kept from working so far: for a model's quota, for money, for an answer. No limit of time counts it. */
  pausedMs(): number;
  /** Says where the work stands: one line for people. */
  progress(message: string): void;
  /** Aborted when the attempt is cancelled; running commands are dead by then. */
  readonly signal: AbortSignal;
  /** What the work wrote into the escalation file, if anything. */
  readEscalation(): string | undefined;
}

/** How the work of an attempt ended; whether it holds up is for acceptance and review to say. */
export type ExecutorOutcome =
  | {
      readonly kind: 'done';
      readonly summary: string;
      readonly outputTail: string;
      /** Its last words whole, where the summary may not hold them. */
      readonly said?: string;
    }
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
