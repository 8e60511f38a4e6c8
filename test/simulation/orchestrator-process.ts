import {
  AppError,
  limits,
  messageOf,
  peerId,
  type Envelope,
  type RunId,
  type RunReport,
} from '@switchyard/protocol';
import { Archivist, SnapshotChore } from '@switchyard/history';
import { createMetrics, silentLogger, type Logger } from '@switchyard/runtime';
import type { Journal } from '@switchyard/store';
import { createHub, type Channel, type Hub, type HubHandler } from '@switchyard/transport';
import { Orchestrator } from '../../apps/orchestrator/src/daemon.ts';
import { receiptOf } from './labour.ts';
import type { Ends } from './network.ts';
import type { Surroundings } from './surroundings.ts';
import type { Life } from './world.ts';

type Ports = ConstructorParameters<typeof Orchestrator>[0];

const logger = silentLogger();
const metrics = createMetrics();
const files = { markdown: 'report.md', html: 'report.html', json: 'report.json' };

/** What the reports folder holds; it outlives every process. */
export type ReportFolder = Map<RunId, RunReport>;

export interface ProcessOptions {
  readonly sim: Surroundings;
  readonly life: Life;
  readonly reports: ReportFolder;
  /** The process ends by itself. */
  readonly over: (error: unknown) => void;
}

/** One life of the orchestrator: production loop and hub on the world's ports. */
export class OrchestratorProcess {
  readonly life: Life;
  readonly daemon: Orchestrator;
  private readonly hub: Hub;
  private readonly options: ProcessOptions;

  /** Throws AppError when the journal cannot be opened or does not fold. */
  constructor(options: ProcessOptions) {
    const { life, sim } = options;
    this.options = options;
    this.life = life;
    metrics.registry.clear();
    this.daemon = new Orchestrator(this.ports(sim.journal.open(life)));
    if (sim.plant === 'lost-wake-up') this.loseWakeUps();
    this.daemon.restore();
    const leaseMs = Math.max(limits.unverifiableAfterMs, 3 * sim.scenario.heartbeatMs);
    this.hub = createHub({
      self: peerId.parse('orchestrator'),
      hubName: 'simulation',
      version: '0.1.0',
      clock: sim.world.clock(life),
      random: sim.world.random,
      logger,
      handler: sim.plant === 'no-fence-check' ? this.unfenced() : this.daemon.handler,
      heartbeatIntervalMs: sim.scenario.heartbeatMs,
      unverifiableAfterMs: leaseMs,
      hungAfterMs: sim.scenario.hungMs,
      silentAfterMs: leaseMs + sim.scenario.graceMs,
    });
    this.daemon.start(this.hub);
  }

  accept(ends: Omit<Ends, 'hubLife'>): Channel {
    const [theirs, ours] = this.options.sim.network.connect({ ...ends, hubLife: this.life });
    this.hub.accept(ours, {
      roles: ['worker', 'reviewer', 'client'],
      lane: ends.lane,
      credential: 'operator',
    });
    return theirs;
  }

  /** Ends in order. */
  async stop(): Promise<void> {
    this.daemon.drain();
    await this.hub.close();
    await this.daemon.stop();
  }

  private ports(journal: Journal): Ports {
    const { sim, life, reports, over } = this.options;
    const { world } = sim;
    const clock = world.clock(life);
    const snapshots = sim.journal.shelf(life);
    const chore = new SnapshotChore({ shelf: snapshots, logger, clock, dueFacts: 20, partsAStep: 3 });
    return {
      clock,
      random: world.random,
      logger: this.listening(),
      metrics,
      journal,
      snapshots,
      archivist: new Archivist({ clock, chores: [chore] }),
      repository: sim.git.of(life),
      verifier: { verify: (request) => this.verify(request) },
      instances: noInstances,
      reports: {
        write: async (report) => {
          await world.pass(world.between(1, 10), '', life);
          reports.set(report.view.run, report);
          return files;
        },
        find: (run) => (reports.has(run) ? files : undefined),
        drop: async (run) => {
          await world.pass(world.between(1, 10), '', life);
          reports.delete(run);
        },
        transcriptOf: () => undefined,
        writeCase: () => world.pass(world.between(1, 10), '', life),
      },
      logs: {
        open: () => Promise.resolve({ lines: [], close: () => undefined }),
        receive: () => undefined,
      },
      door: {
        url: 'ws://127.0.0.1:1/hub',
        invite: () => ({ token: '', expiresAt: 0, url: '', fingerprint: '' }),
        revoke: () => false,
      },
      settings: {
        leaseGraceMs: sim.scenario.graceMs,
        deadShownMs: 3_600_000,
        heartbeatIntervalMs: sim.scenario.heartbeatMs,
        ephemeral: false,
        version: '0.1.0',
        hubName: 'simulation',
        sandbox: 'bubblewrap',
      },
      fatal: (error) => {
        if (life.alive) over(error);
      },
      stop: () => undefined,
    };
  }

  private async verify({
    commit,
  }: Parameters<Ports['verifier']['verify']>[0]): ReturnType<Ports['verifier']['verify']> {
    const { sim, life } = this.options;
    const { world, git } = sim;
    await world.pass(world.between(50, 3_000), '', life);
    if (git.isTroubled && world.random.next() < 0.5)
      throw new AppError('E_SANDBOX', 'the sandbox does not start');
    const passed = git.passes(commit) && world.random.next() > 0.01;
    return { passed, receipts: [receiptOf('npm test', commit, passed ? 0 : 1)] };
  }

  /** A disk gives snapshots back as they were kept: what recovery says of others is wrong, unless one was damaged. */
  private listening(): Logger {
    const { sim } = this.options;
    return Object.assign(silentLogger(), {
      warn: (_fields: object, text: string) => {
        const isOfSnapshots = text.includes('snapshot') || text.includes('events are made');
        if (isOfSnapshots && !sim.journal.hasDamage) sim.violate(`7: ${text}`);
      },
    });
  }

  /** A planted bug: whatever fence a result has, it counts for the current attempt. */
  private unfenced(): HubHandler {
    const { handler } = this.daemon;
    return {
      ...handler,
      connected: (peer) => handler.connected(peer),
      message: (envelope, peer) => handler.message(withCurrentFence(this.daemon, envelope), peer),
    };
  }

  /** A planted bug: who wakes the loop while the disk works is told that it is awake, and so is everybody after. */
  private loseWakeUps(): void {
    const { loop } = this.daemon;
    const wake = loop.wake.bind(loop);
    let seemsAwake = false;
    loop.wake = () => {
      seemsAwake ||= this.options.sim.journal.isBusy;
      if (!seemsAwake) wake();
    };
  }
}

const noInstances: Ports['instances'] = {
  want: () => undefined,
  arrived: () => false,
  leaving: () => undefined,
  isLocal: () => false,
  stalled: () => undefined,
  hindrance: () => 'no local workers are started here',
  starting: () => [],
  terminate: () => false,
  cleanup: () => Promise.resolve(),
};

/** Whether a process may end for this: its disk failed, or another one took its journal over. */
export function isDiskTrouble(error: unknown): boolean {
  return messageOf(error).includes('the journal: ');
}

function withCurrentFence(daemon: Orchestrator, envelope: Envelope): Envelope {
  if (envelope.type !== 'task-completed') return envelope;
  const { run, taskId } = envelope.payload;
  const lease = daemon.loop.keepers.get(run)?.held.get(taskId);
  if (lease === undefined || lease.fence === envelope.payload.fence) return envelope;
  const { attempt, fence, worker, base } = lease;
  const evidence = { ...envelope.payload.evidence, base };
  return { ...envelope, from: worker, payload: { ...envelope.payload, attempt, fence, evidence } };
}
