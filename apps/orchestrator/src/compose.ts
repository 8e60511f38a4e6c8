import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, limits, peerId } from '@switchyard/protocol';
import { knownNames, readModelsFile } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { openLayers, operatorRegistries, setupEnvironment } from '@switchyard/receipts';
import { discoverRepository, openRunRepository, type RunRepository } from '@switchyard/repo';
import {
  acquireLock,
  claimProject,
  createMetrics,
  layOutStateFolder,
  openLog,
  openStateFolder,
  programVersion,
  redactor,
  removeTree,
  repositoryStateRoot,
  requireOwner,
  requireProject,
  secretsOf,
  Shutdown,
  stateRoot,
  steadyClock,
  systemClock,
  systemRandom,
  writeState,
  type Logger,
  type Metrics,
  type StateFolder,
  upstreamProxyOf,
} from '@switchyard/runtime';
import { Archivist, ProjectionChore, SnapshotChore } from '@switchyard/history';
import { openLibsqlJournal, type ShelvedJournal } from '@switchyard/store';
import { createHub, openTokenBook } from '@switchyard/transport';
import { leaseMsOf, type OrchestratorConfig } from './config.ts';
import { Orchestrator } from './daemon.ts';
import { closedDoor, openFrontDoor } from './front-door.ts';
import type { InstanceManager } from './instances.ts';
import { openLocalFleet } from './local-fleet.ts';
import { LogFiles } from './log-files.ts';
import { announce, announceEnd, withdraw } from './orchestrator-file.ts';
import type { DaemonSettings, Door, OrchestratorPorts } from './ports.ts';
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
  readonly journal: ShelvedJournal;
  readonly sandbox: Sandbox;
  readonly repository: RunRepository;
}

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(
  config: OrchestratorConfig,
  env: NodeJS.ProcessEnv,
): Promise<RunningOrchestrator> {
  const user = await discoverRepository(config.repository);
  const root = config.state ?? repositoryStateRoot(stateRoot(env), user.gitCommonDir);
  // Before anything is made in it; of a folder of somebody else not even its project can be read.
  requireOwner(root);
  requireProject(layOutStateFolder(root), user.gitCommonDir);
  const folder = openStateFolder(root);
  const lock = takeStateFolder(folder, user.gitCommonDir);
  const { logLevel: level, logStdout: stdout } = config;
  const log = await openLog({ daemon: 'orchestrator', level, folder: folder.logs, stdout });
  const shutdown = new Shutdown(log.logger, limits.drainMs + 1_000);
  if (config.endWithInput) shutdown.onInputClosed();
  shutdown.add('log', () => log.close());
  shutdown.add('state folder', () => {
    // Whoever sees no file may start the next one.
    withdraw(folder.orchestratorFile);
    lock.release();
  });
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
    unverifiableAfterMs: leaseMsOf(config),
    hungAfterMs: config.hungMs,
    silentAfterMs: leaseMsOf(config) + config.leaseGraceMs,
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
    ...(config.looking && { looking: true as const }),
  };
  announce(folder.orchestratorFile, self);
  shutdown.add('local instances', () => {
    daemon.drain();
    return instances.cleanup();
  });
  // The first step, in the turn in which the end is decided: who is connected by then has prevented it, and who comes
  // later reads this.
  shutdown.add('orchestrator file', () => announceEnd(folder.orchestratorFile, self));
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
  requireGitDir(folder, journal);
  const searchPath = env['PATH'] === undefined ? {} : { searchPath: env['PATH'] };
  const sandbox = await openSandbox({
    mode: config.sandbox,
    logger,
    clock: systemClock,
    upstreamProxy: upstreamProxyOf(env),
    ...searchPath,
  });
  shutdown.add('sandbox', () => sandbox.close());
  const repository = await openRunRepository({ gitDir: folder.gitDir, user, logger });
  // An orchestrator that was killed leaves checkouts.
  for (const name of await readdir(folder.checkouts)) await removeTree(join(folder.checkouts, name));
  return { metrics, journal, sandbox, repository };
}

/** What runs rest on has not gone from beside the journal. Throws AppError E_STATE_DAMAGED. */
function requireGitDir({ gitDir }: StateFolder, journal: ShelvedJournal): void {
  if (existsSync(join(gitDir, 'HEAD')) || journal.streams().length === 0) return;
  throw new AppError(
    'E_STATE_DAMAGED',
    `${gitDir} is gone, and the journal has runs whose commits it held; put it back from a copy, or move the whole state folder away to begin anew (branches switchyard/… in your repository stay)`,
    { details: { file: gitDir } },
  );
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
  const [clock, random] = [steadyClock(systemClock), systemRandom];
  const layers = openLayers({
    folder: folder.layers,
    sandbox,
    logger,
    clock,
    networkEnv: setupEnvironment(env),
    registries: operatorRegistries(env),
  });
  const checkouts = { folder: folder.checkouts, clock, random, logger };
  return {
    clock,
    random,
    logger,
    metrics,
    journal,
    snapshots: journal.shelf,
    archivist: openArchivist(ground, journal),
    repository,
    verifier: createVerifier({
      ...{ repository, layers, sandbox, ...checkouts },
      redact: redactor(secretsOf(env)),
    }),
    instances,
    reports: new FileReports(folder.runs),
    logs: new LogFiles(folder.logs, logger),
    get door() {
      return doorway.door;
    },
    settings: {
      leaseGraceMs: config.leaseGraceMs,
      deadShownMs: config.deadShownMs,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
      ephemeral: config.ephemeral,
      looking: config.looking,
      version: programVersion,
      hubName: folder.root,
      sandbox: sandbox.tier,
      models: modelSettings(config),
      names: knownNames({ agents: config.agents, mcpServers: config.mcpServers }),
    },
    fatal: (error) => {
      logger.fatal({ err: error }, 'the orchestrator cannot go on');
      end(error);
    },
    stop: (reason) => void shutdown.run(reason).then(() => end(undefined)),
  };
}

/** What the operator says of providers. Throws AppError E_CONFIG. */
function modelSettings({ models: file }: OrchestratorConfig): NonNullable<DaemonSettings['models']> {
  const { providers, budgetUsdPerDay } = readModelsFile(file);
  const quotas = Object.entries(providers).map(([name, { quota }]) => [name, quota] as const);
  return { quotas: Object.fromEntries(quotas), budgetUsdPerDay };
}

/** What is made from the journal on the side. */
function openArchivist({ logger, folder }: Ground, { shelf, name }: ShelvedJournal): Archivist {
  const clock = systemClock;
  const chores = [
    new SnapshotChore({ shelf, logger, clock }),
    new ProjectionChore({ file: folder.projectionsFile, journal: name, logger, clock }),
  ];
  return new Archivist({ clock, chores });
}

function takeStateFolder(folder: StateFolder, gitCommonDir: string): { release(): void } {
  const result = writeState(folder.root, () => acquireLock(folder.lockFile));
  if (result.kind === 'held') {
    claimProject(folder, gitCommonDir);
    return result;
  }
  throw new AppError(
    'E_STATE_LOCKED',
    `process ${result.holder.pid} is the orchestrator of this repository already (state folder ${folder.root}); use it, or end it with \`switchyard down\``,
  );
}
