import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutorOutcome, Permit, PermitSource, Settlement } from '@switchyard/agents';
import { createClient } from '@switchyard/client';
import type { Sandbox } from '@switchyard/guard';
import { peerId, type ExecutorSpec } from '@switchyard/protocol';
import { silentLogger, steadyClock } from '@switchyard/runtime';
import { openMemoryJournal } from '@switchyard/store';
import { buildPlan, buildTask, seededRandom, settle, VirtualClock } from '@switchyard/testkit';
import { createHub, type Hub } from '@switchyard/transport';
import { Orchestrator } from '../../apps/orchestrator/src/daemon.ts';
import { benchPorts, benchSettings } from '../bench/bench-ports.ts';
import { carryOut, filesBelow } from './carry-out.ts';
import { QuotaWorker, linkTo } from './quota-worker.ts';

const logger = silentLogger();
/** Of virtual time, where the clock leaps: less than a request may be on its way. */
const leapMs = 250;

/** What a worker's gateway asks for, with who waits and who is under way in view. */
class WatchedPermits implements PermitSource {
  waiting = 0;
  underWay = 0;
  private readonly permits: PermitSource;

  constructor(permits: PermitSource) {
    this.permits = permits;
  }

  async acquire(...asked: Parameters<PermitSource['acquire']>): Promise<Permit> {
    this.waiting += 1;
    let permit: Permit;
    try {
      permit = await this.permits.acquire(...asked);
    } finally {
      this.waiting -= 1;
    }
    this.underWay += 1;
    const settle = (settlement: Settlement): void => {
      this.underWay -= 1;
      permit.settle(settlement);
    };
    return { arrived: () => permit.arrived(), settle };
  }
}

/** How the work of one agent ended. */
export interface AgentEnd {
  readonly outcome: ExecutorOutcome;
  /** Files that it made, with what is in them. */
  readonly files: Readonly<Record<string, string>>;
  /** For how long the quota held its requests, in virtual time. */
  readonly heldMs: number;
}

interface SceneOptions {
  readonly sandbox: Sandbox;
  /** Where the agents are installed. */
  readonly agents: string;
  /** Executors by task; each task has the folder of its name, and a worker of its own. */
  readonly tasks: Readonly<Record<string, ExecutorSpec>>;
  readonly rpm: number;
  /** The address of the scripted model, once it is known what time it is. */
  readonly model: (now: () => number) => Promise<string>;
}

/**
 * Real agents in the sandbox, each with the real gateway of a worker and its end of the quota, at a real orchestrator whose
 * clock goes as the machine's does while an agent works, and leaps while all of them wait.
 */
export class QuotaScene {
  private readonly clock = new VirtualClock();
  private readonly random = seededRandom(11);
  private readonly root = mkdtempSync(join(tmpdir(), 'switchyard-quota-'));
  private readonly closers: (() => Promise<unknown>)[] = [];
  /** Of agents that are at work. */
  private readonly atWork = new Set<WatchedPermits>();
  private readonly options: SceneOptions;

  constructor(options: SceneOptions) {
    this.options = options;
  }

  /** Lets every agent carry out its task. */
  async play(): Promise<ReadonlyMap<string, AgentEnd>> {
    const { clock, random } = this;
    const { tasks, model } = this.options;
    const url = await model(() => clock.now());
    const hub = this.openHub();
    const workers: QuotaWorker[] = [];
    for (const task of Object.keys(tasks)) {
      const worker = new QuotaWorker(hub, `worker-${task}`, { clock, random });
      workers.push(worker);
      this.closers.push(() => worker.close());
      await worker.link.whenConnected();
    }
    await this.submit(hub);
    const ends = new Map<string, AgentEnd>();
    const works = workers.map(async (worker) => {
      const [task, end] = await this.perform(worker, url);
      ends.set(task, end);
    });
    await this.drive(Promise.all(works));
    return ends;
  }

  async close(): Promise<void> {
    for (const close of this.closers.toReversed()) await close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private openHub(): Hub {
    const { clock, random } = this;
    const daemon = new Orchestrator(
      benchPorts({
        clock: steadyClock(clock),
        random,
        journal: openMemoryJournal(),
        settings: benchSettings,
        fatal: (error) => {
          throw error;
        },
        stop: () => undefined,
      }),
    );
    daemon.restore();
    const self = peerId.parse('orchestrator');
    const { handler } = daemon;
    const hub = createHub({ self, hubName: 'scene', version: '0.1.0', clock, random, logger, handler });
    daemon.start(hub);
    this.closers.push(
      () => daemon.stop(),
      () => hub.close(),
    );
    return hub;
  }

  private async submit(hub: Hub): Promise<void> {
    const { clock, random } = this;
    const { tasks, rpm } = this.options;
    const names = Object.keys(tasks);
    const more = { timeoutMs: 48 * 3_600_000 };
    // Who drives is said when it is carried out: these workers have no labels.
    const list = names.map((id) => buildTask({ id, more }));
    const link = linkTo(hub, { name: 'client', role: 'client', clock, random, take: () => undefined });
    link.start();
    await createClient(link).submit(buildPlan(list, { limits: { workers: names.length, rpm } }));
    await link.close();
    await settle();
  }

  private async perform(worker: QuotaWorker, url: string): Promise<[string, AgentEnd]> {
    const permits = new WatchedPermits(worker.permits);
    this.atWork.add(permits);
    try {
      const assignment = await worker.begin();
      const { taskId } = assignment;
      const executor = this.options.tasks[taskId];
      if (executor === undefined) throw new Error(`${taskId} is no task of the scene`);
      const folder = join(this.root, taskId);
      const tree = join(folder, 'tree');
      mkdirSync(join(tree, taskId), { recursive: true });
      writeFileSync(join(tree, 'README.md'), '# Shop\n');
      const gateway = worker.openGateway(keysAt(url), permits);
      const { sandbox, agents } = this.options;
      const place = { folder, tree, sandbox, agents, gateway, clock: this.clock };
      const outcome = await carryOut({ ...assignment, executor }, place);
      return [taskId, { outcome, files: filesBelow(tree), heldMs: worker.permits.heldMs(assignment) }];
    } finally {
      this.atWork.delete(permits);
    }
  }

  /** Moves the clock until the work is over. */
  private async drive(work: Promise<unknown>): Promise<void> {
    const { clock } = this;
    let isOver = false;
    const over = work.finally(() => (isOver = true));
    // Awaited below; until then its failure is nobody's.
    over.catch(() => undefined);
    let last = performance.now();
    while (!isOver) {
      const all = [...this.atWork];
      const leaps = all.length > 0 && all.every(({ waiting, underWay }) => waiting > 0 && underWay === 0);
      if (!leaps) await pause(5);
      const now = performance.now();
      await clock.advance(leaps ? leapMs : now - last);
      last = now;
    }
    await over;
  }
}

function keysAt(url: string): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'a-key-of-the-user',
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: 'a-key-of-the-user',
  };
}
