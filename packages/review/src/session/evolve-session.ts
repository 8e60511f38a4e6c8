import type { SessionFact } from './session-fact.ts';
import type { ReviewerState, SessionError, SessionState } from './session-document.ts';
import type { StepOutcome, WantedReviewer } from './session-input.ts';
import { phasePercent, stepTable } from './session-phases.ts';
import { estimatedCompletion, executionPercent, reviewerCounts } from './progress.ts';
import { isRecoverable, type Recovery } from './recovery.ts';

/** What a reviewer is at when it has announced its result. */
const completingPercent = 95;
/** Escalations kept, the newest. */
const escalationsMax = 200;

/** The state after a fact; changes the state it is given, in place. Facts that `decideSession` did not give are a bug. */
export function evolveSession(state: SessionState | undefined, fact: SessionFact): SessionState {
  if (fact.kind === 'session-created') {
    if (state !== undefined) throw new Error('a session is created twice');
    return created(fact);
  }
  if (state === undefined) throw new Error(`a session begins with session-created, not ${fact.kind}`);
  state.review_session.last_updated = iso(fact.at);
  apply(state, fact);
  Object.assign(state.coordination_state, reviewerCounts(state.reviewers));
  if (state.review_session.current_phase === 'intelligent_review_execution')
    raise(state, executionPercent(state.reviewers));
  state.coordination_state.estimated_completion = estimatedCompletion(state, fact.at);
  return state;
}

function created({ at, by }: SessionFact & { kind: 'session-created' }): SessionState {
  const now = iso(at);
  const no = { documents_loaded: false, plan_consistent: false, reviewers_cover: false };
  return {
    review_session: {
      task_id: by.taskId,
      session_id: by.sessionId,
      orchestrator_id: 'reviewer-orchestrator',
      created_at: now,
      last_updated: now,
      overall_status: 'initializing',
      schema_version: 1,
      current_phase: 'session_initialization',
      completed_at: null,
      conclusion: null,
      ended_because: null,
    },
    session_metadata: {
      project_root: by.projectRoot,
      specs_loaded: false,
      plan_validated: false,
      strategy_determined: false,
      request: by.request ?? { since: null, reviewers: null, template: null, model: null },
      completed_steps: [],
      task_title: null,
      task_complexity: null,
      inputs_digest: null,
      scope_digest: null,
      project_type: null,
      strategy_reason: null,
      scope: null,
      brownfield: { is_brownfield: false, previous_report: null, earlier_findings: 0 },
      accepted_failure_share: by.acceptedFailureShare,
      recovery:
        by.restarts === undefined
          ? []
          : [{ at: now, strategy: 'restart', reason: by.restarts, reviewers: [] }],
      warnings: [],
      checkpoints: { ...no, results_integrated: false, output_readable: false },
      deliverables: { report: false, archive: false, task_status: false, clean_up: false },
      task_status: null,
    },
    reviewers: [],
    coordination_state: {
      ...reviewerCounts([]),
      completion_percentage: 0,
      estimated_completion: null,
    },
    error_tracking: {
      total_errors: 0,
      recoverable_errors: 0,
      fatal_errors: 0,
      last_error: null,
      recovery_attempts: 0,
      errors_by_step: {},
      escalations: [],
    },
    metrics: null,
  };
}

function apply(state: SessionState, fact: Exclude<SessionFact, { kind: 'session-created' }>): void {
  const { review_session: session, session_metadata: metadata, error_tracking: tracking } = state;
  switch (fact.kind) {
    case 'session-recovered':
      recover(state, fact);
      return;
    case 'phase-begun':
      session.current_phase = fact.phase;
      if (session.overall_status === 'initializing') session.overall_status = 'in_progress';
      raise(state, phasePercent[fact.phase].begun);
      return;
    case 'step-completed':
      metadata.completed_steps.push(fact.outcome.step);
      settleEscalations(state, fact.outcome.step);
      metadata.warnings.push(...fact.warnings);
      takeOutcome(state, fact.outcome, fact.warnings.length);
      raise(state, stepTable[fact.outcome.step].done ?? 0);
      return;
    case 'reviewers-registered':
      state.reviewers = fact.reviewers.map((wanted) => registered(wanted, fact.at));
      return;
    case 'phase-completed':
      // The whole is at 100 only when it is completed.
      if (fact.phase !== 'result_integration') raise(state, phasePercent[fact.phase].done);
      return;
    case 'step-erred':
      tracking.errors_by_step[fact.step] = (tracking.errors_by_step[fact.step] ?? 0) + 1;
      countError(state, fact.error, fact.recovery);
      return;
    case 'reviewers-done':
      metadata.completed_steps.push('run_reviewers');
      metadata.warnings.push(...fact.warnings);
      session.overall_status = 'completing';
      raise(state, phasePercent.intelligent_review_execution.done);
      return;
    case 'session-completed':
      session.overall_status = 'completed';
      session.completed_at = iso(fact.at);
      raise(state, 100);
      return;
    case 'session-failed':
      session.overall_status = 'failed';
      session.ended_because = fact.reason;
      if (fact.fatal) tracking.fatal_errors += 1;
      return;
    default:
      applyToReviewer(state, fact);
  }
}

/** What each step leaves in the state. */
function takeOutcome(state: SessionState, outcome: StepOutcome, warnings: number): void {
  const { review_session: session, session_metadata: metadata, error_tracking: tracking } = state;
  switch (outcome.step) {
    case 'load_specs':
      metadata.specs_loaded = true;
      return;
    case 'parse_task':
      metadata.task_title = outcome.title;
      metadata.task_complexity = outcome.complexity;
      return;
    case 'retrieve_plan':
      metadata.inputs_digest = outcome.inputsDigest;
      metadata.checkpoints.documents_loaded = true;
      return;
    case 'validate_plan':
      metadata.plan_validated = outcome.gaps.length === 0;
      metadata.checkpoints.plan_consistent = outcome.gaps.length === 0;
      tracking.total_errors += warnings;
      tracking.recoverable_errors += warnings;
      return;
    case 'assess_status':
      metadata.brownfield = { ...outcome.brownfield };
      return;
    case 'choose_reviewers':
      metadata.strategy_determined = true;
      metadata.project_type = outcome.projectType;
      metadata.strategy_reason = outcome.reason;
      metadata.scope = outcome.scope;
      metadata.scope_digest = outcome.scopeDigest;
      metadata.checkpoints.reviewers_cover = outcome.covers;
      return;
    case 'integrate_results':
      session.conclusion = outcome.conclusion;
      metadata.checkpoints.results_integrated = true;
      return;
    case 'write_report':
      metadata.checkpoints.output_readable = outcome.readable;
      metadata.deliverables.report = true;
      return;
    case 'record_metrics':
      state.metrics = outcome.metrics;
      return;
    case 'archive_session':
      metadata.deliverables.archive = true;
      return;
    case 'update_task':
      metadata.task_status = outcome.status;
      metadata.deliverables.task_status = true;
      return;
    case 'clean_up':
      for (const name of outcome.missing ?? []) metadata.deliverables[name] = false;
      metadata.deliverables.clean_up = (outcome.missing ?? []).length === 0;
  }
}

type ReviewerFact = Extract<SessionFact, { reviewer: string }>;

function applyToReviewer(state: SessionState, fact: ReviewerFact): void {
  const reviewer = reviewerNamed(state, fact.reviewer);
  const now = iso(fact.at);
  switch (fact.kind) {
    case 'reviewer-launched':
      // Only a try after an error is a retry.
      if (reviewer.status === 'error') {
        reviewer.retry_count += 1;
        state.error_tracking.recovery_attempts += 1;
      }
      Object.assign(reviewer, {
        status: 'starting',
        attempt: reviewer.attempt + 1,
        started_at: now,
        last_heartbeat: now,
        progress_percentage: 0,
        current_phase: 'starting',
        next_attempt_at: null,
        acknowledged_at: null,
      } satisfies Partial<ReviewerState>);
      return;
    case 'reviewer-progressed':
      reviewer.status = 'in_progress';
      reviewer.last_heartbeat = now;
      reviewer.progress_percentage = Math.max(reviewer.progress_percentage, fact.progress);
      reviewer.current_phase = fact.phase;
      return;
    case 'reviewer-completing':
      reviewer.status = 'completing';
      reviewer.last_heartbeat = now;
      reviewer.progress_percentage = completingPercent;
      reviewer.current_phase = 'completing';
      return;
    case 'reviewer-acknowledged':
      reviewer.acknowledged_at = now;
      return;
    case 'reviewer-completed':
      Object.assign(reviewer, {
        status: 'completed',
        last_heartbeat: now,
        completed_at: now,
        progress_percentage: 100,
        current_phase: 'completed',
        findings: fact.findings,
        result_file: fact.resultFile,
        result_sha256: fact.resultSha256,
      } satisfies Partial<ReviewerState>);
      settleEscalations(state, fact.reviewer);
      return;
    case 'reviewer-erred':
      reviewerErred(state, reviewer, fact);
  }
}

function reviewerErred(
  state: SessionState,
  reviewer: ReviewerState,
  { at, error, recovery }: ReviewerFact & { kind: 'reviewer-erred' },
): void {
  const { error_class } = error;
  reviewer.status = isRecoverable(recovery) ? 'error' : 'failed';
  reviewer.error_count += 1;
  reviewer.errors_by_class[error_class] = (reviewer.errors_by_class[error_class] ?? 0) + 1;
  reviewer.last_error = error;
  reviewer.acknowledged_at = null;
  reviewer.next_attempt_at = recovery.kind === 'retry' ? iso(at + recovery.delayMs) : null;
  countError(state, error, recovery);
}

function countError(
  { error_tracking: tracking }: SessionState,
  error: SessionError,
  recovery: Recovery,
): void {
  tracking.total_errors += 1;
  if (isRecoverable(recovery)) tracking.recoverable_errors += 1;
  else tracking.fatal_errors += 1;
  tracking.last_error = error;
  if (recovery.kind !== 'retry') {
    tracking.escalations.push(error);
    tracking.escalations.splice(0, tracking.escalations.length - escalationsMax);
  }
}

/** What has come right is no longer a person's to look at. */
function settleEscalations({ error_tracking: tracking }: SessionState, source: string): void {
  tracking.escalations = tracking.escalations.filter((one) => one.source !== source);
}

/** What an orchestrator that is gone had under way begins anew; errors that wait for a person are tried again. */
function recover(state: SessionState, fact: SessionFact & { kind: 'session-recovered' }): void {
  const now = iso(fact.at);
  state.session_metadata.recovery.push({
    at: now,
    strategy: 'continue',
    reason: fact.reason,
    reviewers: [...fact.reviewers],
  });
  state.error_tracking.recovery_attempts += 1;
  for (const name of fact.reviewers) {
    const reviewer = reviewerNamed(state, name);
    if (reviewer.status === 'error') {
      reviewer.next_attempt_at = now;
      continue;
    }
    reviewer.status = 'registered';
    reviewer.current_phase = 'not_started';
    reviewer.progress_percentage = 0;
    reviewer.acknowledged_at = null;
  }
}

function registered({ dimension, focus, reason }: WantedReviewer, at: number): ReviewerState {
  return {
    reviewer_id: `task-reviewer_${dimension}`,
    status: 'registered',
    assigned_at: iso(at),
    started_at: null,
    last_heartbeat: null,
    progress_percentage: 0,
    current_phase: 'not_started',
    error_count: 0,
    retry_count: 0,
    attempt: 0,
    acknowledged_at: null,
    completed_at: null,
    next_attempt_at: null,
    focus: [...focus],
    reason,
    findings: null,
    result_file: null,
    result_sha256: null,
    errors_by_class: {},
    last_error: null,
  };
}

function reviewerNamed(state: SessionState, name: string): ReviewerState {
  const reviewer = state.reviewers.find(({ reviewer_id }) => reviewer_id === name);
  if (reviewer === undefined) throw new Error(`no reviewer ${name} is registered`);
  return reviewer;
}

/** What is shown never falls. */
function raise({ coordination_state: coordination }: SessionState, percent: number): void {
  coordination.completion_percentage = Math.max(coordination.completion_percentage, percent);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
