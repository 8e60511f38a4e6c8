import type { SessionError } from './session-document.ts';
import type { SessionInput, StepOutcome, WantedReviewer } from './session-input.ts';
import type { SessionPhase, SessionStep } from './session-phases.ts';
import type { Recovery } from './recovery.ts';

type InputOf<K extends SessionInput['kind']> = SessionInput & { readonly kind: K };

/** One thing that happened to a session; after each the file is written. */
export type SessionFact = { readonly at: number } & (
  | { readonly kind: 'session-created'; readonly by: Omit<InputOf<'create'>, 'kind' | 'at'> }
  | {
      readonly kind: 'session-recovered';
      readonly reason: string;
      /** They begin anew. */
      readonly reviewers: readonly string[];
    }
  | { readonly kind: 'phase-begun'; readonly phase: SessionPhase }
  | {
      readonly kind: 'step-completed';
      readonly outcome: StepOutcome;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'reviewers-registered'; readonly reviewers: readonly WantedReviewer[] }
  | { readonly kind: 'phase-completed'; readonly phase: SessionPhase }
  | {
      readonly kind: 'step-erred';
      readonly step: SessionStep;
      readonly error: SessionError;
      readonly recovery: Recovery;
    }
  | { readonly kind: 'reviewer-launched'; readonly reviewer: string }
  | {
      readonly kind: 'reviewer-progressed';
      readonly reviewer: string;
      readonly progress: number;
      readonly phase: string;
    }
  | { readonly kind: 'reviewer-completing'; readonly reviewer: string }
  | { readonly kind: 'reviewer-acknowledged'; readonly reviewer: string }
  | {
      readonly kind: 'reviewer-completed';
      readonly reviewer: string;
      readonly findings: number;
      readonly resultFile: string;
      readonly resultSha256: string;
    }
  | {
      readonly kind: 'reviewer-erred';
      readonly reviewer: string;
      readonly error: SessionError;
      readonly recovery: Recovery;
    }
  /** Every reviewer has come to an end, and enough of them have a result. */
  | { readonly kind: 'reviewers-done'; readonly warnings: readonly string[] }
  | { readonly kind: 'session-completed' }
  | { readonly kind: 'session-failed'; readonly reason: string; readonly fatal: boolean }
);
export type SessionFactKind = SessionFact['kind'];

type Undated<Fact> = Fact extends unknown ? Omit<Fact, 'at'> : never;
/** A fact before its time is put to it. */
export type UndatedSessionFact = Undated<SessionFact>;
