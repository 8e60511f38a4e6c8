import type {
  ChangedFile,
  CommitId,
  DatedPin,
  EscalationAction,
  Failure,
  Fence,
  Finding,
  GateInput,
  GateValues,
  Handover,
  ModelUsage,
  PeerId,
  Plan,
  PlanTask,
  Receipt,
  ResumePoint,
  RunId,
  Specialization,
  Strategy,
  TaskId,
} from '@switchyard/protocol';
import type { PathLeases } from './path-leases.ts';

/** One try at a task by one worker, while it works. */
export interface Lease {
  readonly worker: PeerId;
  readonly attempt: number;
  readonly fence: Fence;
  readonly at: number;
  /** The tip of the run at the moment of the lease. */
  readonly base: CommitId;
  /** The work of an earlier attempt that it goes on from. */
  readonly resumeFrom?: ResumePoint | undefined;
}

/** What reviews passed (or needed none) and waits for the run branch. `commit` absent: nothing to merge. */
export interface Accepted {
  readonly attempt: number;
  readonly fence: Fence;
  readonly commit: CommitId;
  readonly base: CommitId;
  readonly at: number;
}

/** A wait for a person; every wait has a deadline and a default (DESIGN.md section 6). */
export interface Wait {
  readonly kind: 'gate' | 'escalation';
  readonly text: string;
  readonly since: number;
  readonly deadline: number;
  readonly default: EscalationAction;
  /** What the task fails with when the answer is `fail`; absent: the answer itself is the failure. */
  readonly failure?: Failure | undefined;
  /** What `accept` would accept: the change whose review is at its end. */
  readonly submitted?: Accepted | undefined;
  /** Where the file is, within the state folder, that says what was tried; absent: there is none. */
  readonly caseFile?: string | undefined;
  /** What a gate asks for. */
  readonly inputs?: readonly GateInput[] | undefined;
}

/** Why a ready task is not leased: nobody in the fleet can take it. */
export interface Lack {
  /** What a worker would have to offer; empty: any worker would do. */
  readonly labels: readonly string[];
  /** When the task fails with E_NO_WORKER. */
  readonly deadline: number;
  /** Why there are no more workers, where that is known; for people. */
  readonly note?: string | undefined;
}

export type TaskPhaseState =
  | { readonly kind: 'pending' }
  | {
      readonly kind: 'ready';
      readonly since: number;
      readonly notBefore: number;
      readonly reason?: string | undefined;
      readonly lack?: Lack | undefined;
    }
  | { readonly kind: 'leased'; readonly lease: Lease }
  | { readonly kind: 'preparing'; readonly lease: Lease }
  | { readonly kind: 'running'; readonly lease: Lease }
  | { readonly kind: 'reviewing'; readonly submitted: Accepted; readonly since: number }
  | {
      readonly kind: 'integrating';
      readonly accepted: Accepted;
      readonly since: number;
      /** Holds its path lease; no more once it has been on the candidate of `verify.when: end`. */
      readonly holds: boolean;
    }
  | {
      readonly kind: 'verifying';
      readonly accepted: Accepted;
      readonly merged: CommitId;
      readonly since: number;
      readonly holds: boolean;
      /** The candidate has it and dependants may start (`verify.when: end`). */
      readonly onCandidate: boolean;
    }
  | { readonly kind: 'waiting'; readonly wait: Wait }
  | { readonly kind: 'completed'; readonly at: number; readonly merged?: CommitId | undefined }
  | { readonly kind: 'failed'; readonly at: number; readonly failure: Failure }
  | { readonly kind: 'skipped'; readonly at: number; readonly because: TaskId; readonly reason: string }
  | { readonly kind: 'cancelled'; readonly at: number; readonly reason: string }
  /** It was on the run branch, and `commit` took it back. */
  | { readonly kind: 'rolled-back'; readonly at: number; readonly commit: CommitId; readonly reason: string };

export type AttemptOutcome =
  'running' | 'submitted' | 'accepted' | 'rejected' | 'failed' | 'lost' | 'cancelled' | 'conflict';

/** What one sitting of a reviewer has used of models. */
export interface ReviewUsage {
  readonly reviewer: PeerId;
  readonly specialization: Specialization;
  readonly usage: readonly ModelUsage[];
}

/** What an attempt asks while it works. */
export interface AttemptQuestion {
  /** As its worker names it. */
  readonly id: string;
  readonly text: string;
  readonly since: number;
  /** When its attempt waits no longer, and ends with it. */
  readonly deadline: number;
  readonly answer?:
    { readonly text: string; readonly by: 'person' | 'policy'; readonly at: number } | undefined;
}

/** What is remembered of an attempt for the report. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly fence: Fence;
  readonly round: number;
  readonly worker: PeerId;
  readonly leasedAt: number;
  readonly base: CommitId;
  endedAt?: number | undefined;
  outcome: AttemptOutcome;
  commit?: CommitId | undefined;
  files: readonly ChangedFile[];
  receipts: readonly Receipt[];
  /** The end of what its executor printed; absent: nothing, or it handed in nothing. */
  outputTail?: string | undefined;
  /** What it said to those that depend on its task. */
  handover?: Handover | undefined;
  failure?: Failure | undefined;
  sandbox?: 'bubblewrap' | 'none' | undefined;
  /** What it handed in after it had been fenced. */
  salvage?: DatedPin | undefined;
  /** What it had done, as it was last told. */
  wip?: DatedPin | undefined;
  readonly resumedFrom?: ResumePoint | undefined;
  /** What it has used of models. */
  usage?: readonly ModelUsage[] | undefined;
  /** What its reviewers have used of models, by sitting. */
  reviewUsage?: Readonly<Record<string, ReviewUsage>> | undefined;
  /** What it asked while it worked, oldest first; only the last may be without an answer. */
  questions?: readonly AttemptQuestion[] | undefined;
  /** Since when its worker is not heard; absent: it is, or the attempt is over. */
  silentSince?: number | undefined;
}

export interface TaskState {
  readonly task: PlanTask;
  phase: TaskPhaseState;
  /** Attempts begun. */
  attempts: number;
  /** The highest fence given out; 0 before the first lease. */
  fence: number;
  /** 1 + rejections and send-backs so far; of a gate: 1 + how often it sent back. */
  round: number;
  /** Rounds that were over when a gate sent it back; they do not count against `review.rounds`. */
  roundsBefore?: number | undefined;
  /** Findings for the next attempt. */
  feedback: readonly Finding[];
  /** The commit the next attempt goes on from. */
  continueFrom?: CommitId | undefined;
  /** The worker that holds the clone of the last attempt. */
  affinity?: PeerId | undefined;
  /** A person's answer for the next attempt. */
  answer?: string | undefined;
  /** What a person chose for the next attempt to go on from; until that is leased, or there is a result. */
  takeUp?: ResumePoint | undefined;
  /** Where its case file is, once it was parked. */
  caseFile?: string | undefined;
  /** What of it is on the run branch, oldest first; more than one once a gate has sent it back. */
  merges?: readonly Merge[] | undefined;
  /** The fence of the attempt whose follow-ups were looked at last. */
  handedFence?: number | undefined;
  /** Of a gate: the tasks it asks for, and who proposes them. */
  proposal?: { readonly from: TaskId; readonly tasks: readonly PlanTask[] } | undefined;
  readonly history: AttemptRecord[];
}

/** A commit by which a task came onto the run branch. */
export interface Merge {
  readonly commit: CommitId;
  /** Grows along the branch, over all tasks of the run. */
  readonly order: number;
}

export interface IntegrationDecision {
  /** Grows by one with each decision of the run; names the effect. */
  readonly batch: number;
  readonly parent: CommitId;
  readonly at: number;
  readonly entries: readonly { readonly taskId: TaskId; readonly accepted: Accepted }[];
  /** A rollback: merges that are taken back, newest first; `entries` is empty. */
  readonly reverts?: readonly MergedTask[] | undefined;
}

/** A rollback that is asked for and waits for its turn. */
export interface Rollback {
  /** Empty: everything that is on the run branch. */
  readonly taskIds: readonly TaskId[];
  readonly withDependants: boolean;
  readonly reason: string;
}

export interface MergedTask {
  readonly taskId: TaskId;
  readonly commit: CommitId;
}

/** One integration at a time per run. */
export type IntegrationState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'merging'; readonly decision: IntegrationDecision; readonly tries: number }
  | {
      readonly kind: 'verifying';
      readonly decision: IntegrationDecision;
      readonly tip: CommitId;
      readonly merged: readonly MergedTask[];
      /** Times it could not be carried out. */
      readonly tries: number;
    }
  | {
      readonly kind: 'moving';
      readonly decision: IntegrationDecision;
      readonly from: CommitId;
      readonly to: CommitId;
      readonly merged: readonly MergedTask[];
      readonly tries: number;
    };

export interface VerificationRecord {
  readonly commit: CommitId;
  readonly tasks: readonly TaskId[];
  /** It was tried without the tasks, not with them. */
  readonly isRollback?: boolean | undefined;
  readonly passed: boolean;
  readonly at: number;
  readonly receipts: readonly Receipt[];
}

export type RunPhaseState =
  | { readonly kind: 'planned' }
  | { readonly kind: 'running' }
  /** Running attempts are being stopped; then the run ends as `end`. */
  | { readonly kind: 'stopping'; readonly end: 'failed' | 'cancelled'; readonly reason: string }
  | { readonly kind: 'completed'; readonly at: number }
  | { readonly kind: 'failed'; readonly at: number; readonly reason: string }
  | { readonly kind: 'cancelled'; readonly at: number; readonly reason: string };

/** How many tasks are in each phase. */
export type PhaseCounts = Record<TaskPhaseState['kind'], number>;

/** What `evolve` keeps beside the state, so that a decision costs what it touches and not the size of the plan. */
export interface RunIndex {
  /** Task → its place in the plan. */
  order: ReadonlyMap<TaskId, number>;
  dependants: ReadonlyMap<TaskId, readonly TaskId[]>;
  /** Task → minutes of the longest path that begins with it. */
  remaining: ReadonlyMap<TaskId, number>;
  readonly counts: PhaseCounts;
  /** Tasks that may be leased now, in the order of the run's strategy. */
  readonly ready: TaskId[];
  /** Ready, but not before a time. */
  readonly delayed: Set<TaskId>;
  /** Ready, but nobody in the fleet can take them. */
  readonly unmatched: Set<TaskId>;
  /** Tasks with a lease. */
  readonly active: Set<TaskId>;
  readonly reviewing: Set<TaskId>;
  readonly waiting: Set<TaskId>;
  /** Completed, with follow-ups that nobody has looked at. */
  readonly handing: Set<TaskId>;
  readonly paths: PathLeases;
}

/** Why a run paused by itself: its money is spent, or a provider's quota is. */
export type PauseCause = 'budget' | 'quota';

/** Everything of one run; owned and changed by `evolve` alone. */
export interface RunState {
  readonly run: RunId;
  plan: Plan;
  readonly base: CommitId;
  /** `switchyard/<run>`. */
  readonly branch: string;
  /** The plan file as the user named it, for people. */
  readonly file?: string | undefined;
  /** A commit whose tree holds the untracked files of the plan's `include`. */
  readonly include?: CommitId | undefined;
  readonly createdAt: number;
  startedAt?: number | undefined;
  phase: RunPhaseState;
  paused?:
    | {
        readonly since: number;
        readonly reason: string;
        /** When the run goes on by itself; absent: when somebody resumes it. */
        readonly until?: number | undefined;
        /** Absent: a person paused it. */
        readonly cause?: PauseCause | undefined;
      }
    | undefined;
  /** Money that was told of on each day (UTC, `2026-01-31`), in millionths of a dollar. */
  spentOn?: Readonly<Record<string, number>> | undefined;
  strategy: { readonly asked: Strategy; readonly chosen: Strategy; readonly reason: string };
  /** Where the run branch stands: only what passed. */
  tip: CommitId;
  /** Where integration stands: equals `tip` but with `verify.when: end`. */
  candidate: CommitId;
  readonly tasks: Map<TaskId, TaskState>;
  integration: IntegrationState;
  /** Asked for, waiting or under way. */
  rollback?: Rollback | undefined;
  /** Order in which accepted tasks integrate. */
  readonly queue: TaskId[];
  /** Tasks of a batch that failed verification, still to be bisected; first those to try next. */
  suspects: readonly TaskId[];
  /** How many of the suspects the next batch tries. */
  trial: number;
  /** `verify.when: end`: tasks that the candidate has and the run branch has not, in the order of their merges. */
  deferred: readonly TaskId[];
  batches: number;
  readonly verifications: VerificationRecord[];
  /** Values that gates passed on, in the order of the answers. */
  readonly answers: { readonly taskId: TaskId; readonly inputs: GateValues }[];
  /** What can be told from the rest of the state, kept so that nothing searches all tasks. */
  readonly index: RunIndex;
}
