import type {
  AttemptViolation,
  CommitId,
  EscalationAction,
  Evidence,
  Failure,
  Finding,
  GateValues,
  KeptKind,
  ModelUsage,
  PeerId,
  PinnedCommit,
  Plan,
  PlanTask,
  Receipt,
  RunId,
  TaskId,
} from '@switchyard/protocol';
import type { MergedTask, PauseCause, ReviewUsage } from './state.ts';

/** A worker that can take attempts now. */
export interface WorkerOffer {
  readonly worker: PeerId;
  readonly labels: readonly string[];
  readonly freeSlots: number;
}

/** What a worker offers that is connected, busy or free, or that could be started. `labels` absent: not known yet. */
export interface FleetMember {
  readonly labels?: readonly string[] | undefined;
}

/** Names the attempt an input speaks of; another fence than the current one changes nothing. */
export interface AttemptInput {
  readonly taskId: TaskId;
  readonly fence: number;
}

/** Everything that can happen to a run. `at`: milliseconds since the epoch, the orchestrator's clock. */
export type RunInput = { readonly at: number } & (
  | {
      readonly kind: 'create';
      readonly run: RunId;
      readonly plan: Plan;
      readonly base: CommitId;
      readonly file?: string | undefined;
      /** A commit whose tree holds the untracked files of the plan's `include`. */
      readonly include?: CommitId | undefined;
    }
  | { readonly kind: 'start' }
  /** Free slots of the fleet: lease what may run. `measuredRpm`: requests of the last minute, when known. */
  | {
      readonly kind: 'offer';
      readonly offers: readonly WorkerOffer[];
      readonly measuredRpm?: number | undefined;
    }
  /** The fleet as a whole: which ready tasks have nobody that can take them. `note`: why there are no more, for people. */
  | { readonly kind: 'fleet'; readonly workers: readonly FleetMember[]; readonly note?: string | undefined }
  | ({ readonly kind: 'accepted' } & AttemptInput)
  | ({ readonly kind: 'progressed'; readonly phase: 'preparing' | 'running' | 'checking' } & AttemptInput)
  /** The audit sees, while it works, what is not its to do. */
  | ({ readonly kind: 'violated'; readonly violations: readonly AttemptViolation[] } & AttemptInput)
  | ({ readonly kind: 'submitted'; readonly evidence: Evidence } & AttemptInput)
  | ({
      readonly kind: 'attempt-failed';
      readonly failure: Failure;
      readonly evidence?: Partial<Evidence> | undefined;
    } & AttemptInput)
  | ({ readonly kind: 'escalated'; readonly text: string } & AttemptInput)
  /** It asks, and waits at work. `waitMs`: how long. */
  | ({
      readonly kind: 'asked';
      readonly question: string;
      readonly text: string;
      readonly waitMs: number;
    } & AttemptInput)
  /** The worker is gone, refused, or did not answer. */
  | ({ readonly kind: 'lost'; readonly reason: string } & AttemptInput)
  /** Its worker is not heard any more, or is heard again; it keeps its attempt. */
  | ({ readonly kind: 'contact'; readonly isHeard: boolean; readonly reason: string } & AttemptInput)
  /** A result of an attempt that had been taken from its worker; its commit is pinned. */
  | ({ readonly kind: 'salvaged'; readonly salvage: PinnedCommit } & AttemptInput)
  /** What an attempt has done so far; its commit is pinned. */
  | ({ readonly kind: 'wip-kept'; readonly wip: PinnedCommit } & AttemptInput)
  | ({
      readonly kind: 'reviewed';
      readonly outcome: 'approved' | 'rejected' | 'timed-out' | 'failed';
      readonly findings: readonly Finding[];
      readonly text: string;
    } & AttemptInput)
  | {
      readonly kind: 'merged';
      readonly batch: number;
      readonly tip: CommitId;
      readonly merged: readonly MergedTask[];
      readonly conflicts: readonly { readonly taskId: TaskId; readonly findings: readonly Finding[] }[];
    }
  | {
      readonly kind: 'verified';
      readonly batch: number;
      readonly passed: boolean;
      readonly receipts: readonly Receipt[];
      /** Looked at when one task alone fails: the commit below it does not pass either, so it is not to blame. */
      readonly parentFails?: boolean | undefined;
    }
  /** What a rollback gave; with conflicts nothing is taken back. */
  | {
      readonly kind: 'reverted';
      readonly batch: number;
      readonly tip: CommitId;
      /** Nothing is left of the run: the files are those of its base. */
      readonly isBase: boolean;
      readonly conflicts: readonly { readonly taskId: TaskId; readonly findings: readonly Finding[] }[];
    }
  /** The merge or the verification could not be carried out at all (sandbox, disk, git). */
  | { readonly kind: 'integration-errored'; readonly batch: number; readonly failure: Failure }
  | { readonly kind: 'moved'; readonly batch: number }
  | { readonly kind: 'branch-lost'; readonly batch: number; readonly reason: string }
  | {
      readonly kind: 'gate-answered';
      readonly taskId: TaskId;
      readonly approve: boolean;
      readonly note: string;
      /** What the gate asks for. */
      readonly inputs?: GateValues | undefined;
      /** When what is answered was asked; absent: what is asked now. */
      readonly asked?: number | undefined;
    }
  | {
      readonly kind: 'escalation-answered';
      readonly taskId: TaskId;
      readonly action: EscalationAction;
      readonly note: string;
      readonly asked?: number | undefined;
    }
  /** The next attempt shall go on from what is kept of an earlier one. */
  | {
      readonly kind: 'take-up';
      readonly taskId: TaskId;
      readonly attempt: number;
      readonly what: KeptKind;
    }
  /** What an attempt has used of models so far, in all. */
  | ({ readonly kind: 'used'; readonly usage: readonly ModelUsage[] } & AttemptInput)
  /** The same for the review of an attempt, in one sitting of a reviewer. */
  | ({ readonly kind: 'review-used'; readonly sitting: string; readonly spent: ReviewUsage } & AttemptInput)
  /** The budget is used up (`budget`), or a provider has nothing left (`quota`). `until`: when it goes on by itself. */
  | {
      readonly kind: 'spent';
      readonly cause: PauseCause;
      readonly reason: string;
      readonly until?: number | undefined;
    }
  /** The new budget in all. */
  | { readonly kind: 'raise-budget'; readonly usd: number; readonly perTask?: boolean | undefined }
  /** What the follow-ups of a completed task are as tasks of the plan, or why they are none. */
  | ({
      readonly kind: 'follow-ups';
      readonly tasks: readonly PlanTask[];
      readonly problem?: string | undefined;
    } & AttemptInput)
  | { readonly kind: 'add-tasks'; readonly tasks: readonly PlanTask[] }
  /** Takes the merges of a task, or of the whole run, back from the run branch. */
  | {
      readonly kind: 'rollback';
      readonly taskId?: TaskId | undefined;
      readonly withDependants: boolean;
      readonly reason: string;
    }
  | { readonly kind: 'pause'; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'cancel'; readonly taskId?: TaskId | undefined; readonly reason: string }
  /** Time has passed: deadlines, backoff, wall clock. */
  | { readonly kind: 'tick' }
);
export type RunInputKind = RunInput['kind'];
