import type { Specialization } from '@switchyard/protocol';
import type {
  Conclusion,
  DeliverableName,
  SessionErrorClass,
  SessionMetrics,
  SessionState,
} from './session-document.ts';
import type { SessionStep } from './session-phases.ts';

/** What went wrong, before anything is decided. */
export interface SessionTrouble {
  readonly errorClass: SessionErrorClass;
  /** For people: what happened and where. */
  readonly message: string;
  /** For people: what to do. */
  readonly instructions?: string | undefined;
}

/** A reviewer that is wanted: for what, why, and what it looks at that no other does. */
export interface WantedReviewer {
  readonly dimension: Specialization;
  readonly reason: string;
  readonly focus: readonly string[];
}

/** What a step came to. */
export type StepOutcome =
  | { readonly step: 'load_specs' }
  | {
      readonly step: 'parse_task';
      readonly title: string;
      readonly complexity: 'low' | 'medium' | 'high';
    }
  | { readonly step: 'retrieve_plan'; readonly inputsDigest: string }
  /** With gaps the session fails. */
  | { readonly step: 'validate_plan'; readonly gaps: readonly string[] }
  | {
      readonly step: 'assess_status';
      readonly brownfield: SessionState['session_metadata']['brownfield'];
    }
  | {
      readonly step: 'choose_reviewers';
      readonly projectType: NonNullable<SessionState['session_metadata']['project_type']>;
      readonly reason: string;
      readonly scope: string;
      readonly scopeDigest: string;
      readonly reviewers: readonly WantedReviewer[];
      /** Every dimension that the type of the project asks for has its reviewer. */
      readonly covers: boolean;
    }
  | { readonly step: 'integrate_results'; readonly conclusion: Conclusion }
  /** `readable`: the report was read back, and nothing is missing in it. */
  | { readonly step: 'write_report'; readonly readable: boolean }
  | { readonly step: 'record_metrics'; readonly metrics: SessionMetrics }
  | { readonly step: 'archive_session' }
  | { readonly step: 'update_task'; readonly status: string }
  /** `missing`: what should be there now, and is not; then nothing was cleaned up, and the session does not complete. */
  | { readonly step: 'clean_up'; readonly missing?: readonly DeliverableName[] };

/** What names a launch of a reviewer; of an earlier one nothing counts any more. */
interface Launch {
  readonly reviewer: string;
  readonly attempt: number;
}

/** Everything that can happen to a session. */
export type SessionInput = { readonly at: number } & (
  | {
      readonly kind: 'create';
      readonly taskId: string;
      readonly sessionId: string;
      readonly projectRoot: string;
      readonly acceptedFailureShare: number;
      readonly request?: SessionState['session_metadata']['request'] | undefined;
      /** Why it begins anew in place of an earlier one. */
      readonly restarts?: string | undefined;
    }
  /** The orchestrator of before is gone; this one goes on. */
  | { readonly kind: 'recover'; readonly reason: string }
  | { readonly kind: 'step-begin'; readonly step: SessionStep }
  | { readonly kind: 'step-done'; readonly outcome: StepOutcome; readonly warnings?: readonly string[] }
  | { readonly kind: 'step-failed'; readonly step: SessionStep; readonly trouble: SessionTrouble }
  /** Every reviewer that is due begins, all at once. */
  | { readonly kind: 'launch' }
  | ({ readonly kind: 'reviewer-progress'; readonly progress: number; readonly phase: string } & Launch)
  /** The reviewer announces its result. */
  | ({ readonly kind: 'reviewer-completing' } & Launch)
  /** The orchestrator is ready for it. */
  | ({ readonly kind: 'acknowledge' } & Launch)
  | ({
      readonly kind: 'reviewer-result';
      readonly findings: number;
      readonly resultFile: string;
      readonly resultSha256: string;
    } & Launch)
  | ({ readonly kind: 'reviewer-error'; readonly trouble: SessionTrouble } & Launch)
  | { readonly kind: 'tick' }
  | { readonly kind: 'abort'; readonly reason: string }
);
