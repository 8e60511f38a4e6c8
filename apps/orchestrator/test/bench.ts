import {
  AppError,
  peerId,
  type Envelope,
  type Hello,
  type Plan,
  type RunEvent,
  type RunId,
  type RunView,
  type TaskPhase,
} from '@switchyard/protocol';
import { createClient, type SwitchyardClient } from '@switchyard/client';
import { createMetrics, silentLogger, steadyClock } from '@switchyard/runtime';
import { openMemoryJournal, type Journal } from '@switchyard/store';
import { HeldJournal, MemoryRepository, seededRandom, settle, VirtualClock } from '@switchyard/testkit';
import {
  createHub,
  createLink,
  memoryPair,
  type Channel,
  type Dial,
  type Hub,
  type Link,
} from '@switchyard/transport';
import { Orchestrator } from '../src/daemon.ts';
import type { DaemonSettings, OrchestratorPorts } from '../src/ports.ts';
import { FakeInstances, FakeLogs, FakeVerifier, MemoryReports } from './fakes.ts';

const logger = silentLogger();

/** An orchestrator on a hub in memory, on a clock that the test moves, with its outside world in memory. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(11);
  readonly journal: HeldJournal;
  readonly repository = new MemoryRepository();
  readonly verifier = new FakeVerifier();
  readonly instances = new FakeInstances();
  readonly reports = new MemoryReports();
  readonly logs = new FakeLogs();
  readonly metrics = createMetrics();
  readonly fatal: unknown[] = [];
  readonly stopped: string[] = [];
  /** Who has a token of its own. */
  readonly invited = new Set<string>();
  readonly settings: DaemonSettings;
  daemon: Orchestrator;
  hub: Hub | undefined;

  constructor({ settings = {}, journal = openMemoryJournal() }: BenchOptions = {}) {
    this.journal = new HeldJournal(journal);
    this.settings = {
      leaseGraceMs: 30_000,
      deadShownMs: 3_600_000,
      heartbeatIntervalMs: 2_000,
      ephemeral: false,
      version: '0.1.0',
      hubName: 'bench',
      sandbox: 'bubblewrap',
      ...settings,
    };
    this.daemon = this.start();
  }

  /** A new process on the same journal and repository. */
  start(): Orchestrator {
    const daemon = new Orchestrator(this.ports());
    daemon.restore();
    this.hub = createHub({
      self: peerId.parse('orchestrator'),
      hubName: 'bench',
      version: '0.1.0',
      clock: this.clock,
      random: this.random,
      logger,
      handler: daemon.handler,
      heartbeatIntervalMs: this.settings.heartbeatIntervalMs,
    });
    daemon.start(this.hub);
    this.daemon = daemon;
    return daemon;
  }

  /** The process is gone, in whatever it was doing. */
  async crash(): Promise<void> {
    const { hub } = this;
    this.hub = undefined;
    this.daemon.handler.message = () => undefined;
    this.daemon.handler.disconnected = () => undefined;
    await hub?.close();
    await this.daemon.stop();
  }

  async restart(): Promise<void> {
    await this.crash();
    this.start();
    await settle();
  }

  async submit(plan: Plan): Promise<RunId> {
    const client = await this.client('submitter');
    const run = await client.api.submit(plan);
    await client.link.close();
    await settle();
    return run;
  }

  async client(name: string): Promise<BenchClient> {
    const client = new BenchClient(this, name);
    await client.link.whenConnected();
    await settle();
    return client;
  }

  /** Lets things happen until something is so, a little time at a time. */
  async until(isTrue: () => boolean, forMs = 60_000): Promise<void> {
    for (let passed = 0; passed <= forMs; passed += 100) {
      await settle();
      if (isTrue()) return;
      if (passed > 0 || passed + 100 > forMs) await this.clock.advance(100);
      else await settle();
    }
    throw new Error('it did not happen');
  }

  /** The state of a run as memory has it. */
  view(run: RunId) {
    const keeper = this.daemon.loop.keepers.get(run);
    if (keeper === undefined) throw new Error(`no run ${run}`);
    return keeper.state;
  }

  phase(run: RunId, task: string): Exclude<TaskPhase, 'submitted'> | undefined {
    return [...this.view(run).tasks.values()].find((one) => one.task.id === task)?.phase.kind;
  }

  events(run: RunId): readonly RunEvent[] {
    return this.daemon.loop.keepers.get(run)?.events.from(0) ?? [];
  }

  /** Dials the hub of this moment; what it opened can be cut. */
  dialler(): { dial: Dial; cut: () => void } {
    const channels: Channel[] = [];
    const dial: Dial = (lane) => {
      if (this.hub === undefined) return Promise.reject(new AppError('E_UNREACHABLE', 'nobody there'));
      const [ours, theirs] = memoryPair();
      this.hub.accept(theirs, { roles: ['worker', 'reviewer', 'client'], lane, credential: 'operator' });
      channels.push(ours);
      return Promise.resolve(ours);
    };
    return { dial, cut: () => channels.splice(0).forEach((channel) => channel.close(1006, 'cut')) };
  }

  private ports(): OrchestratorPorts {
    const { random, metrics, journal, repository, verifier, instances, reports, logs } = this;
    return {
      clock: steadyClock(this.clock),
      random,
      logger,
      metrics: createMetricsOnce(metrics),
      journal,
      repository,
      verifier,
      instances,
      reports,
      logs,
      door: {
        url: 'ws://127.0.0.1:1/hub',
        invite: () => {
          throw new AppError('E_BIND_INSECURE', 'this orchestrator listens without TLS');
        },
        revoke: (peer) => this.invited.delete(peer),
      },
      settings: this.settings,
      fatal: (error) => this.fatal.push(error),
      stop: (reason) => this.stopped.push(reason),
    };
  }
}

interface BenchOptions {
  readonly settings?: Partial<DaemonSettings>;
  readonly journal?: Journal;
}

/** A process that starts again has figures of its own. */
function createMetricsOnce(metrics: ReturnType<typeof createMetrics>): ReturnType<typeof createMetrics> {
  metrics.registry.clear();
  return metrics;
}

export function helloOf(role: Hello['role'], over: Partial<Hello> = {}): Omit<Hello, 'lane'> {
  return {
    role,
    version: '0.1.0',
    host: 'test',
    pid: 1,
    labels: ['os:linux'],
    slots: role === 'client' ? 0 : 1,
    specializations: [],
    holding: [],
    reviewing: [],
    ...over,
  };
}

/** A client: its typed calls, its link, and what came without being asked. */
export class BenchClient {
  readonly link: Link;
  readonly api: SwitchyardClient;
  readonly received: Envelope[] = [];
  readonly cut: () => void;

  constructor(bench: Bench, name: string) {
    const { dial, cut } = bench.dialler();
    this.cut = cut;
    this.link = createLink({
      self: peerId.parse(name),
      hello: () => helloOf('client'),
      dial,
      clock: bench.clock,
      random: bench.random,
      logger,
      handler: {
        message: (envelope) => {
          this.received.push(envelope);
        },
        fatal: (error) => {
          throw error;
        },
      },
    });
    this.link.start();
    this.api = createClient(this.link);
  }

  /** Events that came, in the order they came. */
  events(): RunEvent[] {
    return this.received.flatMap((envelope) => (envelope.type === 'run-event' ? [envelope.payload] : []));
  }

  /** The reason that a view gives for where a task is. */
  async reason(run: RunId, task: string): Promise<string | undefined> {
    const view: RunView = await this.api.run(run);
    return view.tasks.find(({ id }) => id === task)?.reason;
  }
}
