import {
  errorClasses,
  evolveSession,
  hasEnded,
  nextStep,
  sessionStanding,
  type SessionErrorClass,
  type SessionState,
} from '@switchyard/review';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Session, finish, preparation, resultOf } from './build-session.ts';

const dimensions = ['code-quality', 'testing', 'security', 'performance'] as const;
const names = dimensions.map((name) => `task-reviewer_${name}`);
const usual: readonly SessionErrorClass[] = errorClasses.filter(
  (one) => one !== 'data_corruption' && one !== 'security_violation',
);

const happening = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('step' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('launch' as const, 'recover' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'progress' as const,
        'completing' as const,
        'acknowledge' as const,
        'result' as const,
      ),
      name: fc.constantFrom(...names),
      late: fc.constantFrom(0, 0, 0, 1),
      progress: fc.integer({ min: -5, max: 120 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('error' as const),
      name: fc.constantFrom(...names),
      errorClass: fc.constantFrom(...usual, ...usual, ...errorClasses),
    }),
  },
  fc.record({ kind: fc.constant('time' as const), laterMs: fc.integer({ min: 0, max: 200_000 }) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

const steps = [...preparation(dimensions), ...finish];

function happen(session: Session, one: Happening): void {
  switch (one.kind) {
    case 'step': {
      const standing = sessionStanding(session.state);
      if (standing.kind === 'reviewers') session.input({ kind: 'step-begin', step: 'run_reviewers' });
      const outcome = steps.find(({ step }) => standing.kind === 'step' && step === standing.step);
      if (outcome !== undefined) session.step(outcome);
      return;
    }
    case 'launch':
      session.input({ kind: 'launch' });
      return;
    case 'recover':
      session.input({ kind: 'recover', reason: 'killed' });
      return;
    case 'time':
      session.now += one.laterMs;
      session.input({ kind: 'tick' });
      return;
    default:
      ofReviewer(session, one);
  }
}

function ofReviewer(session: Session, one: Happening & { name: string }): void {
  const reviewer = session.state.reviewers.find(({ reviewer_id }) => reviewer_id === one.name);
  if (reviewer === undefined) return;
  const launch = { reviewer: one.name, attempt: reviewer.attempt - ('late' in one ? one.late : 0) };
  if (one.kind === 'progress')
    session.input({ kind: 'reviewer-progress', progress: one.progress, phase: 'reading', ...launch });
  if (one.kind === 'completing') session.input({ kind: 'reviewer-completing', ...launch });
  if (one.kind === 'acknowledge') session.input({ kind: 'acknowledge', ...launch });
  if (one.kind === 'result')
    session.input({ kind: 'reviewer-result', findings: 1, ...resultOf(one.name), ...launch });
  if (one.kind === 'error')
    session.input({
      kind: 'reviewer-error',
      trouble: { errorClass: one.errorClass, message: 'broken' },
      ...launch,
    });
}

/** What must hold after every input, given how it stood before. */
function check(session: Session, before: SessionState): void {
  const { state } = session;
  const { coordination_state: counts, session_metadata: metadata } = state;
  expect(counts.completion_percentage).toBeGreaterThanOrEqual(
    before.coordination_state.completion_percentage,
  );
  expect(counts.completion_percentage === 100).toBe(state.review_session.overall_status === 'completed');
  if (hasEnded(before)) expect(state).toEqual(before);
  const byStatus = (status: string): number => state.reviewers.filter((one) => one.status === status).length;
  expect(counts.completed_reviewers).toBe(byStatus('completed'));
  expect(counts.active_reviewers).toBe(
    byStatus('starting') + byStatus('in_progress') + byStatus('completing'),
  );
  for (const reviewer of state.reviewers) {
    expect(reviewer.retry_count).toBeLessThanOrEqual(reviewer.error_count);
    expect(reviewer.attempt).toBeGreaterThanOrEqual(reviewer.retry_count);
    if (reviewer.status === 'completed') expect(reviewer.acknowledged_at).not.toBeNull();
  }
  if (metadata.completed_steps.includes('run_reviewers')) {
    const missing = state.reviewers.length - counts.completed_reviewers;
    expect(missing / state.reviewers.length).toBeLessThanOrEqual(metadata.accepted_failure_share);
  }
}

/** Lets everything go well from here on; a session always comes to an end, or says that a person has to help. */
function toTheEnd(session: Session): void {
  for (let turns = 0; turns < 200; turns += 1) {
    const before = structuredClone(session.state);
    const standing = sessionStanding(session.state);
    if (standing.kind === 'ended') break;
    if (standing.kind === 'person') session.input({ kind: 'recover', reason: 'mended' });
    else if (standing.kind === 'step') happen(session, { kind: 'step' });
    else {
      session.input({ kind: 'step-begin', step: 'run_reviewers' });
      session.now = Math.max(session.now, standing.deadline ?? 0);
      session.input({ kind: 'launch' });
      for (const name of names) session.complete(name);
    }
    check(session, before);
  }
  expect(hasEnded(session.state)).toBe(true);
}

describe('a session in any world', () => {
  it('keeps its invariants, comes to an end, and folds again to the same', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 0.25, 0.5, 1),
        fc.array(happening, { maxLength: 80 }),
        (acceptedFailureShare, happenings) => {
          const session = new Session({ acceptedFailureShare });
          for (const one of happenings) {
            const before = structuredClone(session.state);
            happen(session, one);
            check(session, before);
          }
          toTheEnd(session);
          if (session.state.review_session.overall_status === 'completed')
            expect(nextStep(session.state)).toBeUndefined();
          let again: SessionState | undefined;
          for (const fact of structuredClone(session.facts)) again = evolveSession(again, fact);
          expect(again).toEqual(session.state);
        },
      ),
      { numRuns: 300 },
    );
  });
});
