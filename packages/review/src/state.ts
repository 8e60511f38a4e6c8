import type {
  ChangedFile,
  CommitId,
  Fence,
  Finding,
  PeerId,
  ReviewId,
  RunId,
  Specialization,
  TaskId,
  Verdict,
} from '@switchyard/protocol';

/** What is asked of the reviewers of one attempt's commit. Keyed by attempt and commit, never by task name. */
export interface ReviewRequest {
  readonly run: RunId;
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly fence: Fence;
  readonly commit: CommitId;
  readonly base: CommitId;
  readonly round: number;
  readonly worker?: PeerId | undefined;
  readonly files: readonly ChangedFile[];
  /** Files and folders that are reviewed as they stand; absent: what has changed since the base. */
  readonly reads?: readonly string[] | undefined;
  readonly description: string;
  readonly acceptanceCriteria: readonly string[];
  /** At least one; chosen by the plan or by `chooseSpecializations`. */
  readonly specializations: readonly Specialization[];
  /** Why these, for the report. */
  readonly reason: string;
  readonly previousFindings: readonly Finding[];
  readonly timeoutMs: number;
  readonly onTimeout: 'escalate' | 'approve';
  /** Specializations that have to approve, where the others come to no verdict; absent: all. */
  readonly quorum?: number | undefined;
  /** `optional`: a rejection becomes advice and the review approves. */
  readonly mode: 'required' | 'optional';
}

/** One specialization's review. */
export type MemberPhase =
  | { readonly kind: 'requested'; readonly since: number; readonly tries: number }
  | {
      readonly kind: 'assigned';
      readonly reviewId: ReviewId;
      readonly reviewer: PeerId;
      readonly at: number;
      readonly tries: number;
      /** Time that its model was waited for, and that is given to it on top. */
      readonly heldMs?: number | undefined;
    }
  | {
      readonly kind: 'completing';
      readonly reviewId: ReviewId;
      readonly reviewer: PeerId;
      readonly at: number;
      readonly tries: number;
      /** Time that its model was waited for, and that is given to it on top. */
      readonly heldMs?: number | undefined;
    }
  | { readonly kind: 'approved'; readonly verdict: Verdict; readonly at: number }
  | { readonly kind: 'rejected'; readonly verdict: Verdict; readonly at: number }
  | { readonly kind: 'failed'; readonly at: number; readonly reason: string }
  | { readonly kind: 'timed-out'; readonly at: number };

export interface ReviewMember {
  readonly specialization: Specialization;
  phase: MemberPhase;
  /** Reviews that failed or whose verdict was refused; limited. */
  failures: number;
  /** Reviewers that failed; others go first. */
  readonly avoided: PeerId[];
  /** Who had it last, for the report. */
  last?: { readonly reviewId: ReviewId; readonly reviewer: PeerId; readonly at: number } | undefined;
}

export interface ReviewOutcome {
  readonly kind: 'approved' | 'rejected' | 'timed-out' | 'failed';
  readonly at: number;
  /** Duplicates merged, most severe first. */
  readonly findings: readonly Finding[];
  /** One line for people. */
  readonly text: string;
}

export interface ReviewState {
  readonly request: ReviewRequest;
  readonly requestedAt: number;
  readonly members: Map<Specialization, ReviewMember>;
  outcome?: ReviewOutcome | undefined;
}
