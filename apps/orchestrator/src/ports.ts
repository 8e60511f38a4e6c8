import type { AddedOptions } from '@switchyard/plan';
import type {
  AttemptKey,
  CommitId,
  Fence,
  LogFilter,
  MessageId,
  MessageType,
  PayloadInput,
  PayloadOf,
  PeerId,
  Plan,
  Receipt,
  RunId,
  RunReport,
} from '@switchyard/protocol';
import type { Archivist } from '@switchyard/history';
import type { RunRepository } from '@switchyard/repo';
import type { MeterLimits } from '@switchyard/scheduler';
import type { Clock, Logger, Metrics, Random } from '@switchyard/runtime';
import type { Journal, SnapshotShelf } from '@switchyard/store';
import type { Hub } from '@switchyard/transport';

/** What the daemon's loop needs of the outside world; `compose.ts` names the real ones, the simulation others. */
export interface OrchestratorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** What bounds the replay at a start; absent: the whole journal is folded. */
  readonly snapshots?: SnapshotShelf;
  /** Keeps snapshots and projections beside the loop; absent: there are none. */
  readonly archivist?: Archivist;
  readonly repository: RunRepository;
  readonly verifier: Verifier;
  readonly instances: Instances;
  readonly reports: ReportWriter;
  readonly logs: LogSource;
  readonly door: Door;
  readonly settings: DaemonSettings;
  /** Something happened that the daemon cannot go on after (journal broken); ends the process. */
  readonly fatal: (error: unknown) => void;
  /** Ends the daemon in order: a client asked, or an ephemeral one has nothing left to do. */
  readonly stop: (reason: string) => void;
}

/** Numbers and names the loop works with. */
export interface DaemonSettings {
  readonly leaseGraceMs: number;
  readonly deadShownMs: number;
  readonly heartbeatIntervalMs: number;
  readonly ephemeral: boolean;
  /** An ephemeral one that works on no run, and so waits for none. */
  readonly looking?: boolean;
  readonly version: string;
  /** Names the state folder to peers. */
  readonly hubName: string;
  readonly sandbox: 'bubblewrap' | 'none';
  /** Names that tasks which are added to a run may use; absent: they are not checked. */
  readonly names?: Pick<AddedOptions, 'agents' | 'mcpServers'>;
  /** What providers let the fleet do, and the money of a day; absent: as the plans say. */
  readonly models?: {
    readonly quotas: Readonly<Record<string, MeterLimits>>;
    readonly budgetUsdPerDay?: number | undefined;
  };
}

/** Runs the plan's verification on a fresh checkout of a commit. */
export interface Verifier {
  verify(request: {
    readonly commit: CommitId;
    /** The tip of the run: what it installs is as good as the run. */
    readonly accepted: CommitId;
    readonly plan: Plan;
    readonly include: CommitId | undefined;
    readonly signal: AbortSignal;
  }): Promise<{ readonly passed: boolean; readonly receipts: readonly Receipt[] }>;
}

/** What the loop wants of the local fleet; the instance manager makes it so. */
export interface Instances {
  /** How many more of each role could start work at once, and what is connected now. */
  want(demand: FleetDemand): void;
  /** A peer said hello; claims the instance if it is one of ours. */
  arrived(peer: PeerId, pid: number, host: string): boolean;
  /** A peer says that it ends. */
  leaving(peer: PeerId, host: string): void;
  /** We stood still and heard no hello in that time: what is starting has all of its time again. */
  stalled(): void;
  isLocal(peer: PeerId): boolean;
  /** Why no more local instances of a role can be started, for people; undefined: one could be. */
  hindrance(role: 'worker' | 'reviewer'): string | undefined;
  starting(): readonly {
    readonly role: 'worker' | 'reviewer';
    readonly pid: number;
    readonly since: number;
  }[];
  terminate(peer: PeerId): boolean;
  cleanup(): Promise<void>;
}

export interface FleetDemand {
  readonly workers: {
    readonly connected: number;
    readonly idle: readonly PeerId[];
    readonly ready: number;
    readonly cap: number;
  };
  readonly reviewers: {
    readonly connected: number;
    readonly idle: readonly PeerId[];
    readonly ready: number;
  };
}

export interface ReportFiles {
  readonly markdown: string;
  readonly html: string;
  readonly json: string;
}
/** An attempt, and who carries it out. */
export interface WorkOf extends Pick<AttemptKey, 'run' | 'taskId' | 'fence'> {
  readonly worker: PeerId;
}
/** Writes the report of an ended run in all formats, and what is told of a task that is parked. */
export interface ReportWriter {
  /** `unpublished`: why its result could not be brought into the user's repository; kept, and tried again at the next start. */
  write(report: RunReport, unpublished?: string): Promise<ReportFiles>;
  find(run: RunId): ReportFiles | undefined;
  /** The report is out of date; `find` knows of none until another is written. */
  drop(run: RunId): Promise<void>;
  /** Writes the case file of a parked task. `file`: within the state folder, as `Wait.caseFile` has it. */
  writeCase(file: string, text: string): Promise<void>;
  /** Where this machine keeps what the agent of an attempt said and did, within the state folder. */
  transcriptOf(work: WorkOf): string | undefined;
}

export interface LogLine {
  readonly daemon: string;
  readonly line: string;
}

/** Which lines of the logs to give. */
export interface LogRequest {
  readonly filter: LogFilter;
  /** How many earlier lines. */
  readonly tail: number;
  /** Takes every line that is written from then on; absent: only the earlier ones are wanted. */
  readonly onLine?: (line: LogLine) => void;
}

/** The logs of the whole fleet. */
export interface LogSource {
  /** The earlier lines, and the later ones without a gap or a repetition between the two, until it is closed. */
  open(request: LogRequest): Promise<{ readonly lines: readonly LogLine[]; readonly close: () => void }>;
  /** A line of a peer on another machine. */
  receive(peer: PeerId, line: string): void;
}

/** The one address: what invitations need to know of it. */
export interface Door {
  readonly url: string;
  invite(role: 'worker' | 'reviewer'): { token: string; expiresAt: number; url: string; fingerprint: string };
  /** Lets a peer that was invited in no more, and ends its connection; false: nobody was invited by this name. */
  revoke(peer: PeerId): boolean;
}

/** Sends to one peer; undefined when it is not connected. */
export type Send = <T extends MessageType>(
  to: PeerId,
  type: T,
  payload: PayloadInput<T>,
  extra?: { readonly replyTo?: MessageId | undefined; readonly fence?: Fence },
) => MessageId | undefined;

export type { Hub, PayloadOf };
