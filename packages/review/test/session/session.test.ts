import {
  executionPercent,
  hasEnded,
  recoveryMatrix,
  reviewerSilenceMs,
  sessionMetrics,
  sessionStanding,
  sessionTodos,
  type SessionErrorClass,
} from '@switchyard/review';
import { describe, expect, it } from 'vitest';
import { Session, finish, preparation, resultOf } from './build-session.ts';

const quality = 'task-reviewer_code-quality';
const testing = 'task-reviewer_testing';
const security = 'task-reviewer_security';

function working(...names: Parameters<Session['prepare']>): Session {
  const session = new Session();
  session.prepare(...names);
  session.input({ kind: 'launch' });
  return session;
}

function err(session: Session, reviewer: string, errorClass: SessionErrorClass, instructions?: string): void {
  session.input({
    kind: 'reviewer-error',
    reviewer,
    attempt: session.attempt(reviewer),
    trouble: { errorClass, message: `a ${errorClass}`, instructions },
  });
}

describe('the progress of a session', () => {
  it('goes through every percentage of the specification', () => {
    const session = new Session();
    const seen: number[] = [session.percent];
    const look = (): void => {
      if (session.percent !== seen.at(-1)) seen.push(session.percent);
    };
    const dimensions = ['code-quality', 'testing', 'security', 'performance'] as const;
    for (const outcome of preparation(dimensions)) {
      session.input({ kind: 'step-begin', step: outcome.step });
      look();
      for (const fact of session.input({ kind: 'step-done', outcome }))
        if (fact.kind === 'step-completed' && outcome.step === 'retrieve_plan') seen.push(25);
      look();
    }
    session.input({ kind: 'step-begin', step: 'run_reviewers' });
    look();
    session.input({ kind: 'launch' });
    expect(session.percent).toBe(55);
    for (const name of dimensions)
      session.input({
        kind: 'reviewer-progress',
        reviewer: `task-reviewer_${name}`,
        attempt: 1,
        progress: 0,
        phase: 'reading',
      });
    look();
    for (const name of dimensions) {
      session.complete(`task-reviewer_${name}`);
      look();
    }
    expect(session.state.review_session.overall_status).toBe('completing');
    for (const outcome of finish) {
      session.step(outcome);
      look();
    }
    expect(seen).toEqual([0, 5, 15, 25, 30, 35, 40, 45, 50, 55, 60, 70, 80, 85, 90, 92, 95, 100]);
    expect(session.state.review_session.overall_status).toBe('completed');
  });

  it('shows the formula where that is ahead of the milestone', () => {
    const session = working('testing', 'security');
    for (const reviewer of [testing, security])
      session.input({ kind: 'reviewer-progress', reviewer, attempt: 1, progress: 80, phase: 'reading' });
    // 55 + 80 % of 35.
    expect([executionPercent(session.state.reviewers), session.percent]).toEqual([83, 83]);
  });

  it('never falls when a reviewer begins anew', () => {
    const session = working('testing');
    session.input({
      kind: 'reviewer-progress',
      reviewer: testing,
      attempt: 1,
      progress: 90,
      phase: 'reading',
    });
    const before = session.percent;
    err(session, testing, 'io_error');
    session.now += 1_000;
    session.input({ kind: 'launch' });
    expect(session.reviewer(testing).progress_percentage).toBe(0);
    expect(session.percent).toBe(before);
  });
});

describe('two-phase completion', () => {
  it('counts no result that was not announced and acknowledged', () => {
    const session = working('testing');
    const launch = { reviewer: testing, attempt: 1 };
    const result = { kind: 'reviewer-result', findings: 1, ...resultOf(testing), ...launch } as const;
    session.input({ kind: 'reviewer-progress', progress: 10, phase: 'reading', ...launch });
    session.input(result);
    expect(session.reviewer(testing).status).toBe('in_progress');
    session.input({ kind: 'reviewer-completing', ...launch });
    expect(session.reviewer(testing)).toMatchObject({ status: 'completing', progress_percentage: 95 });
    session.input(result);
    expect(session.reviewer(testing).status).toBe('completing');
    session.input({ kind: 'acknowledge', ...launch });
    session.input(result);
    expect(session.reviewer(testing)).toMatchObject({ status: 'completed', progress_percentage: 100 });
    expect(session.state.coordination_state).toMatchObject({ active_reviewers: 0, completed_reviewers: 1 });
  });

  it('counts nothing of an earlier launch', () => {
    const session = working('testing');
    err(session, testing, 'parsing_error');
    session.input({ kind: 'launch' });
    expect(session.attempt(testing)).toBe(2);
    session.input({ kind: 'reviewer-progress', reviewer: testing, attempt: 1, progress: 50, phase: 'late' });
    expect(session.reviewer(testing).status).toBe('starting');
  });
});

describe('recovery', () => {
  it.each([
    ['io_error', 3, [1_000, 2_000, 3_000]],
    ['parsing_error', 1, [0]],
    ['logic_error', 0, []],
    ['system_error', 2, [1_000, 2_000]],
  ] as const)('tries again after a %s %i times', (errorClass, threshold, waits) => {
    expect(recoveryMatrix[errorClass].escalation_threshold).toBe(threshold);
    const session = working('testing');
    for (const wait of waits) {
      err(session, testing, errorClass);
      expect(session.reviewer(testing).status).toBe('error');
      session.now += wait - 1;
      if (wait > 0) expect(session.input({ kind: 'launch' })).toEqual([]);
      session.now += 1;
      session.input({ kind: 'launch' });
    }
    expect(session.reviewer(testing)).toMatchObject({ status: 'starting', retry_count: threshold });
    err(session, testing, errorClass);
    expect(session.reviewer(testing)).toMatchObject({ status: 'failed', error_count: threshold + 1 });
    expect(session.state.review_session.overall_status).toBe('failed');
    expect(session.state.error_tracking).toMatchObject({
      total_errors: threshold + 1,
      recoverable_errors: threshold,
      fatal_errors: 1,
      recovery_attempts: threshold,
      escalations: [{ source: testing, error_class: errorClass }],
    });
  });

  it('waits for a person where only a person can help, and goes on when told to', () => {
    const session = working('testing', 'security');
    err(session, testing, 'missing_dependency', 'install bubblewrap');
    session.complete(security);
    expect(sessionStanding(session.state)).toEqual({ kind: 'person' });
    expect(session.state.error_tracking.escalations[0]?.instructions).toBe('install bubblewrap');
    session.input({ kind: 'recover', reason: 'told to go on' });
    session.input({ kind: 'launch' });
    session.complete(testing);
    expect(session.state.review_session.overall_status).toBe('completing');
    expect(session.reviewer(testing).retry_count).toBe(1);
    expect(session.state.error_tracking.escalations).toEqual([]);
  });

  it('halts on damaged data and ends on a security violation, whatever else is under way', () => {
    for (const errorClass of ['data_corruption', 'security_violation'] as const) {
      const session = working('testing', 'security');
      err(session, testing, errorClass);
      expect(session.state.review_session).toMatchObject({ overall_status: 'failed' });
      expect(session.state.error_tracking.escalations).toHaveLength(1);
      session.complete(security);
      expect(session.reviewer(security).status).toBe('starting');
    }
  });

  it('takes a silent reviewer for dead', () => {
    const session = working('testing');
    expect(sessionStanding(session.state)).toEqual({
      kind: 'reviewers',
      deadline: session.now + reviewerSilenceMs,
    });
    session.now += reviewerSilenceMs;
    session.input({ kind: 'tick' });
    expect(session.reviewer(testing)).toMatchObject({
      status: 'error',
      last_error: { error_class: 'system_error' },
    });
  });

  it('applies the matrix to what the orchestrator itself does', () => {
    const session = new Session();
    session.input({ kind: 'step-begin', step: 'load_specs' });
    const trouble = { errorClass: 'io_error', message: 'busy' } as const;
    for (let tries = 0; tries < 3; tries += 1) {
      const [fact] = session.input({ kind: 'step-failed', step: 'load_specs', trouble });
      expect(fact).toMatchObject({ recovery: { kind: 'retry', delayMs: 1_000 * (tries + 1) } });
      expect(hasEnded(session.state)).toBe(false);
    }
    session.input({ kind: 'step-failed', step: 'load_specs', trouble });
    expect(session.state.review_session.ended_because).toContain('load_specs: busy');
  });
});

describe('partial results', () => {
  const fourOfThem = ['code-quality', 'testing', 'security', 'performance'] as const;
  const failOne = (acceptedFailureShare: number): Session => {
    const session = new Session({ acceptedFailureShare });
    session.prepare(...fourOfThem);
    session.input({ kind: 'launch' });
    err(session, quality, 'logic_error');
    for (const name of fourOfThem.slice(1)) session.complete(`task-reviewer_${name}`);
    return session;
  };

  it('are taken with a warning within the accepted share of failures', () => {
    const session = failOne(0.25);
    expect(session.state.review_session.overall_status).toBe('completing');
    expect(session.percent).toBe(90);
    expect(session.state.session_metadata.warnings[0]).toContain(`no result of ${quality}: a logic_error`);
    const counts = { critical: 0, major: 1, minor: 2, info: 3 };
    expect(sessionMetrics(session.state, { now: session.now + 7, counts })).toMatchObject({
      total_execution_ms: 7,
      reviewer_success_rate: 0.75,
      reviewer_failure_rate: 0.25,
      quality_score: 64.5,
    });
  });

  it('fail the session beyond it', () => {
    const session = failOne(0.2);
    expect(session.state.review_session.overall_status).toBe('failed');
    expect(session.state.review_session.ended_because).toContain('1 of 4 reviewers failed');
  });
});

describe('the end of a session', () => {
  it('fails with the list where the plan does not cover the task', () => {
    const session = new Session();
    for (const outcome of preparation(['testing']).slice(0, 3)) session.step(outcome);
    session.step({ step: 'validate_plan', gaps: ['requirement 2', 'criterion 1.3'] });
    expect(session.state.review_session.ended_because).toBe(
      'the plan does not cover the task:\n- requirement 2\n- criterion 1.3',
    );
    expect(session.state.session_metadata.plan_validated).toBe(false);
    expect(session.state.error_tracking.fatal_errors).toBe(1);
  });

  it('is no completion while a checkpoint does not hold', () => {
    const session = working('testing');
    session.complete(testing);
    for (const outcome of finish)
      session.step(outcome.step === 'write_report' ? { ...outcome, readable: false } : outcome);
    expect(session.state.review_session).toMatchObject({
      overall_status: 'failed',
      ended_because: 'not completed: output_readable missing',
    });
    expect(session.percent).toBe(95);
  });

  it('is no completion where a deliverable is gone before the clean-up', () => {
    const session = working('testing');
    session.complete(testing);
    for (const outcome of finish)
      session.step(outcome.step === 'clean_up' ? { ...outcome, missing: ['report'] } : outcome);
    expect(session.state.review_session).toMatchObject({
      overall_status: 'failed',
      ended_because: 'not completed: report, clean_up missing',
    });
  });

  it('keeps a todo list with one item for each reviewer, several in progress', () => {
    const session = working('testing', 'security');
    session.complete(security);
    const todos = sessionTodos(session.state);
    expect(
      todos.filter(({ status }) => status === 'in_progress').map(({ activeForm }) => activeForm),
    ).toEqual(['Running all reviewers', 'Reviewing testing']);
    expect(todos.find(({ content }) => content === 'Review security: all')?.status).toBe('completed');
    expect(todos.find(({ content }) => content === 'Write the report')).toMatchObject({
      status: 'pending',
      priority: 'high',
    });
  });
});
