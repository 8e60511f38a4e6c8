import { join } from 'node:path';
import { AppError, limits, peerId } from '@switchyard/protocol';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { openLayers, setupEnvironment } from '@switchyard/receipts';
import { discoverRepository, openRunRepository, type RunRepository } from '@switchyard/repo';
import {
  acquireLock,
  createMetrics,
  openLog,
  openStateFolder,
  programVersion,
  repositoryStateRoot,
  Shutdown,
  stateRoot,
  systemClock,
  systemRandom,
  type Logger,
  type Metrics,
  type StateFolder,
} from '@switchyard/runtime';
import { openLibsqlJournal, type Journal } from '@switchyard/store';
import { createHub, openTokenBook } from '@switchyard/transport';
import type { OrchestratorConfig } from './config.ts';
import { Orchestrator } from './daemon.ts';
import { closedDoor, openFrontDoor } from './front-door.ts';
import type { InstanceManager } from './instances.ts';
import { openLocalFleet } from './local-fleet.ts';
import { LogFiles } from './log-files.ts';
import { announce } from './orchestrator-file.ts';
import type { Door, OrchestratorPorts } from './ports.ts';
import { FileReports } from './report-writer.ts';
import { createVerifier } from './verifier.ts';

/** A daemon that runs. */
export interface RunningOrchestrator {
  readonly url: string;
  readonly shutdown: Shutdown;
  /** Resolves when it ends by itself: with the error that ended it, or with nothing. */
  readonly over: Promise<unknown>;
}

interface Ground {
  readonly config: OrchestratorConfig;
  readonly env: NodeJS.ProcessEnv;
  readonly user: Awaited<ReturnType<typeof discoverRepository>>;
  readonly folder: StateFolder;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
}

interface Adapters {
  readonly metrics: Metrics;
  readonly journal: Journal;
  readonly sandbox: Sandbox;
  readonly repository: RunRepository;
}

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(
  config: OrchestratorConfig,
  env: NodeJS.ProcessEnv,
): Promise<RunningOrchestrator> {
  const user = await discoverRepository(config.repository);
  const folder = openStateFolder(config.state ?? repositoryStateRoot(stateRoot(env), user.gitCommonDir));
  const lock = takeStateFolder(folder);
  const { logLevel: level, logStdout: stdout } = config;
  const log = await openLog({ daemon: 'orchestrator', level, folder: folder.logs, stdout });
  const shutdown = new Shutdown(log.logger, limits.drainMs + 1_000);
  shutdown.add('log', () => log.close());
  shutdown.add('state folder', () => lock.release());
  try {
    return await start({ config, env, user, folder, logger: log.logger, shutdown });
  } catch (error) {
    await shutdown.run('start failed');
    throw error;
  }
}

async function start(ground: Ground): Promise<RunningOrchestrator> {
  const { config, env, user, folder, logger, shutdown } = ground;
  const adapters = await openAdapters(ground);
  const tokens = openTokenBook(folder.tokenFile, { random: systemRandom, clock: systemClock });
  let end: (error: unknown) => void = () => undefined;
  const over = new Promise<unknown>((resolve) => (end = resolve));
  const instances = openLocalFleet({
    config,
    env,
    workTree: user.workTree,
    folder,
    clock: systemClock,
    logger,
    ended: (peer, _role, reason) => daemon.instanceEnded(peer, reason),
  });
  const doorway = { door: closedDoor };
  const daemon = new Orchestrator(portsOf(ground, { adapters, instances, doorway, end }));
  daemon.restore();
  shutdown.add('loop', () => daemon.stop());
  const hub = createHub({
    self: peerId.parse('orchestrator'),
    hubName: folder.root,
    version: programVersion,
    clock: systemClock,
    random: systemRandom,
    logger,
    handler: daemon.handler,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
  });
  shutdown.add('hub', () => hub.close());
  const door = await openFrontDoor({
    config,
    folder,
    tokens,
    hub,
    daemon,
    metrics: adapters.metrics,
    logger,
  });
  shutdown.add('listener', () => door.listener.close());
  doorway.door = door;
  daemon.start(hub);
  const { url, fingerprint, listener } = door;
  const self = {
    url,
    httpUrl: listener.httpUrl,
    fingerprint,
    version: programVersion,
    startedAt: Date.now(),
  };
  shutdown.add('orchestrator file', announce(folder.orchestratorFile, self));
  shutdown.add('local instances', () => {
    daemon.drain();
    return instances.cleanup();
  });
  logger.info(
    { url, repository: user.workTree, state: folder.root, sandbox: adapters.sandbox.tier },
    'orchestrator ready',
  );
  return { url, shutdown, over };
}

async function openAdapters({ config, env, user, folder, logger, shutdown }: Ground): Promise<Adapters> {
  const metrics = createMetrics();
  const commits = metrics.histogram('switchyard_journal_seconds');
  const onCommit = (ms: number): void => commits.observe(ms / 1000);
  const journal = openLibsqlJournal({ file: folder.journalFile, logger, onCommit });
  shutdown.add('journal', () => journal.close());
  const searchPath = env['PATH'] === undefined ? {} : { searchPath: env['PATH'] };
  const sandbox = await openSandbox({ mode: config.sandbox, logger, clock: systemClock, ...searchPath });
  shutdown.add('sandbox', () => sandbox.close());
  const repository = await openRunRepository({ gitDir: folder.gitDir, user, logger });
  return { metrics, journal, sandbox, repository };
}

interface Parts {
  readonly adapters: Adapters;
  readonly instances: InstanceManager;
  /** Filled in when the port is open. */
  readonly doorway: { readonly door: Door };
  readonly end: (error: unknown) => void;
}

function portsOf(ground: Ground, { adapters, instances, doorway, end }: Parts): OrchestratorPorts {
  const { config, env, folder, logger, shutdown } = ground;
  const { sandbox, repository, journal, metrics } = adapters;
  const [clock, random] = [systemClock, systemRandom];
  const layers = openLayers({
    folder: folder.layers,
    sandbox,
    logger,
    clock,
    networkEnv: setupEnvironment(env),
  });
  const checkouts = { folder: folder.checkouts, clock, random, logger };
  return {
    clock,
    random,
    logger,
    metrics,
    journal,
    repository,
    verifier: createVerifier({ repository, layers, sandbox, ...checkouts }),
    instances,
    reports: new FileReports(folder.runs),
    logs: new LogFiles(folder.logs, logger),
    get door() {
      return doorway.door;
    },
    settings: {
      leaseGraceMs: config.leaseGraceMs,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
      ephemeral: config.ephemeral,
      version: programVersion,
      hubName: folder.root,
      sandbox: sandbox.tier,
    },
    fatal: (error) => {
      logger.fatal({ err: error }, 'the orchestrator cannot go on');
      end(error);
    },
    stop: (reason) => void shutdown.run(reason).then(() => end(undefined)),
  };
}

function takeStateFolder(folder: StateFolder): { release(): void } {
  const result = acquireLock(join(folder.root, 'orchestrator.lock'));
  if (result.kind === 'held') return result;
  throw new AppError(
    'E_STATE_LOCKED',
    `process ${result.holder.pid} is the orchestrator of this repository already (state folder ${folder.root}); use it, or end it with \`switchyard down\``,
  );
}
