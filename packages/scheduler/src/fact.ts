import type {
  CommitId,
  EscalationAction,
  Evidence,
  Failure,
  Finding,
  PeerId,
  Plan,
  PlanTask,
  Receipt,
  RunId,
  TaskId,
} from '@switchyard/protocol';
import type { Accepted, IntegrationDecision, Lack, Lease, MergedTask, RunState, Wait } from './state.ts';

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
  | ({ readonly kind: 'attempt-escalated'; readonly text: string } & OfAttempt)
  /** Its worker has to stop: the task was cancelled, or built on what was taken back. */
  | ({
      readonly kind: 'attempt-cancelled';
      readonly attempt: number;
      readonly worker: PeerId;
      readonly reason: string;
    } & OfAttempt)
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
    }
  /** What it was built on was taken back (`verify.when: end`): it begins anew when that is there again. */
  | {
      readonly kind: 'task-reopened';
      readonly taskId: TaskId;
      readonly because: TaskId;
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
  | { readonly kind: 'run-paused'; readonly reason: string; readonly until?: number | undefined }
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

const kinds: Readonly<Record<RunFactKind, 'task' | 'integration' | 'run'>> = {
  'task-ready': 'task',
  'task-unmatched': 'task',
  'task-matched': 'task',
  'task-leased': 'task',
  'attempt-accepted': 'task',
  'attempt-progressed': 'task',
  'task-submitted': 'task',
  'attempt-failed': 'task',
  'attempt-lost': 'task',
  'attempt-escalated': 'task',
  'attempt-cancelled': 'task',
  'review-requested': 'task',
  'review-settled': 'task',
  'task-accepted-for-merge': 'task',
  'task-rejected': 'task',
  'task-conflicted': 'task',
  'task-retry-scheduled': 'task',
  'task-waiting': 'task',
  'wait-answered': 'task',
  'task-reopened': 'task',
  'task-completed': 'task',
  'task-failed': 'task',
  'task-skipped': 'task',
  'task-cancelled': 'task',
  'integration-decided': 'integration',
  'verification-decided': 'integration',
  'tasks-merged': 'integration',
  'batch-verified': 'integration',
  'batch-bisected': 'integration',
  'branch-moved': 'integration',
  'integration-retried': 'integration',
  'integration-abandoned': 'integration',
  'run-created': 'run',
  'run-started': 'run',
  'tasks-added': 'run',
  'run-paused': 'run',
  'run-resumed': 'run',
  'run-stopping': 'run',
  'run-ended': 'run',
};

/** Whether a stored kind is one of a run's facts. */
export function isRunFactKind(kind: string): kind is RunFactKind {
  return Object.hasOwn(kinds, kind);
}

/** Whether a fact speaks of one task. */
export function isTaskFact(fact: RunFact): fact is { readonly at: number } & TaskFact {
  return kinds[fact.kind] === 'task';
}

/** Whether a fact speaks of the way to the run branch. */
export function isIntegrationFact(fact: RunFact): fact is { readonly at: number } & IntegrationFact {
  return kinds[fact.kind] === 'integration';
}
