import type {
  AttemptModel,
  Executor,
  KnownNames,
  McpServerLaunch,
  PermitWire,
  Question,
  SpawnAnswer,
  SpawnRequest,
} from '@switchyard/agents';
import type { Sandbox } from '@switchyard/guard';
import type {
  AppError,
  AttemptKey,
  CommitId,
  Hello,
  ModelUsage,
  PayloadInput,
  PeerId,
  TaskAssignment,
} from '@switchyard/protocol';
import type { Layers } from '@switchyard/receipts';
import type { ObjectCache } from '@switchyard/repo';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Outbox } from '@switchyard/store';
import type { Link, LinkHandler } from '@switchyard/transport';
import type { AttemptReport } from './attempt-report.ts';
import type { ProgressReporter } from './progress-reporter.ts';

/** What carrying out one attempt needs of the outside world. */
export interface AttemptPorts {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** This worker's objects, fetched from wherever the orchestrator is now. */
  readonly objects: () => Promise<ObjectCache>;
  readonly sandbox: Sandbox;
  readonly executors: readonly Executor[];
  readonly layers: Layers;
  /** Folder of the attempts; nobody else's. */
  readonly attempts: string;
  /** Folder of the transcripts of agents; they outlive their attempts. */
  readonly transcripts: string;
  /** Values that no transcript and no log may hold. */
  readonly secrets: readonly string[];
  /**
   * Opens the model for one attempt, closed at its end: what its agent uses. Where the sandbox is off, its addresses
   * lead straight to this machine's loopback. Absent: this worker has no model.
   */
  readonly openModel?: (
    assignment: TaskAssignment,
    context: { readonly logger: Logger; readonly signal: AbortSignal },
  ) => Promise<AttemptModel>;
  /** How an MCP server of a task is started; absent: there are none. Throws AppError E_MCP_SERVER. */
  readonly mcpLaunch?: (name: string, tree: string) => McpServerLaunch;
  /** The names that plans may use here, for those that attempts draft; absent: any. */
  readonly names?: KnownNames;
  /** Time between two looks at the work in progress of an attempt; 0: only at its end. */
  readonly wipIntervalMs: number;
}

/** What an attempt is given beside its assignment. */
export interface AttemptContext {
  readonly progress: ProgressReporter;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** The worker is about to end, and waits for nobody. */
  readonly leaving: AbortSignal;
  /** Tells the orchestrator of work in progress that it has been handed. */
  readonly tellWip: (commit: CommitId) => void;
  /** Asks whoever answers for the run, and waits. Rejects with AttemptEscalated where nobody answers in time. */
  readonly ask: (question: Question) => Promise<string>;
  /** Asks the orchestrator for a task more. */
  readonly spawnTask: (request: SpawnRequest) => Promise<SpawnAnswer>;
  /** How long it was kept from working so far: for a model's quota, for money, for an answer. */
  readonly pausedMs: () => number;
}

/** An attempt that has ended: what is told of it, and then done with what is left of it on this machine. */
export interface EndedAttempt {
  readonly report: AttemptReport;
  /** What it had done could not be handed over and stays here: the next life of this worker does that. */
  readonly hasLeft: boolean;
  /** To be called once the report is in the outbox. */
  forget(): Promise<void>;
}

/** An attempt that an earlier life of this worker held when it was killed. */
export interface HeldAttempt {
  readonly attempt: AttemptKey;
  /** Hands what it had done to the orchestrator; nothing if it had done nothing. Rejects when that cannot be. */
  handOver(leaving: AbortSignal): Promise<CommitId | undefined>;
  /** Takes away what is left of it here. */
  forget(): Promise<void>;
}

/** Where attempts are carried out: this machine, or the simulation's. */
export interface Workshop {
  /** Attempts that an earlier life of this worker left unreported; what else it left is taken away. */
  findHeld(isReported: (attempt: AttemptKey) => boolean): Promise<readonly HeldAttempt[]>;
  /** Carries an attempt out: one that was aborted ends as lost, and every other trouble is a report too. */
  perform(assignment: TaskAssignment, context: AttemptContext): Promise<EndedAttempt>;
}

/** What the daemon's loop tells the models, and asks of them. */
export interface ModelTalk {
  /** The way to the orchestrator. */
  attach(wire: PermitWire): void;
  connected(): void;
  granted(grant: PayloadInput<'permit-grant'>): void;
  /** Everything that an attempt has used. */
  usageOf(attempt: AttemptKey): ModelUsage[];
  /** For how long its requests had to wait, in milliseconds. */
  heldMs(attempt: AttemptKey): number;
  /** Its report has left. */
  forget(attempt: AttemptKey): void;
}

/** What the daemon's loop needs; `compose.ts` names the real ones, tests and the simulation others. */
export interface WorkerPorts extends Pick<AttemptPorts, 'self' | 'clock' | 'random' | 'logger'> {
  readonly workshop: Workshop;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly labels: readonly string[];
  /** Attempts at once. */
  readonly slots: number;
  readonly outbox: Outbox;
  /** What attempts use of models; absent: there are none. */
  readonly models?: ModelTalk;
  /** Makes the link to the hub with this worker's dial and outbox. */
  readonly link: (options: {
    readonly hello: () => Omit<Hello, 'lane'>;
    readonly handler: LinkHandler;
    readonly freeSlots: () => number;
  }) => Link;
  /** How long running attempts may take to end once aborted. */
  readonly abortMs: number;
  /** Ends the worker when the hub was not reached for so long. */
  readonly giveUpMs?: number;
  /** Keeps the lasting token that an invitation was exchanged for. */
  readonly keepToken: (token: string) => void;
  /** The hub refuses this worker for good. */
  readonly fatal: (error: AppError) => void;
  /** The orchestrator asks this worker to end. */
  readonly stop: (reason: string) => void;
}
