import { Gateway, Ledger, PermitClient, PriceBook } from '@switchyard/agents';
import { createClient } from '@switchyard/client';
import { peerId, type AttemptKey, type TaskAssignment } from '@switchyard/protocol';
import { silentLogger, sleep, systemClock, systemRandom } from '@switchyard/runtime';
import { openMemoryJournal } from '@switchyard/store';
import { buildPlan, buildTask, ScriptedModels } from '@switchyard/testkit';
import { createHub, createLink, memoryPair, type Dial, type Hub, type Link } from '@switchyard/transport';
import { Orchestrator } from '../../apps/orchestrator/src/daemon.ts';
import { benchPorts, benchSettings } from './bench-ports.ts';

export interface QuotaRequest {
  readonly workers: number;
  readonly clientsAWorker: number;
  readonly requestsAClient: number;
  readonly rpm: number;
  /** How long nobody asks for anything afterwards. */
  readonly idleMs: number;
}

export interface QuotaFigures {
  readonly requests: number;
  /** Requests that did not end well. */
  readonly failed: number;
  readonly wallMs: number;
  /** The most requests in any window of a minute, measured at the server. */
  readonly fullest: number;
  /** Requests at the server while nobody asked for anything. */
  readonly whileIdle: number;
}

const logger = silentLogger();

/**
 * Clients of many attempts that always have a request waiting, through real gateways and a real orchestrator's quota, to
 * a scripted provider over HTTP. Git, sandbox and agents are not in it.
 */
export async function runGatewayQuota(request: QuotaRequest): Promise<QuotaFigures> {
  const closers: (() => unknown)[] = [];
  const models = await ScriptedModels.start(undefined, () => performance.now());
  closers.push(() => models.close());
  try {
    const { daemon, hub } = openOrchestrator(request.rpm);
    closers.push(
      () => daemon.stop(),
      () => hub.close(),
    );
    const workers = Array.from(
      { length: request.workers },
      (_, at) => new BenchWorker(hub, models.url, at, request),
    );
    for (const worker of workers) {
      closers.push(() => worker.close());
      await worker.link.whenConnected();
    }
    const tasks = request.workers * request.clientsAWorker;
    await submit(hub, tasks);
    const assigned = await Promise.all(workers.map((worker) => worker.assigned));
    const began = performance.now();
    const ends = await Promise.all(
      workers.flatMap((worker, at) =>
        (assigned[at] ?? []).map((attempt) => worker.work(attempt, request.requestsAClient)),
      ),
    );
    const wallMs = performance.now() - began;
    const requests = models.requests.length;
    await sleep({ ...systemClock, after: keepingAlive }, request.idleMs);
    return {
      requests,
      failed: ends.reduce((sum, failed) => sum + failed, 0),
      wallMs,
      fullest: fullestMinute(models.requests.map(({ at }) => at)),
      whileIdle: models.requests.length - requests,
    };
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** The machine's timers do not keep a process alive, and while idle nothing else does. */
function keepingAlive(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

export function fullestMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));
}

function openOrchestrator(rpm: number): { daemon: Orchestrator; hub: Hub } {
  const daemon = new Orchestrator(
    benchPorts({
      journal: openMemoryJournal(),
      settings: { ...benchSettings, models: { quotas: { anthropic: { rpm } } } },
      fatal: (error) => {
        throw error;
      },
      stop: () => undefined,
    }),
  );
  daemon.restore();
  const hub = createHub({
    self: peerId.parse('orchestrator'),
    hubName: 'bench',
    version: '0.1.0',
    clock: systemClock,
    random: systemRandom,
    logger,
    handler: daemon.handler,
  });
  daemon.start(hub);
  return { daemon, hub };
}

function dialTo(hub: Hub): Dial {
  return (lane) => {
    const [ours, theirs] = memoryPair();
    hub.accept(theirs, { roles: ['worker', 'client'], lane, credential: 'operator' });
    return Promise.resolve(ours);
  };
}

async function submit(hub: Hub, tasks: number): Promise<void> {
  const link = linkTo(hub, 'client', 'client', 0, () => undefined);
  link.start();
  const more = { timeoutMs: 24 * 3_600_000 };
  const list = Array.from({ length: tasks }, (_, at) => buildTask({ id: `t${at}`, more }));
  await createClient(link).submit(buildPlan(list, { limits: { workers: tasks, rpm: 1_000_000 } }));
  await link.close();
}

function linkTo(
  hub: Hub,
  name: string,
  role: 'worker' | 'client',
  ...[slots, take]: [number, Parameters<Link['onMessage']>[0]]
): Link {
  return createLink({
    self: peerId.parse(name),
    hello: () => ({
      role,
      version: '0.1.0',
      host: 'bench',
      pid: 1,
      labels: [],
      slots,
      specializations: [],
      holding: [],
      reviewing: [],
    }),
    dial: dialTo(hub),
    clock: systemClock,
    random: systemRandom,
    logger,
    handler: {
      message: take,
      fatal: (error) => {
        throw error;
      },
    },
  });
}

/** A worker's gateway and its end of the quota; its attempts are clients that ask. */
class BenchWorker {
  readonly link: Link;
  /** Its attempts, once it has them all. */
  readonly assigned: Promise<AttemptKey[]>;
  private readonly gateway: Gateway;

  constructor(hub: Hub, url: string, at: number, { clientsAWorker }: QuotaRequest) {
    const ledger = new Ledger();
    const permits = new PermitClient({ clock: systemClock, random: systemRandom, ledger });
    this.gateway = new Gateway({
      providers: [{ name: 'anthropic', baseUrl: url, key: () => 'key' }],
      prices: new PriceBook(),
      permits,
      ledger,
      clock: systemClock,
      random: systemRandom,
      logger,
    });
    const attempts: AttemptKey[] = [];
    let full: (attempts: AttemptKey[]) => void = () => undefined;
    this.assigned = new Promise((resolve) => (full = resolve));
    const link = linkTo(hub, `worker-${at}`, 'worker', clientsAWorker, (envelope) => {
      if (envelope.type === 'permit-grant') permits.granted(envelope.payload);
      if (envelope.type !== 'task-assignment') return;
      const attempt = keyOf(envelope.payload);
      link.send('task-accepted', attempt);
      if (attempts.push(attempt) === clientsAWorker) full(attempts);
    });
    permits.attach({
      ask: (payload) => link.send('permit-request', payload) !== '',
      report: (payload) => link.send('usage-report', payload) !== '',
    });
    link.onConnected(() => permits.connected());
    this.link = link;
    link.start();
  }

  /** Request after request; how many of them failed. */
  async work(attempt: AttemptKey, requests: number): Promise<number> {
    const { signal } = new AbortController();
    const { endpoint } = await this.gateway.open(attempt, { isInside: false, logger, signal });
    let failed = 0;
    for (let sent = 0; sent < requests; sent += 1) {
      const answer = await fetch(`${endpoint.anthropic}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': endpoint.token },
        body: JSON.stringify({ model: 'claude-haiku-4-5', max_tokens: 100, stream: true }),
      });
      const text = await answer.text();
      if (answer.status !== 200 || !text.includes('message_stop')) failed += 1;
    }
    return failed;
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.link.close();
  }
}

function keyOf({ run, taskId, attempt, fence }: TaskAssignment): AttemptKey {
  return { run, taskId, attempt, fence };
}
