import type { PlanTask, RunId } from '@switchyard/protocol';
import { buildPlan, buildTask, settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Bench } from './bench.ts';
import { FakeProvider, fullestMinute, ModelReviewer, ModelWorker, spenderOf } from './model-agent.ts';

interface Scene {
  readonly bench: Bench;
  readonly run: RunId;
  readonly provider: FakeProvider;
  readonly workers: readonly ModelWorker[];
}

async function scene(
  agents: number,
  { limits = {}, rpm, perDay }: { limits?: object; rpm?: number; perDay?: number } = {},
): Promise<Scene> {
  const quotas = rpm === undefined ? {} : { anthropic: { rpm } };
  const bench = new Bench({ settings: { models: { quotas, budgetUsdPerDay: perDay } } });
  const provider = new FakeProvider();
  const workers: ModelWorker[] = [];
  for (let agent = 0; agent < agents; agent += 1)
    workers.push(await ModelWorker.connect(bench, `worker-${agent}`, provider));
  const tasks = workers.map((_worker, agent) =>
    buildTask({ id: `t${agent}`, more: { timeoutMs: 48 * 3_600_000 } }),
  );
  const run = await bench.submit(buildPlan(tasks, { limits: { workers: agents, rpm: 3800, ...limits } }));
  return { bench, run, provider, workers };
}

/** Lets each worker begin the task it was given. */
function begin({ workers }: Scene) {
  return Promise.all(
    workers.map(({ worker }, agent) => there(workers[agent]).begin(there(worker.assignments[0]).taskId)),
  );
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}

const facts = (bench: Bench, kind: string) => [...bench.journal.read()].filter((fact) => fact.kind === kind);

describe('the quota of the fleet', () => {
  it('lets two agents that always ask send 60 requests in no window of a minute more, and nearly as many', async () => {
    const made = await scene(2, { rpm: 60 });
    const { bench, provider, workers } = made;
    const attempts = await begin(made);
    const began = bench.clock.now();
    let ended = 0;
    for (const [agent, attempt] of attempts.entries())
      void there(workers[agent])
        .work(attempt, 150)
        .then(() => (ended += 1));
    await bench.until(() => ended === 2, 600_000);
    expect(provider.arrivals).toHaveLength(300);
    const figures = await bench.metrics.registry.metrics();
    expect(figures).toContain('switchyard_model_requests_total{provider="anthropic",end="done"} 300');
    expect(figures).toContain('switchyard_model_tokens_total{provider="anthropic"} 30000');
    expect(figures).toMatch(/^switchyard_model_requests_waiting 0$/m);
    expect(fullestMinute(provider.arrivals)).toBeLessThanOrEqual(60);
    // 300 requests need four minutes at least.
    expect(bench.clock.now() - began).toBeLessThan(1.1 * 5 * 60_000);
    expect(bench.fatal).toEqual([]);
  });

  it('keeps everybody from a provider that says 429, as long as it says, and nobody fails', async () => {
    const made = await scene(6);
    const { bench, provider, workers } = made;
    const attempts = await begin(made);
    provider.answer = (index) =>
      index < 6 ? { kind: 'throttled', retryAfterMs: 30_000, reason: '429' } : { kind: 'done', tokens: 1 };
    let ended = 0;
    for (const [agent, attempt] of attempts.entries())
      void there(workers[agent])
        .work(attempt, 3)
        .then(() => (ended += 1));
    await bench.until(() => ended === 6, 120_000);
    const [first = 0] = provider.arrivals;
    const later = provider.arrivals.slice(6).map((at) => at - first);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(30_000);
    // One asks first; two when that went well.
    expect(later.filter((at) => at < there(later[0]) + 400)).toHaveLength(1);
    expect(provider.arrivals).toHaveLength(6 + 18);
  });

  it('parks the run while a provider has nothing left, and says until when', async () => {
    const made = await scene(1);
    const { bench, provider, workers, run } = made;
    const [attempt] = await begin(made);
    provider.answer = (index) =>
      index === 0
        ? { kind: 'exhausted', retryAfterMs: 3_600_000, reason: 'plan' }
        : { kind: 'done', tokens: 1 };
    let ended = false;
    void there(workers[0])
      .request(there(attempt))
      .then(() => (ended = true));
    await bench.until(() => bench.view(run).paused !== undefined);
    expect(bench.view(run).paused).toMatchObject({ cause: 'quota' });
    expect(bench.view(run).paused?.reason).toContain('anthropic');
    await bench.clock.advance(3_590_000);
    expect([ended, provider.arrivals.length]).toEqual([false, 1]);
    await bench.until(() => ended);
    expect(bench.view(run).paused).toBeUndefined();
  });

  it('goes on over a lost connection and a new orchestrator', async () => {
    const made = await scene(1, { rpm: 2 });
    const { bench, provider, workers } = made;
    const [attempt] = await begin(made);
    let ended = false;
    void there(workers[0])
      .work(there(attempt), 6)
      .then(() => (ended = true));
    await bench.clock.advance(5_000);
    there(workers[0]).worker.cut();
    await bench.clock.advance(70_000);
    await bench.restart();
    await bench.until(() => ended, 400_000);
    // Also the new one does not let more through than the old one left room for.
    expect(provider.arrivals).toHaveLength(6);
    expect(fullestMinute(provider.arrivals)).toBeLessThanOrEqual(2);
  });

  it('lets nothing through for an attempt that is not its sender’s', async () => {
    const made = await scene(2);
    const [first] = await begin(made);
    await expect(there(made.workers[1]).request(there(first))).rejects.toThrow(/not current/);
  });

  it('sends nothing, and journals nothing, while agents are silent', async () => {
    const made = await scene(4, { rpm: 60 });
    const { bench, provider, workers } = made;
    const attempts = await begin(made);
    const first = there(workers[0]).request(there(attempts[0]));
    await bench.clock.advance(10_000);
    await first;
    const before = [...bench.journal.read()].length;
    const said = workers.map(({ worker }) => worker.count('permit-grant'));
    await bench.clock.advance(3_600_000);
    expect(provider.arrivals).toHaveLength(1);
    expect([...bench.journal.read()].length).toBe(before);
    expect(workers.map(({ worker }) => worker.count('permit-grant'))).toEqual(said);
  });
});

describe('a budget', () => {
  const cost = { microUsd: 300_000, mostMicroUsd: 2_000_000 };

  it('of 1.00 stops a run with one attempt after at most one request more; a larger one lets it go on', async () => {
    const made = await scene(1, { limits: { budgetUsd: 1 } });
    const { bench, provider, run, workers } = made;
    const [attempt] = await begin(made);
    let ended = false;
    void there(workers[0])
      .work(there(attempt), 8, cost)
      .then(() => (ended = true));
    await bench.clock.advance(60_000);
    expect(provider.arrivals).toHaveLength(4); // 1.20: the fourth began at 0.90
    const client = await bench.client('client');
    const { paused, reason } = await client.api.run(run);
    expect(paused).toBe(true);
    expect(reason).toContain('$1.20 of $1.00 are spent');
    expect(reason).toContain(`switchyard budget raise ${run} USD`);
    await expect(client.api.raiseBudget(run, 1.1)).rejects.toMatchObject({ code: 'E_RUN_STATE' });
    await client.api.resume(run);
    await bench.clock.advance(1_000);
    expect((await client.api.run(run)).paused).toBe(true);
    await client.api.raiseBudget(run, 2.4);
    await bench.until(() => ended);
    expect((await client.api.run(run)).paused).toBe(false);
    expect(provider.arrivals).toHaveLength(8);
  });

  it('is exceeded by N attempts by at most N requests, also where each has many at once', async () => {
    const made = await scene(5, { limits: { budgetUsd: 3 } });
    const { bench, provider, workers } = made;
    const attempts = await begin(made);
    for (const [agent, attempt] of attempts.entries())
      for (let at = 0; at < 3; at += 1)
        void there(workers[agent])
          .work(attempt, 20, cost)
          .catch(() => undefined);
    await bench.clock.advance(120_000);
    const spent = provider.arrivals.length * cost.microUsd;
    expect(spent).toBeGreaterThanOrEqual(3_000_000);
    expect(spent).toBeLessThanOrEqual(3_000_000 + 5 * cost.microUsd);
    for (const { over } of workers) over.abort();
  });

  it('is known to an orchestrator that starts again, and facts of it are few', async () => {
    const made = await scene(1, { limits: { budgetUsd: 1 } });
    const { bench, provider, run, workers } = made;
    const [attempt] = await begin(made);
    void there(workers[0]).work(there(attempt), 30, { microUsd: 20_000 });
    await bench.clock.advance(30_000);
    const told = facts(bench, 'attempt-used');
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(8);
    await bench.restart();
    await bench.until(() => provider.arrivals.length === 30);
    void there(workers[0]).work(there(attempt), 30, { microUsd: 20_000 });
    await bench.until(() => bench.view(run).paused?.cause === 'budget', 120_000);
    expect(provider.arrivals).toHaveLength(50);
  });

  it('of each task, and of the day, pause as well; a new day goes on by itself', async () => {
    const made = await scene(2, { limits: { taskBudgetUsd: 0.5 }, perDay: 2 });
    const { bench, provider, run, workers } = made;
    const [first, second] = await begin(made);
    void there(workers[0]).work(there(first), 3, cost);
    await bench.until(() => bench.view(run).paused !== undefined);
    expect(provider.arrivals).toHaveLength(2);
    expect(bench.view(run).paused?.reason).toContain('of the task t0');
    const client = await bench.client('client');
    await client.api.raiseBudget(run, 5, true);
    await bench.until(() => provider.arrivals.length === 3);
    void there(workers[1]).work(there(second), 9, cost);
    await bench.until(() => bench.view(run).paused !== undefined);
    expect(bench.view(run).paused?.reason).toContain('budget of the day');
    const before = provider.arrivals.length;
    const until = there(bench.view(run).paused?.until);
    expect(new Date(until).toISOString()).toMatch(/T00:00:00.000Z$/);
    await bench.clock.advance(until - bench.clock.now() + 1_000);
    await settle();
    expect(provider.arrivals.length).toBeGreaterThan(before);
  });

  it('that is spent takes no time from an attempt which waits for more', async () => {
    const bench = new Bench({ settings: { models: { quotas: {} } } });
    const provider = new FakeProvider();
    const worker = await ModelWorker.connect(bench, 'worker-1', provider);
    const tasks = [buildTask({ id: 't', more: { timeoutMs: 60_000 } })];
    const run = await bench.submit(buildPlan(tasks, { limits: { workers: 1, rpm: 3800, budgetUsd: 0.1 } }));
    const attempt = await worker.begin('t');
    let ended = false;
    void worker.work(attempt, 2, cost).then(() => (ended = true));
    await bench.until(() => bench.view(run).paused?.cause === 'budget');
    await bench.clock.advance(10 * 3_600_000);
    expect([ended, bench.phase(run, 't')]).toEqual([false, 'preparing']);
    const client = await bench.client('client');
    await client.api.raiseBudget(run, 5);
    await bench.until(() => ended);
    // From here on the attempt says nothing: what is over is its own time.
    await bench.until(() => facts(bench, 'attempt-lost').length === 1, 3 * 3_600_000);
  });

  it('counts what a lost worker may have spent, until it is known', async () => {
    const made = await scene(1, { limits: { budgetUsd: 1 } });
    const { bench, provider, run, workers } = made;
    const [attempt] = await begin(made);
    void there(workers[0]).request(there(attempt), { ...cost, takesMs: 3_600_000 });
    await bench.until(() => provider.arrivals.length === 1);
    await there(workers[0]).worker.kill();
    const next = await ModelWorker.connect(bench, 'worker-next', provider);
    await bench.until(() => next.worker.assignments.length > 0, 120_000);
    void next.request(await next.begin('t0'), cost);
    await bench.until(() => bench.view(run).paused?.cause === 'budget');
    expect(provider.arrivals).toHaveLength(1);
  });
});

describe('a review by a model', () => {
  const cost = { microUsd: 300_000, mostMicroUsd: 2_000_000 };
  const hours = 3_600_000;

  /** A task that a worker has handed in, and its reviewer. */
  async function inReview(limits: object = {}, rpm?: number, timeoutMs = 10 * hours) {
    const quotas = rpm === undefined ? {} : { anthropic: { rpm } };
    const bench = new Bench({ settings: { models: { quotas } } });
    const provider = new FakeProvider();
    const worker = await ModelWorker.connect(bench, 'worker-1', provider, 2);
    const reviewer = await ModelReviewer.connect(bench, 'reviewer-1', provider);
    const review: Partial<PlanTask['review']> = {
      mode: 'required',
      specializations: ['security'],
      timeoutMs,
    };
    const tasks = [buildTask({ id: 'a', review }), buildTask({ id: 'b', more: { timeoutMs: 10 * hours } })];
    const run = await bench.submit(buildPlan(tasks, { limits: { workers: 2, rpm: 3800, ...limits } }));
    const other = await worker.begin('b');
    await worker.begin('a');
    worker.worker.complete(worker.worker.assignment('a'));
    await bench.until(() => reviewer.reviewer.assignments.length > 0);
    return { bench, provider, worker, reviewer, run, other, spender: spenderOf(reviewer.reviewer.last()) };
  }

  it('shares the rate of the fleet with attempts', async () => {
    const { bench, provider, worker, reviewer, other, spender } = await inReview({}, 20);
    let ended = 0;
    for (const work of [worker.work(other, 30), reviewer.work(spender, 30)])
      void work.then(() => (ended += 1));
    await bench.until(() => ended === 2, 600_000);
    expect(provider.arrivals).toHaveLength(60);
    expect(fullestMinute(provider.arrivals)).toBeLessThanOrEqual(20);
  });

  it('spends the budget of its run, and is told apart in what was used', async () => {
    const { bench, provider, worker, reviewer, run, other, spender } = await inReview({ budgetUsd: 1 });
    await Promise.all([worker.work(other, 1, cost), bench.clock.advance(1_000)]);
    let ended = false;
    void reviewer.work(spender, 5, cost).then(() => (ended = true));
    await bench.until(() => bench.view(run).paused !== undefined);
    expect(provider.arrivals).toHaveLength(4); // 1.20: the fourth began at 0.90
    const client = await bench.client('client');
    const { reason, usage = [] } = await client.api.run(run);
    expect(reason).toContain('$1.20 of $1.00 are spent');
    const sums = usage.map(({ taskId, agent, requests, microUsd }) => ({
      taskId,
      agent,
      requests,
      microUsd,
    }));
    expect(sums).toContainEqual({ taskId: 'a', agent: 'review security', requests: 3, microUsd: 900_000 });
    await expect(client.api.raiseBudget(run, 1.1)).rejects.toMatchObject({ code: 'E_RUN_STATE' });
    await bench.clock.advance(60_000);
    expect([ended, bench.phase(run, 'a')]).toEqual([false, 'reviewing']);
    await client.api.raiseBudget(run, 5);
    await bench.until(() => ended);
    expect(provider.arrivals).toHaveLength(6);
    // Told again and again, counted once.
    expect(await bench.metrics.registry.metrics()).toMatch(/switchyard_model_usd_total\S+ 1\.8\d*/);
  });

  it('spends the budget of its task, and a new orchestrator knows it', async () => {
    const { bench, provider, reviewer, run, spender } = await inReview({ taskBudgetUsd: 0.5 });
    const first = reviewer.work(spender, 1, cost);
    await bench.clock.advance(10_000);
    await first;
    await bench.restart();
    void reviewer.work(spender, 5, cost).catch(() => undefined);
    await bench.until(() => bench.view(run).paused !== undefined, 200_000);
    expect(provider.arrivals).toHaveLength(2);
    expect(bench.view(run).paused?.reason).toContain('of the task a');
    reviewer.over.abort();
  });

  it('has its whole time yet where its requests are held, and no more than that', async () => {
    const { bench, run, reviewer, spender } = await inReview({ budgetUsd: 0.1 }, undefined, 60_000);
    let ended = false;
    void reviewer.work(spender, 2, cost).then(() => (ended = true));
    await bench.until(() => bench.view(run).paused?.cause === 'budget');
    await bench.clock.advance(4 * hours);
    expect([ended, bench.phase(run, 'a')]).toEqual([false, 'reviewing']);
    const client = await bench.client('client');
    await client.api.raiseBudget(run, 5);
    await bench.until(() => ended);
    await bench.clock.advance(30_000);
    expect(bench.phase(run, 'a')).toBe('reviewing');
    await bench.until(() => bench.phase(run, 'a') === 'waiting', 60_000);
  });

  it('counts what a reviewer that was restarted had used, and lets nothing through that is not its sender’s', async () => {
    const { bench, run, worker, reviewer, spender } = await inReview({ budgetUsd: 9 });
    const again = spenderOf(reviewer.reviewer.last(), 'second-sitting');
    for (const one of [spender, again])
      await Promise.all([reviewer.work(one, 1, cost), bench.clock.advance(10_000)]);
    const client = await bench.client('client');
    const { usage: rows } = await client.api.run(run);
    expect(rows).toMatchObject([{ agent: 'review security', requests: 2, microUsd: 600_000 }]);
    await expect(worker.request(spender)).rejects.toThrow(/review is not current/);
    await expect(reviewer.request({ ...spender, review: undefined })).rejects.toThrow(
      /attempt is not current/,
    );
    reviewer.reviewer.approve(reviewer.reviewer.last());
    await bench.until(() => bench.phase(run, 'a') !== 'reviewing');
    await expect(reviewer.request(again)).rejects.toThrow(/review is not current/);
  });
});
