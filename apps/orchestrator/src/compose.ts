import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError, limits, peerId } from '@switchyard/protocol';
import { openSandbox } from '@switchyard/guard';
import { openLayers, setupEnvironment } from '@switchyard/receipts';
import { discoverRepository, gitHttpHandler, openRunRepository } from '@switchyard/repo';
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
  type StateFolder,
} from '@switchyard/runtime';
import { openLibsqlJournal } from '@switchyard/store';
import { bearerToken, createHub, listen, openTokenBook, type TokenBook } from '@switchyard/transport';
import { openCertificate } from './certificate-file.ts';
import type { OrchestratorConfig } from './config.ts';
import { Orchestrator } from './daemon.ts';
import { createHttp } from './http.ts';
import { InstanceManager } from './instances.ts';
import { LogFiles } from './log-files.ts';
import { announce } from './orchestrator-file.ts';
import type { Door } from './ports.ts';
import { FileReports } from './report-writer.ts';
import { createVerifier } from './verifier.ts';

const defaultPort = 7420;

/** A daemon that runs. */
export interface RunningOrchestrator {
  readonly url: string;
  readonly shutdown: Shutdown;
  /** The error that ended it, if one did. */
  readonly failed: Promise<unknown>;
}

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(
  config: OrchestratorConfig,
  env: NodeJS.ProcessEnv,
): Promise<RunningOrchestrator> {
  const user = await discoverRepository(config.repository);
  const folder = openStateFolder(config.state ?? repositoryStateRoot(stateRoot(env), user.gitCommonDir));
  const lock = takeStateFolder(folder);
  const log = await openLog({
    daemon: 'orchestrator',
    level: config.logLevel,
    folder: folder.logs,
    stdout: config.logStdout,
  });
  const { logger } = log;
  const shutdown = new Shutdown(logger, limits.drainMs + 1_000);
  shutdown.add('log', () => log.close());
  shutdown.add('state folder', () => lock.release());
  try {
    return await open(config, { env, user, folder, logger, shutdown });
  } catch (error) {
    await shutdown.run('start failed');
    throw error;
  }
}

interface Ground {
  readonly env: NodeJS.ProcessEnv;
  readonly user: Awaited<ReturnType<typeof discoverRepository>>;
  readonly folder: StateFolder;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
}

async function open(config: OrchestratorConfig, ground: Ground): Promise<RunningOrchestrator> {
  const { env, user, folder, logger, shutdown } = ground;
  const clock = systemClock;
  const random = systemRandom;
  const metrics = createMetrics();
  const commits = metrics.histogram('switchyard_journal_seconds');
  const journal = openLibsqlJournal({
    file: folder.journalFile,
    logger,
    onCommit: (ms) => commits.observe(ms / 1000),
  });
  shutdown.add('journal', () => journal.close());
  const sandbox = await openSandbox({
    mode: config.sandbox,
    logger,
    clock,
    ...(env['PATH'] === undefined ? {} : { searchPath: env['PATH'] }),
  });
  shutdown.add('sandbox', () => sandbox.close());
  const repository = await openRunRepository({ gitDir: folder.gitDir, user, logger });
  const layers = openLayers({
    folder: folder.layers,
    sandbox,
    logger,
    clock,
    networkEnv: setupEnvironment(env),
  });
  const tokens = openTokenBook(folder.tokenFile, { random, clock });
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<unknown>((resolve) => (fail = resolve));

  const instances = new InstanceManager({
    clock,
    logger,
    workers: { min: config.workersMin, max: Math.max(config.workersMin, config.workersMax) },
    reviewers: { min: config.reviewersMin, max: Math.max(config.reviewersMin, config.reviewersMax) },
    idleStopMs: config.idleStopMs,
    spawnTimeoutMs: config.spawnTimeoutMs,
    stopTimeoutMs: limits.drainMs,
    command: (role) => ({
      argv: [
        process.execPath,
        '--import',
        tsxLoader(),
        daemonEntry(role),
        ...instanceFlags(config, user.workTree, folder),
      ],
      env: childEnvironment(env),
    }),
    ended: (peer, _role, reason) => {
      if (peer !== undefined) daemon.instanceEnded(peer, reason);
      daemon.loop.wake();
    },
  });
  const logs = new LogFiles(folder.logs, logger);
  const doorway: { door: Door } = { door: closedDoor };
  const daemon = new Orchestrator({
    clock,
    random,
    logger,
    journal,
    repository,
    verifier: createVerifier({
      repository,
      layers,
      sandbox,
      folder: folder.checkouts,
      clock,
      random,
      logger,
    }),
    instances,
    reports: new FileReports(folder.runs),
    logs,
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
      fail(error);
    },
    stop: (reason) => void shutdown.run(reason).then(() => fail(undefined)),
  });
  daemon.restore();
  shutdown.add('loop', () => daemon.stop());

  const hub = createHub({
    self: peerId.parse('orchestrator'),
    hubName: folder.root,
    version: programVersion,
    clock,
    random,
    logger,
    handler: daemon.handler,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
  });
  shutdown.add('hub', () => hub.close());
  const git = gitHttpHandler({
    gitDir: folder.gitDir,
    authorize: (request) => gitRights(tokens, bearerToken(request)),
    logger,
  });
  const certificate =
    config.tlsHosts === undefined ? undefined : await openCertificate(folder.tls, config.tlsHosts.split(','));
  const listener = await listen({
    host: config.host,
    port: config.port ?? defaultPort,
    fallbackToFreePort: config.port === undefined,
    ...(certificate === undefined ? {} : { tls: certificate }),
    request: createHttp({
      daemon: () => daemon,
      metrics,
      version: programVersion,
      mayRead: (token) => tokens.grant(token, 'control')?.roles.includes('client') === true,
      git,
    }),
    hub,
    authenticate: (token, lane) => Promise.resolve(tokens.grant(token, lane)),
  });
  shutdown.add('listener', () => listener.close());
  const publicUrl =
    certificate === undefined
      ? listener.url
      : listener.url.replace(/\/\/[^/:]+/, `//${config.tlsHosts?.split(',')[0] ?? ''}`);
  doorway.door = {
    url: listener.url,
    invite: (role) => {
      if (certificate === undefined) {
        throw new AppError(
          'E_BIND_INSECURE',
          'this orchestrator listens without TLS, so nobody else can join it; start it with --host 0.0.0.0 --tls-hosts NAME-OR-ADDRESS-OF-THIS-MACHINE',
        );
      }
      return { ...tokens.invite(role), url: publicUrl, fingerprint: certificate.fingerprint };
    },
  };
  shutdown.add(
    'orchestrator file',
    announce(folder.orchestratorFile, {
      url: listener.url,
      httpUrl: listener.httpUrl,
      fingerprint: certificate?.fingerprint,
      version: programVersion,
      startedAt: clock.now(),
    }),
  );
  shutdown.add('local instances', () => {
    daemon.drain();
    return instances.cleanup();
  });
  daemon.start(hub);
  logger.info(
    { url: listener.url, repository: user.workTree, state: folder.root, sandbox: sandbox.tier },
    'orchestrator ready',
  );
  return { url: listener.url, shutdown, failed };
}

const closedDoor: Door = {
  url: '',
  invite: () => {
    throw new AppError('E_UNREACHABLE', 'the orchestrator is still starting; try again');
  },
};

function takeStateFolder(folder: StateFolder): { release(): void } {
  const result = acquireLock(join(folder.root, 'orchestrator.lock'));
  if (result.kind === 'held') return result;
  throw new AppError(
    'E_STATE_LOCKED',
    `process ${result.holder.pid} is the orchestrator of this repository already (state folder ${folder.root}); use it, or end it with \`switchyard down\``,
  );
}

function gitRights(
  tokens: TokenBook,
  token: string | undefined,
): { peer: string; push: boolean } | undefined {
  const grant = tokens.grant(token, 'control');
  if (grant === undefined) return undefined;
  return { peer: grant.peer ?? 'local', push: grant.roles.includes('worker') };
}

function tsxLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}

function daemonEntry(role: 'worker' | 'reviewer'): string {
  return fileURLToPath(new URL(`../../${role}/src/main.ts`, import.meta.url));
}

function instanceFlags(config: OrchestratorConfig, repository: string, folder: StateFolder): string[] {
  const flags = [
    '--repository',
    repository,
    '--state',
    folder.root,
    '--sandbox',
    config.sandbox,
    '--log-level',
    config.logLevel,
  ];
  return [...flags, '--log-stdout', 'false', '--give-up-ms', '60000'];
}

/** What a local instance needs of our environment; tokens come from the state folder. */
function childEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('SWITCHYARD_'));
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
