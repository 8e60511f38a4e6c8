import type { SessionErrorClass } from './session-document.ts';

interface MatrixRow {
  readonly max_retries: number;
  readonly backoff_strategy: 'linear' | 'immediate' | 'none' | 'exponential';
  /** More errors of the class than this are a person's to look at. */
  readonly escalation_threshold: number;
}

/** What is tried again, how often and how soon (the specification's decision matrix). */
export const recoveryMatrix = {
  io_error: { max_retries: 3, backoff_strategy: 'linear', escalation_threshold: 3 },
  parsing_error: { max_retries: 1, backoff_strategy: 'immediate', escalation_threshold: 1 },
  logic_error: { max_retries: 0, backoff_strategy: 'none', escalation_threshold: 0 },
  system_error: { max_retries: 2, backoff_strategy: 'exponential', escalation_threshold: 2 },
} as const satisfies Partial<Record<SessionErrorClass, MatrixRow>>;
export type MatrixClass = keyof typeof recoveryMatrix;

/** What a wait begins with; the matrix names only how it grows. */
export const backoffUnitMs = 1_000;

/** What becomes of an error. */
export type Recovery =
  /** Tried again by itself. */
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** Waits for a person, who is told what to do; then `continue` tries again. */
  | { readonly kind: 'guide' }
  /** Tries are used up, or there are none: it has failed, and a person looks at it. */
  | { readonly kind: 'escalate' }
  /** The session halts where it is, and what there is stays as it is. */
  | { readonly kind: 'halt' }
  /** The session ends at once with an alert. */
  | { readonly kind: 'terminate' };

/** Decides by class and by how many errors of it there have been, this one included. */
export function recoveryOf(errorClass: SessionErrorClass, errors: number): Recovery {
  switch (errorClass) {
    case 'io_error':
    case 'parsing_error':
    case 'logic_error':
    case 'system_error': {
      const { backoff_strategy, escalation_threshold, max_retries } = recoveryMatrix[errorClass];
      if (errors > Math.min(escalation_threshold, max_retries)) return { kind: 'escalate' };
      return { kind: 'retry', delayMs: backoffMs(backoff_strategy, errors) };
    }
    case 'configuration_error':
    case 'missing_dependency':
    case 'permission_error':
      return { kind: 'guide' };
    case 'architecture_conflict':
      return { kind: 'escalate' };
    case 'data_corruption':
      return { kind: 'halt' };
    case 'security_violation':
      return { kind: 'terminate' };
  }
}

/** How long to wait after so many errors. */
function backoffMs(strategy: MatrixRow['backoff_strategy'], errors: number): number {
  switch (strategy) {
    case 'linear':
      return backoffUnitMs * errors;
    case 'exponential':
      return backoffUnitMs * 2 ** (errors - 1);
    case 'immediate':
    case 'none':
      return 0;
  }
}

/** Whether the session may get over an error of this class; else it counts as fatal. */
export function isRecoverable(recovery: Recovery): boolean {
  return recovery.kind === 'retry' || recovery.kind === 'guide';
}
