import type { ChangedFile, CommitId, TaskId } from '@switchyard/protocol';
import type { Accepted, IntegrationDecision, Lease } from './state.ts';

/**
 * Effects that are owed: a function of the state, so that a restart owes what was owed before. Each carries an id
 * that is the same however often it is computed; whoever performs them may do so twice.
 */
export type Owed =
  /** Tell the worker (again) what to do; owed while the lease is not accepted. */
  | { readonly kind: 'assign'; readonly id: string; readonly taskId: TaskId; readonly lease: Lease }
  /** Have the attempt's commit reviewed. For tasks of kind `review`: the run's tip against its base. */
  | {
      readonly kind: 'review';
      readonly id: string;
      readonly taskId: TaskId;
      readonly submitted: Accepted;
      readonly round: number;
      readonly files: readonly ChangedFile[];
    }
  /** Write the case file of a task that is parked. */
  | {
      readonly kind: 'case';
      readonly id: string;
      readonly taskId: TaskId;
      readonly file: string;
      readonly canAccept: boolean;
    }
  /** Make tasks of what a completed task hands in as follow-ups. */
  | {
      readonly kind: 'follow-ups';
      readonly id: string;
      readonly taskId: TaskId;
      readonly fence: number;
      readonly followUps: readonly string[];
    }
  | { readonly kind: 'integrate'; readonly id: string; readonly decision: IntegrationDecision }
  /** Take merges back. */
  | { readonly kind: 'revert'; readonly id: string; readonly decision: IntegrationDecision }
  | { readonly kind: 'verify'; readonly id: string; readonly batch: number; readonly commit: CommitId }
  | {
      readonly kind: 'move';
      readonly id: string;
      readonly batch: number;
      readonly from: CommitId;
      readonly to: CommitId;
    }
  /** A person is asked: let them see in their repository what is on the run branch. */
  | { readonly kind: 'publish'; readonly id: string }
  /** The run has ended: write the report, publish the branch. */
  | { readonly kind: 'finish'; readonly id: string };
