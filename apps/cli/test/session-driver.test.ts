import { AppError, type Finding } from '@switchyard/protocol';
import {
  decideSession,
  evolveSession,
  reviewerSilenceMs,
  type ReviewerResult,
  type SessionState,
  type StepOutcome,
} from '@switchyard/review';
import { settle, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { SessionDriver, type DriverPorts, type ReviewOrder } from '../src/review-session/session-driver.ts';

const dimensions = ['code-quality', 'testing', 'security', 'performance'] as const;

/** A session whose reviewers do what a test says, on a clock that stands still. */
class Bench {
  readonly clock = new VirtualClock();
  readonly controller = new AbortController();
  readonly orders: ReviewOrder[] = [];
  readonly kept: SessionState[] = [];
  readonly answers = new Map<
    string,
    { resolve: (result: ReviewerResult) => void; reject: (error: unknown) => void }
  >();
  fails: Partial<Record<string, () => void>> = {};
  readonly driver: SessionDriver;

  constructor(more: Partial<DriverPorts> = {}, acceptedFailureShare = 0) {
    const [fact] = decideSession(undefined, {
      kind: 'create',
      at: this.clock.now(),
      taskId: '1',
      sessionId: '0b3b0c2e-7b0c-4f6e-9d4e-0d6c1f3a2b10',
      projectRoot: '/project',
      acceptedFailureShare,
    });
    if (fact === undefined) throw new Error('nothing was created');
    this.driver = new SessionDriver(evolveSession(undefined, fact), {
      clock: this.clock,
      signal: this.controller.signal,
      keep: (state) => void this.kept.push(structuredClone(state)),
      told: () => undefined,
      saveResult: ({ reviewer }) => ({ resultFile: `${reviewer}.json`, resultSha256: 'a'.repeat(64) }),
      step: async (step) => {
        this.fails[step]?.();
        return { outcome: outcomeOf(step) };
      },
      review: (order) => {
        this.orders.push(order);
        order.progress(0, 'reading');
        return new Promise((resolve, reject) => {
          this.answers.set(order.reviewer, { resolve, reject });
          order.signal.addEventListener('abort', () => reject(order.signal.reason as Error));
        });
      },
      ...more,
    });
  }

  async finish(name: string, findings: (Finding & { fingerprint: string })[] = []): Promise<void> {
    const reviewer = `task-reviewer_${name}`;
    await this.orders.findLast((order) => order.reviewer === reviewer)?.announce({ findings: 0 });
    this.answers.get(reviewer)?.resolve({ reviewer, findings, filesAnalyzed: 1, strengths: [] });
    await settle();
  }

  async err(name: string, error: unknown): Promise<void> {
    this.answers.get(`task-reviewer_${name}`)?.reject(error);
    await settle();
  }

  reviewer(name: string): SessionState['reviewers'][number] | undefined {
    return this.driver.state.reviewers.find(({ reviewer_id }) => reviewer_id === `task-reviewer_${name}`);
  }
}

function outcomeOf(step: string): StepOutcome {
  const outcomes: StepOutcome[] = [
    { step: 'load_specs' },
    { step: 'parse_task', title: 'T', complexity: 'low' },
    { step: 'retrieve_plan', inputsDigest: 'd' },
    { step: 'validate_plan', gaps: [] },
    {
      step: 'assess_status',
      brownfield: { is_brownfield: false, previous_report: null, earlier_findings: 0 },
    },
    {
      step: 'choose_reviewers',
      projectType: 'back end',
      reason: 'r',
      scope: 's',
      scopeDigest: 'd',
      covers: true,
      reviewers: dimensions.map((dimension) => ({ dimension, reason: 'r', focus: [] })),
    },
    { step: 'integrate_results', conclusion: 'passed' },
    { step: 'write_report', readable: true },
    {
      step: 'record_metrics',
      metrics: {
        total_execution_ms: 0,
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
  const found = outcomes.find((one) => one.step === step);
  if (found === undefined) throw new Error(`no step ${step}`);
  return found;
}

describe('the driver of a session', () => {
  it('launches every reviewer before any has come to a result, and keeps the state after every fact', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    expect(bench.orders.map(({ dimension }) => dimension)).toEqual(dimensions);
    expect(bench.driver.state.coordination_state).toMatchObject({
      active_reviewers: 4,
      completion_percentage: 60,
    });
    for (const name of dimensions) await bench.finish(name);
    expect(await ended).toBe('ended');
    expect(bench.driver.state.review_session.overall_status).toBe('completed');
    const percents = bench.kept.map((state) => state.coordination_state.completion_percentage);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    for (const percent of [5, 15, 25, 30, 35, 40, 45, 50, 55, 60, 70, 80, 85, 90, 92, 95, 100])
      expect(percents).toContain(percent);
    expect(bench.kept.some(({ reviewers }) => reviewers.some(({ status }) => status === 'completing'))).toBe(
      true,
    );
  });

  it('waits as long as the matrix says before it tries again, while the others go on', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    await bench.err('security', new AppError('E_IO', 'the disk is busy'));
    expect(bench.reviewer('security')?.status).toBe('error');
    await bench.finish('testing');
    await bench.clock.advance(999);
    expect(bench.orders).toHaveLength(4);
    await bench.clock.advance(1);
    expect(bench.orders).toHaveLength(5);
    for (const name of ['security', 'code-quality', 'performance']) await bench.finish(name);
    expect(await ended).toBe('ended');
    expect(bench.reviewer('security')).toMatchObject({ status: 'completed', retry_count: 1 });
  });

  it('gives up a reviewer that falls silent, and starts it again', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    for (const name of dimensions.slice(1)) await bench.finish(name);
    await bench.clock.advance(reviewerSilenceMs);
    expect(bench.orders[0]?.signal.aborted).toBe(true);
    await bench.clock.advance(1_000);
    expect(bench.orders).toHaveLength(5);
    await bench.finish('code-quality');
    expect(await ended).toBe('ended');
    expect(bench.reviewer('code-quality')?.last_error?.message).toContain('no sign of life');
  });

  it('takes signs of life for what they are, though nothing has got on', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    const beat = async (): Promise<void> => {
      for (const order of bench.orders) order.progress(0, 'reading');
      await settle();
    };
    for (let minute = 0; minute < 12; minute += 1) {
      await bench.clock.advance(60_000);
      await beat();
    }
    const kept = bench.kept.length;
    await beat();
    // Not every one is worth a file.
    expect(bench.kept).toHaveLength(kept);
    for (const name of dimensions) await bench.finish(name);
    expect(await ended).toBe('ended');
    expect(bench.orders).toHaveLength(4);
    expect(bench.driver.state.error_tracking.total_errors).toBe(0);
  });

  it('stops for a person where only one can help, in a step or in a reviewer', async () => {
    const bench = new Bench();
    bench.fails['retrieve_plan'] = () => {
      throw new AppError('E_SESSION_SPEC', 'docs/implementation-plan/1-plan.md: the plan is missing');
    };
    expect(await bench.driver.run()).toBe('person');
    bench.fails = {};
    const ended = bench.driver.run();
    await settle();
    await bench.err('testing', new AppError('E_SANDBOX_UNAVAILABLE', 'no bubblewrap'));
    for (const name of ['security', 'code-quality', 'performance']) await bench.finish(name);
    expect(await ended).toBe('person');
    expect(bench.driver.state.error_tracking.escalations[0]?.instructions).toContain('switchyard doctor');
  });

  it('ends every reviewer at once on a security violation', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    await bench.err('testing', new AppError('E_OUTSIDE_WORKSPACE', 'it wrote to /etc'));
    expect(await ended).toBe('ended');
    expect(bench.orders.filter(({ signal }) => signal.aborted)).toHaveLength(4);
    expect(bench.driver.state.review_session.ended_because).toContain('security violation');
  });

  it('takes a finding outside the project for a lie, and goes on without it where that is accepted', async () => {
    const bench = new Bench({}, 0.25);
    const ended = bench.driver.run();
    await settle();
    const outside = {
      severity: 'minor',
      category: 'x',
      description: 'd',
      references: [],
      fingerprint: '',
    } as const;
    await bench.finish('testing', [{ ...outside, references: [], file: '../../etc/passwd' }]);
    for (const name of ['security', 'code-quality', 'performance']) await bench.finish(name);
    expect(await ended).toBe('ended');
    expect(bench.reviewer('testing')?.status).toBe('failed');
    expect(bench.driver.state.session_metadata.warnings[0]).toContain(
      'outside the project: ../../etc/passwd',
    );
  });

  it('takes no result that was not announced', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    const reviewer = 'task-reviewer_testing';
    bench.answers.get(reviewer)?.resolve({ reviewer, findings: [], filesAnalyzed: 1, strengths: [] });
    await settle();
    expect(bench.reviewer('testing')).toMatchObject({ status: 'failed', result_file: null });
    for (const name of ['security', 'code-quality', 'performance']) await bench.finish(name);
    expect(await ended).toBe('ended');
    expect(bench.driver.state.review_session.overall_status).toBe('failed');
  });

  it('leaves the session as it is when it is interrupted, with no reviewer at work', async () => {
    const bench = new Bench();
    const ended = bench.driver.run();
    await settle();
    await bench.finish('testing');
    bench.controller.abort(new AppError('E_CANCELLED', 'ctrl-C'));
    await expect(ended).rejects.toThrow('ctrl-C');
    expect(bench.orders.filter(({ signal }) => signal.aborted).length).toBeGreaterThanOrEqual(3);
    expect(bench.driver.state.review_session.overall_status).toBe('in_progress');
    expect(bench.driver.state.error_tracking.total_errors).toBe(0);
  });

  it('stops when what happened cannot be kept', async () => {
    let room = 30;
    const bench = new Bench({
      keep: () => {
        room -= 1;
        if (room < 0) throw new AppError('E_DISK_FULL', 'no room');
      },
    });
    const ended = bench.driver.run();
    ended.catch(() => undefined);
    await settle();
    for (const name of dimensions) await bench.finish(name).catch(() => undefined);
    await settle();
    await expect(ended).rejects.toThrow('no room');
    expect(bench.orders.every(({ signal }) => signal.aborted)).toBe(true);
  });
});
