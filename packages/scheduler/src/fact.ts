import type {
  AttemptViolation,
  CommitId,
  EscalationAction,
  Evidence,
  Failure,
  Finding,
  GateValues,
  ModelUsage,
  PeerId,
  PinnedCommit,
  Plan,
  PlanTask,
  Receipt,
  ResumePoint,
  RunId,
  TaskId,
} from '@switchyard/protocol';
import type {
  Accepted,
  IntegrationDecision,
  Lack,
  Lease,
  MergedTask,
  ReviewUsage,
  Rollback,
  PauseCause,
  RunState,
  Wait,
} from './state.ts';

/**
 * What the journal keeps of a run. Facts carry what was decided (times, rounds, next steps), never the rule, so that
 * `evolve` folds old facts the same after the rules have changed. Plain data: they survive JSON and structured clones.
 */

/** The version of the facts below, stored with each. */
export const factVersion = 1;

interface OfAttempt {
  readonly taskId: TaskId;
  readonly fence: number;
}

/** What happened to one task. */
export type TaskFact =
  /** Its dependencies are there, or its delay is over. */
  | { readonly kind: 'task-ready'; readonly taskId: TaskId; readonly reason?: string | undefined }
  /** It is ready, and nobody in the fleet can take it. */
  | { readonly kind: 'task-unmatched'; readonly taskId: TaskId; readonly lack: Lack }
  /** Somebody who can take it has come. */
  | { readonly kind: 'task-matched'; readonly taskId: TaskId }
  | { readonly kind: 'task-leased'; readonly taskId: TaskId; readonly lease: Lease }
  | ({ readonly kind: 'attempt-accepted' } & OfAttempt)
  | ({ readonly kind: 'attempt-progressed'; readonly phase: 'preparing' | 'running' } & OfAttempt)
  /** Seen while it works; it changes nothing: the proof is made at its end, and fails it. */
  | ({
      readonly kind: 'attempt-violated';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly violations: readonly AttemptViolation[];
    } & OfAttempt)
  | ({ readonly kind: 'task-submitted'; readonly evidence: Evidence } & OfAttempt)
  | ({
      readonly kind: 'attempt-failed';
      readonly failure: Failure;
      readonly evidence?: Partial<Evidence> | undefined;
    } & OfAttempt)
  | ({
      readonly kind: 'attempt-lost';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly reason: string;
    } & OfAttempt)
  /** Its worker is not heard any more, or is heard again; it changes nothing but what people are told. */
  | ({
      readonly kind: 'attempt-contact';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly isHeard: boolean;
      readonly reason: string;
    } & OfAttempt)
  | ({ readonly kind: 'attempt-escalated'; readonly text: string } & OfAttempt)
  /** It asks, and waits at work for the answer. */
  | ({
      readonly kind: 'attempt-asked';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly question: string;
      readonly text: string;
      readonly deadline: number;
    } & OfAttempt)
  /** It is told what was answered, and goes on. */
  | ({
      readonly kind: 'attempt-answered';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly question: string;
      readonly answer: string;
      readonly by: 'person' | 'policy';
    } & OfAttempt)
  /** Its worker has to stop: the task was cancelled, or built on what was taken back. */
  | ({
      readonly kind: 'attempt-cancelled';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly reason: string;
    } & OfAttempt)
  /** A fenced attempt handed in a result: it changes nothing, and its commit is kept. */
  | ({
      readonly kind: 'attempt-salvaged';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly salvage: PinnedCommit;
    } & OfAttempt)
  /** What an attempt has done so far is kept; it changes nothing but where the next one may begin. */
  | ({
      readonly kind: 'attempt-wip';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly wip: PinnedCommit;
    } & OfAttempt)
  /** What an attempt has used of models so far, in all; told every few seconds at most, and at its end. */
  | ({
      readonly kind: 'attempt-used';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly usage: readonly ModelUsage[];
    } & OfAttempt)
  /** What a reviewer's model has used so far for the review of an attempt, in all of one sitting. */
  | ({
      readonly kind: 'review-used';
      readonly attempt: number;
      readonly sitting: string;
      readonly spent: ReviewUsage;
    } & OfAttempt)
  /** A person chose what the next attempt goes on from, whatever the plan says. */
  | { readonly kind: 'resume-chosen'; readonly taskId: TaskId; readonly from: ResumePoint }
  | { readonly kind: 'review-requested'; readonly taskId: TaskId; readonly submitted: Accepted }
  | ({
      readonly kind: 'review-settled';
      readonly outcome: 'approved' | 'rejected' | 'timed-out' | 'failed';
      readonly findings: readonly Finding[];
      readonly text: string;
    } & OfAttempt)
  | { readonly kind: 'task-accepted-for-merge'; readonly taskId: TaskId; readonly accepted: Accepted }
  /** `again`: it is ready for the next round; else its rounds are used up and the next fact says what follows. */
  | ({
      readonly kind: 'task-rejected';
      readonly by: 'review' | 'verification';
      readonly findings: readonly Finding[];
      readonly again: boolean;
      readonly round: number;
      readonly continueFrom?: CommitId | undefined;
      readonly affinity?: PeerId | undefined;
      readonly text: string;
    } & OfAttempt)
  | ({
      readonly kind: 'task-conflicted';
      readonly findings: readonly Finding[];
      readonly again: boolean;
      readonly round: number;
    } & OfAttempt)
  | {
      readonly kind: 'task-retry-scheduled';
      readonly taskId: TaskId;
      readonly notBefore: number;
      readonly reason: string;
      readonly round: number;
      readonly answer?: string | undefined;
      readonly continueFrom?: CommitId | undefined;
    }
  | { readonly kind: 'task-waiting'; readonly taskId: TaskId; readonly wait: Wait }
  | {
      readonly kind: 'wait-answered';
      readonly taskId: TaskId;
      readonly by: 'person' | 'deadline';
      readonly action: EscalationAction | 'approve' | 'reject';
      readonly note: string;
      /** What a gate asked for. */
      readonly inputs?: GateValues | undefined;
    }
  /** What it was built on was taken back (`verify.when: end`): it begins anew when that is there again. */
  | {
      readonly kind: 'task-reopened';
      readonly taskId: TaskId;
      readonly because: TaskId;
      readonly reason: string;
    }
  /** The follow-ups of an attempt were looked at: added, refused, or put before a gate that was added for them. */
  | {
      readonly kind: 'follow-ups-settled';
      readonly taskId: TaskId;
      readonly fence: number;
      readonly text: string;
      readonly gate?: TaskId | undefined;
      readonly proposed?: readonly PlanTask[] | undefined;
    }
  /** A gate sends back what it comes after: it begins again when its dependencies are there. */
  | {
      readonly kind: 'task-sent-back';
      readonly taskId: TaskId;
      readonly because: TaskId;
      readonly findings: readonly Finding[];
      readonly round: number;
      readonly roundsBefore?: number | undefined;
      readonly reason: string;
    }
  /** What it had on the run branch is taken back by `commit`. */
  | {
      readonly kind: 'task-rolled-back';
      readonly taskId: TaskId;
      readonly commit: CommitId;
      readonly reason: string;
    }
  | { readonly kind: 'task-completed'; readonly taskId: TaskId; readonly merged?: CommitId | undefined }
  | { readonly kind: 'task-failed'; readonly taskId: TaskId; readonly failure: Failure }
  | {
      readonly kind: 'task-skipped';
      readonly taskId: TaskId;
      readonly because: TaskId;
      readonly reason: string;
    }
  | { readonly kind: 'task-cancelled'; readonly taskId: TaskId; readonly reason: string };

/** What happened on the way to the run branch. */
export type IntegrationFact =
  | ({ readonly kind: 'integration-decided' } & IntegrationDecision)
  /** `verify.when: end`: everything else has ended, the whole candidate is verified (`move`: there is nothing to run). */
  | {
      readonly kind: 'verification-decided';
      readonly decision: IntegrationDecision;
      readonly tip: CommitId;
      readonly merged: readonly MergedTask[];
      readonly next: 'verify' | 'move';
    }
  /** `none`: everything conflicted; `defer`: the candidate has it, verification comes at the end. */
  | {
      readonly kind: 'tasks-merged';
      readonly batch: number;
      readonly tip: CommitId;
      readonly merged: readonly MergedTask[];
      readonly next: 'none' | 'verify' | 'move' | 'defer';
    }
  | {
      readonly kind: 'batch-verified';
      readonly batch: number;
      readonly commit: CommitId;
      readonly tasks: readonly TaskId[];
      readonly passed: boolean;
      readonly receipts: readonly Receipt[];
      /** The run branch was tried without the tasks, not with them. */
      readonly isRollback?: boolean | undefined;
    }
  /** Who is still suspected, and how many of the first of them are tried next. */
  | {
      readonly kind: 'batch-bisected';
      readonly batch: number;
      readonly suspects: readonly TaskId[];
      readonly trial: number;
    }
  | {
      readonly kind: 'branch-moved';
      readonly batch: number;
      readonly from: CommitId;
      readonly to: CommitId;
      readonly merged: readonly MergedTask[];
    }
  | {
      readonly kind: 'integration-retried';
      readonly batch: number;
      readonly tries: number;
      readonly failure: Failure;
    }
  /** The batch is dropped; its tasks go back to the head of the queue, in order. */
  | {
      readonly kind: 'integration-abandoned';
      readonly batch: number;
      readonly reason: string;
      readonly requeue: readonly TaskId[];
    }
  | ({ readonly kind: 'rollback-asked' } & Rollback)
  /** The commits are computed from this alone, as those of an integration are. */
  | {
      readonly kind: 'rollback-decided';
      readonly batch: number;
      readonly parent: CommitId;
      readonly reverts: readonly MergedTask[];
      readonly reason: string;
    }
  | {
      readonly kind: 'merges-reverted';
      readonly batch: number;
      readonly tip: CommitId;
      readonly next: 'verify' | 'move';
    }
  /** Nothing is rolled back: everything stays on the run branch as it is. */
  | {
      readonly kind: 'rollback-refused';
      readonly reason: string;
      readonly findings: readonly Finding[];
    };

/** What happened to the run as a whole. */
export type WholeRunFact =
  | {
      readonly kind: 'run-created';
      readonly run: RunId;
      readonly plan: Plan;
      readonly base: CommitId;
      readonly branch: string;
      readonly file?: string | undefined;
      readonly include?: CommitId | undefined;
      readonly strategy: RunState['strategy'];
    }
  | { readonly kind: 'run-started' }
  | { readonly kind: 'tasks-added'; readonly tasks: readonly PlanTask[] }
  | {
      readonly kind: 'run-paused';
      readonly reason: string;
      readonly until?: number | undefined;
      readonly cause?: PauseCause | undefined;
    }
  /** The new budget in all. */
  | { readonly kind: 'budget-raised'; readonly usd: number; readonly of: 'run' | 'task' }
  | { readonly kind: 'run-resumed'; readonly reason?: string | undefined }
  | { readonly kind: 'run-stopping'; readonly end: 'failed' | 'cancelled'; readonly reason: string }
  | {
      readonly kind: 'run-ended';
      readonly end: 'completed' | 'failed' | 'cancelled';
      readonly reason: string;
    };

/** One thing that happened, without its time. */
export type UndatedFact = TaskFact | IntegrationFact | WholeRunFact;
/** One thing that happened. `at`: milliseconds since the epoch, the orchestrator's clock. */
export type RunFact = { readonly at: number } & UndatedFact;
export type RunFactKind = RunFact['kind'];
