import { Ledger, PermitClient, permitWire, type Settlement } from '@switchyard/agents';
import type { AttemptKey, ReviewAssignment, Spender, TaskAssignment } from '@switchyard/protocol';
import { silentLogger, sleep } from '@switchyard/runtime';
import { settle } from '@switchyard/testkit';
import type { Bench } from './bench.ts';
import { BenchReviewer, BenchWorker } from './peers.ts';

/** What a request of an agent comes to. */
export interface Asked {
  readonly provider?: 'anthropic' | 'openai' | 'gemini';
  readonly microUsd?: number;
  /** The most it says that it may cost. */
  readonly mostMicroUsd?: number;
  readonly takesMs?: number;
}

/** The provider: when requests reached it, and what it says to each. */
export class FakeProvider {
  readonly arrivals: number[] = [];
  answer: (index: number) => Settlement = () => ({ kind: 'done', tokens: 100 });
}

/** The gateway's end of the quota of a peer; its agents ask as they are told. */
abstract class ModelAsker {
  readonly permits: PermitClient;
  readonly ledger = new Ledger();
  readonly over = new AbortController();
  private readonly bench: Bench;
  private readonly provider: FakeProvider;

  protected constructor(bench: Bench, { link }: BenchWorker | BenchReviewer, provider: FakeProvider) {
    this.bench = bench;
    this.provider = provider;
    const { clock, random } = bench;
    this.permits = new PermitClient({ clock, random, ledger: this.ledger });
    this.permits.attach(permitWire(link, silentLogger()));
    link.onConnected(() => this.permits.connected());
    link.onMessage((envelope) => {
      if (envelope.type === 'permit-grant') this.permits.granted(envelope.payload);
    });
  }

  /** Sends one request for an attempt, again while the provider says no, and counts it. */
  async request(attempt: Spender, asked: Asked = {}): Promise<void> {
    const { provider = 'anthropic', microUsd = 0, mostMicroUsd = microUsd, takesMs = 500 } = asked;
    const want = { provider, model: 'm', tokens: 100, microUsd: mostMicroUsd };
    for (;;) {
      const permit = await this.permits.acquire(attempt, want, this.over.signal);
      this.provider.arrivals.push(this.bench.clock.now());
      const said = this.provider.answer(this.provider.arrivals.length - 1);
      await sleep(this.bench.clock, takesMs);
      if (said.kind === 'done') {
        const used = { provider, model: 'm', inputTokens: 80, cachedTokens: 0, outputTokens: 20, microUsd };
        this.ledger.add(attempt, used);
      }
      permit.settle(said);
      if (said.kind === 'done') return;
    }
  }

  /** An agent: request after request. */
  async work(attempt: Spender, requests: number, asked: Asked = {}): Promise<void> {
    for (let sent = 0; sent < requests; sent += 1) await this.request(attempt, asked);
  }
}

/** A worker whose agents ask models. */
export class ModelWorker extends ModelAsker {
  readonly worker: BenchWorker;

  private constructor(bench: Bench, worker: BenchWorker, provider: FakeProvider) {
    super(bench, worker, provider);
    this.worker = worker;
  }

  static async connect(bench: Bench, name: string, provider: FakeProvider, slots = 1): Promise<ModelWorker> {
    const worker = await BenchWorker.connect(bench, name, { slots });
    return new ModelWorker(bench, worker, provider);
  }

  /** Takes on what it was given. */
  async begin(task: string): Promise<AttemptKey> {
    const assignment = this.worker.assignment(task);
    this.worker.accept(assignment);
    await settle();
    return keyOf(assignment);
  }
}

/** A reviewer whose reviews ask models. */
export class ModelReviewer extends ModelAsker {
  readonly reviewer: BenchReviewer;

  private constructor(bench: Bench, reviewer: BenchReviewer, provider: FakeProvider) {
    super(bench, reviewer, provider);
    this.reviewer = reviewer;
  }

  static async connect(bench: Bench, name: string, provider: FakeProvider): Promise<ModelReviewer> {
    return new ModelReviewer(bench, await BenchReviewer.connect(bench, name), provider);
  }
}

/** Whom a review's requests are counted for. */
export function spenderOf(assignment: ReviewAssignment, sitting = 'first-sitting'): Spender {
  const { run, taskId, attempt, fence, reviewId } = assignment;
  return { run, taskId, attempt, fence, review: { reviewId, sitting } };
}

export function keyOf({ run, taskId, attempt, fence }: TaskAssignment): AttemptKey {
  return { run, taskId, attempt, fence };
}

/** The most that any window of a minute has. */
export function fullestMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));
}
