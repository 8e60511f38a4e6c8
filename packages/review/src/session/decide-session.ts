import type { SessionFact, UndatedSessionFact } from './session-fact.ts';
import {
  checkpointNames,
  deliverableNames,
  type ReviewerState,
  type SessionError,
  type SessionState,
} from './session-document.ts';
import type { SessionInput, SessionTrouble } from './session-input.ts';
import { isLastOfPhase, sessionSteps, stepTable, type SessionStep } from './session-phases.ts';
import { evolveSession } from './evolve-session.ts';
import { isActive } from './progress.ts';
import { recoveryOf } from './recovery.ts';

/** A reviewer that gives no sign of life for so long has died. */
export const reviewerSilenceMs = 5 * 60_000;

type InputOf<K extends SessionInput['kind']> = SessionInput & { readonly kind: K };
type Emit = (fact: UndatedSessionFact) => void;

/**
 * What follows from an input for a session. Changes nothing itself; `evolveSession` folds the facts.
 *
 * Invariants: (1) a session that has ended never changes; (2) the percentage never falls, and is 100 exactly when the
 * session is completed; (3) a result counts only after its reviewer announced it and the announcement was
 * acknowledged; (4) nothing of an earlier launch of a reviewer counts; (5) a session completes only with every
 * checkpoint held and every deliverable there; (6) steps are done in their order, each once; (7) the share of
 * reviewers without a result is within what is accepted once results are integrated.
 */
export function decideSession(state: SessionState | undefined, input: SessionInput): readonly SessionFact[] {
  if (state === undefined) {
    if (input.kind !== 'create') return [];
    const { kind: _kind, at, ...by } = input;
    return [{ kind: 'session-created', at, by }];
  }
  if (hasEnded(state)) return [];
  const facts: SessionFact[] = [];
  const draft = structuredClone(state);
  const emit: Emit = (undated) => {
    const fact: SessionFact = { ...undated, at: input.at };
    evolveSession(draft, fact);
    facts.push(fact);
  };
  takeInput(draft, input, emit);
  return facts;
}

/** Whether nothing can happen to a session any more. */
export function hasEnded({ review_session: { overall_status } }: SessionState): boolean {
  return overall_status === 'completed' || overall_status === 'failed';
}

/** The step that is next or under way; undefined: all are done. */
export function nextStep(state: SessionState): SessionStep | undefined {
  return sessionSteps.find((step) => !state.session_metadata.completed_steps.includes(step));
}

function takeInput(state: SessionState, input: SessionInput, emit: Emit): void {
  switch (input.kind) {
    case 'create':
      return;
    case 'recover':
      recover(state, input, emit);
      return;
    case 'step-begin':
      requireNext(state, input.step);
      if (stepTable[input.step].phase !== state.review_session.current_phase)
        emit({ kind: 'phase-begun', phase: stepTable[input.step].phase });
      return;
    case 'step-done':
      stepDone(state, input, emit);
      return;
    case 'step-failed':
      requireNext(state, input.step);
      stepFailed(state, input, emit);
      return;
    case 'launch':
      if (nextStep(state) !== 'run_reviewers') return;
      for (const { reviewer_id } of state.reviewers.filter((one) => isDue(one, input.at)))
        emit({ kind: 'reviewer-launched', reviewer: reviewer_id });
      return;
    case 'tick':
      for (const reviewer of state.reviewers.filter((one) => isSilent(one, input.at)))
        reviewerErred(state, reviewer, { at: input.at, trouble: silence }, emit);
      finishReviewers(state, emit);
      return;
    case 'abort':
      emit({ kind: 'session-failed', reason: input.reason, fatal: false });
      return;
    default:
      ofReviewer(state, input, emit);
  }
}

const silence: SessionTrouble = {
  errorClass: 'system_error',
  message: `the reviewer gave no sign of life for ${reviewerSilenceMs / 60_000} minutes`,
};

function recover(state: SessionState, { reason }: InputOf<'recover'>, emit: Emit): void {
  const reviewers = state.reviewers
    .filter(({ status }) => isActive(status) || status === 'error')
    .map(({ reviewer_id }) => reviewer_id);
  emit({ kind: 'session-recovered', reason, reviewers });
  // The end may have come between two facts that belong together.
  const { completed_steps, plan_validated } = state.session_metadata;
  if (completed_steps.includes('validate_plan') && !plan_validated) {
    emit({ kind: 'session-failed', reason: 'the plan does not cover the task', fatal: true });
    return;
  }
  if (nextStep(state) === undefined) complete(state, emit);
  else finishReviewers(state, emit);
}

function stepDone(state: SessionState, input: InputOf<'step-done'>, emit: Emit): void {
  const { outcome, warnings = [] } = input;
  requireNext(state, outcome.step);
  if (outcome.step === 'choose_reviewers')
    emit({ kind: 'reviewers-registered', reviewers: outcome.reviewers });
  emit({ kind: 'step-completed', outcome, warnings });
  if (outcome.step === 'validate_plan' && outcome.gaps.length > 0) {
    const reason = `the plan does not cover the task:\n${outcome.gaps.map((gap) => `- ${gap}`).join('\n')}`;
    emit({ kind: 'session-failed', reason, fatal: true });
    return;
  }
  if (outcome.step === 'choose_reviewers' && outcome.reviewers.length === 0) {
    emit({ kind: 'session-failed', reason: 'no reviewer was chosen', fatal: true });
    return;
  }
  if (isLastOfPhase(outcome.step)) emit({ kind: 'phase-completed', phase: stepTable[outcome.step].phase });
  if (nextStep(state) === undefined) complete(state, emit);
}

/** Quality checkpoints and clean-up gate completion. */
function complete(state: SessionState, emit: Emit): void {
  const { checkpoints, deliverables } = state.session_metadata;
  const missing = [
    ...checkpointNames.filter((name) => !checkpoints[name]),
    ...deliverableNames.filter((name) => !deliverables[name]),
  ];
  if (missing.length === 0) emit({ kind: 'session-completed' });
  else emit({ kind: 'session-failed', reason: `not completed: ${missing.join(', ')} missing`, fatal: true });
}

function stepFailed(state: SessionState, input: InputOf<'step-failed'>, emit: Emit): void {
  const { step, trouble } = input;
  const errors = (state.error_tracking.errors_by_step[step] ?? 0) + 1;
  const recovery = recoveryOf(trouble.errorClass, errors);
  emit({ kind: 'step-erred', step, error: errorOf(trouble, step, input.at), recovery });
  if (recovery.kind !== 'retry' && recovery.kind !== 'guide') endBy(trouble, step, emit);
}

function endBy({ errorClass, message }: SessionTrouble, source: string, emit: Emit): void {
  const why = {
    data_corruption: 'halted, so that nothing more is damaged',
    security_violation: 'ended by a security violation',
    architecture_conflict: 'a person has to decide',
  };
  const word = errorClass in why ? why[errorClass as keyof typeof why] : 'failed';
  emit({ kind: 'session-failed', reason: `${word}: ${source}: ${message}`, fatal: false });
}

type ReviewerInput = Extract<SessionInput, { reviewer: string }>;

function ofReviewer(state: SessionState, input: ReviewerInput, emit: Emit): void {
  if (nextStep(state) !== 'run_reviewers') return;
  const reviewer = state.reviewers.find(({ reviewer_id }) => reviewer_id === input.reviewer);
  // What an earlier launch says counts no more.
  if (reviewer === undefined || reviewer.attempt !== input.attempt || !isActive(reviewer.status)) return;
  const { reviewer_id: name, status } = reviewer;
  switch (input.kind) {
    case 'reviewer-progress': {
      // Announced is announced: 95 is the orchestrator's to give.
      if (status === 'completing') return;
      const progress = Math.max(0, Math.min(94, Math.floor(input.progress)));
      emit({ kind: 'reviewer-progressed', reviewer: name, progress, phase: input.phase });
      return;
    }
    case 'reviewer-completing':
      if (status === 'in_progress') emit({ kind: 'reviewer-completing', reviewer: name });
      return;
    case 'acknowledge':
      if (status === 'completing' && reviewer.acknowledged_at === null)
        emit({ kind: 'reviewer-acknowledged', reviewer: name });
      return;
    case 'reviewer-result': {
      if (status !== 'completing' || reviewer.acknowledged_at === null) return;
      const { findings, resultFile, resultSha256 } = input;
      emit({ kind: 'reviewer-completed', reviewer: name, findings, resultFile, resultSha256 });
      finishReviewers(state, emit);
      return;
    }
    case 'reviewer-error':
      reviewerErred(state, reviewer, input, emit);
      finishReviewers(state, emit);
  }
}

function reviewerErred(
  state: SessionState,
  reviewer: ReviewerState,
  { trouble, at }: { readonly trouble: SessionTrouble; readonly at: number },
  emit: Emit,
): void {
  if (hasEnded(state)) return;
  const { reviewer_id: name } = reviewer;
  const errors = (reviewer.errors_by_class[trouble.errorClass] ?? 0) + 1;
  const recovery = recoveryOf(trouble.errorClass, errors);
  emit({ kind: 'reviewer-erred', reviewer: name, error: errorOf(trouble, name, at), recovery });
  if (recovery.kind === 'halt' || recovery.kind === 'terminate') endBy(trouble, name, emit);
}

function errorOf(trouble: SessionTrouble, source: string, at: number): SessionError {
  return {
    at: new Date(at).toISOString(),
    error_class: trouble.errorClass,
    source,
    message: trouble.message.slice(0, 8000),
    instructions: trouble.instructions?.slice(0, 8000) ?? null,
  };
}

/** Ends the work of the reviewers once nothing of it is under way or owed. */
function finishReviewers(state: SessionState, emit: Emit): void {
  if (hasEnded(state) || nextStep(state) !== 'run_reviewers' || state.reviewers.length === 0) return;
  const open = state.reviewers.filter(
    ({ status, next_attempt_at }) =>
      isActive(status) || status === 'registered' || (status === 'error' && next_attempt_at !== null),
  );
  if (open.length > 0) return;
  const missing = state.reviewers.filter(({ status }) => status !== 'completed');
  const share = missing.length / state.reviewers.length;
  const { accepted_failure_share: accepted } = state.session_metadata;
  if (missing.length < state.reviewers.length && share <= accepted) {
    const warnings = missing.map(
      ({ reviewer_id, last_error }) =>
        `no result of ${reviewer_id}: ${last_error?.message ?? 'unknown'}; the results of the others are partial`,
    );
    emit({ kind: 'reviewers-done', warnings });
    return;
  }
  // Errors that wait for a person may still be mended, and the session continued.
  if (missing.some(({ status }) => status === 'error')) return;
  const names = missing.map(({ reviewer_id }) => reviewer_id).join(', ');
  const reason = `${missing.length} of ${state.reviewers.length} reviewers failed (${names}); accepted is a share of ${accepted}`;
  emit({ kind: 'session-failed', reason, fatal: false });
}

function isDue({ status, next_attempt_at }: ReviewerState, at: number): boolean {
  if (status === 'registered') return true;
  return status === 'error' && next_attempt_at !== null && Date.parse(next_attempt_at) <= at;
}

function isSilent({ status, last_heartbeat }: ReviewerState, at: number): boolean {
  return isActive(status) && last_heartbeat !== null && at - Date.parse(last_heartbeat) >= reviewerSilenceMs;
}

function requireNext(state: SessionState, step: SessionStep): void {
  const next = nextStep(state);
  if (next !== step) throw new Error(`the step ${step} is not next; ${next ?? 'none'} is`);
}

/** What the session waits for. */
export type SessionStanding =
  | { readonly kind: 'step'; readonly step: Exclude<SessionStep, 'run_reviewers'> }
  /** Reviewers work, or are to be launched by `launch`; a `tick` at the deadline changes something. */
  | { readonly kind: 'reviewers'; readonly deadline: number | undefined }
  /** Only a person can help, by what the escalations say; then `recover`. */
  | { readonly kind: 'person' }
  | { readonly kind: 'ended' };

/** What has to be done for the session to go on; the same however often it is asked for. */
export function sessionStanding(state: SessionState): SessionStanding {
  const step = nextStep(state);
  if (hasEnded(state) || step === undefined) return { kind: 'ended' };
  if (step !== 'run_reviewers') return { kind: 'step', step };
  const deadlines = state.reviewers.flatMap(({ status, last_heartbeat, next_attempt_at }) => {
    if (status === 'registered') return [0];
    if (isActive(status)) return [Date.parse(last_heartbeat ?? '') + reviewerSilenceMs];
    return status === 'error' && next_attempt_at !== null ? [Date.parse(next_attempt_at)] : [];
  });
  if (deadlines.length === 0) return { kind: 'person' };
  return { kind: 'reviewers', deadline: Math.min(...deadlines) };
}
