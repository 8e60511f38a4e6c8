import {
  decideSession,
  evolveSession,
  type SessionFact,
  type SessionInput,
  type SessionState,
  type StepOutcome,
} from '@switchyard/review';
import type { Specialization } from '@switchyard/protocol';

type Undated<Input> = Input extends unknown ? Omit<Input, 'at'> : never;

export const begun = Date.parse('2026-03-01T10:00:00.000Z');

/** A session with a clock of its own; every fact is kept. */
export class Session {
  now = begun;
  readonly facts: SessionFact[] = [];
  state: SessionState;

  constructor(options: { readonly acceptedFailureShare?: number } = {}) {
    const [fact] = decideSession(undefined, {
      kind: 'create',
      at: this.now,
      taskId: '3',
      sessionId: '0b3b0c2e-7b0c-4f6e-9d4e-0d6c1f3a2b10',
      projectRoot: '/project',
      acceptedFailureShare: options.acceptedFailureShare ?? 0,
    });
    if (fact === undefined) throw new Error('nothing was created');
    this.facts.push(fact);
    this.state = evolveSession(undefined, fact);
  }

  input(input: Undated<SessionInput>): readonly SessionFact[] {
    const facts = decideSession(this.state, { ...input, at: this.now });
    for (const fact of facts) this.state = evolveSession(this.state, fact);
    this.facts.push(...facts);
    return facts;
  }

  step(outcome: StepOutcome, warnings: readonly string[] = []): void {
    this.input({ kind: 'step-begin', step: outcome.step });
    this.input({ kind: 'step-done', outcome, warnings });
  }

  /** Everything up to the reviewers' turn. */
  prepare(...dimensions: Specialization[]): void {
    for (const outcome of preparation(dimensions)) this.step(outcome);
    this.input({ kind: 'step-begin', step: 'run_reviewers' });
  }

  attempt(reviewer: string): number {
    return this.reviewer(reviewer).attempt;
  }

  reviewer(name: string): SessionState['reviewers'][number] {
    const found = this.state.reviewers.find(({ reviewer_id }) => reviewer_id === name);
    if (found === undefined) throw new Error(`no reviewer ${name}`);
    return found;
  }

  /** The four words of a reviewer that comes to a result. */
  complete(reviewer: string, findings = 0): void {
    const launch = { reviewer, attempt: this.attempt(reviewer) };
    this.input({ kind: 'reviewer-progress', progress: 50, phase: 'reading', ...launch });
    this.input({ kind: 'reviewer-completing', ...launch });
    this.input({ kind: 'acknowledge', ...launch });
    this.input({ kind: 'reviewer-result', findings, ...resultOf(reviewer), ...launch });
  }

  get percent(): number {
    return this.state.coordination_state.completion_percentage;
  }
}

export function resultOf(reviewer: string): { resultFile: string; resultSha256: string } {
  return { resultFile: `${reviewer}.json`, resultSha256: 'a'.repeat(64) };
}

export function preparation(dimensions: readonly Specialization[]): StepOutcome[] {
  return [
    { step: 'load_specs' },
    { step: 'parse_task', title: 'Token store', complexity: 'medium' },
    { step: 'retrieve_plan', inputsDigest: 'digest' },
    { step: 'validate_plan', gaps: [] },
    {
      step: 'assess_status',
      brownfield: { is_brownfield: false, previous_report: null, earlier_findings: 0 },
    },
    {
      step: 'choose_reviewers',
      projectType: 'back end',
      reason: 'the task says "server"',
      scope: '3 files',
      scopeDigest: 'digest',
      covers: true,
      reviewers: dimensions.map((dimension) => ({ dimension, reason: 'its type', focus: ['all'] })),
    },
  ];
}

export const finish: readonly StepOutcome[] = [
  { step: 'integrate_results', conclusion: 'passed' },
  { step: 'write_report', readable: true },
  {
    step: 'record_metrics',
    metrics: {
      total_execution_ms: 1,
      reviewer_durations_ms: {},
      reviewer_success_rate: 1,
      reviewer_failure_rate: 0,
      errors: 0,
      recovery_attempts: 0,
      recovered_reviewers: 0,
      quality_score: 100,
      quality_formula: 'f',
    },
  },
  { step: 'archive_session' },
  { step: 'update_task', status: 'ticked' },
  { step: 'clean_up' },
];
