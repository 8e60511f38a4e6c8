import { hostname } from 'node:os';
import { engineReadPaths, staticEngines } from '@switchyard/analyzers';
import { openSandbox } from '@switchyard/guard';
import {
  dialHub,
  findSurroundings,
  givenToken,
  logRelay,
  perAddress,
  remotePrefix,
  sandboxedGit,
  takePeerFolder,
  Tokens,
  type PeerFolder,
  type RunningDaemon,
  type Surroundings,
} from '@switchyard/peer';
import { discoverRepository, openObjectCache } from '@switchyard/repo';
import {
  openLog,
  programVersion,
  Shutdown,
  systemClock,
  systemRandom,
  type Logger,
} from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink } from '@switchyard/transport';
import type { ReviewerConfig } from './config.ts';
import { ReviewerDaemon } from './daemon.ts';

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(config: ReviewerConfig): Promise<RunningDaemon> {
  const around = await findSurroundings(config, discoverRepository);
  const { state, isRemote } = around;
  const peer = takePeerFolder({
    folder: state.peers,
    name: config.name,
    prefix: isRemote ? remotePrefix('reviewer', state.root, systemRandom) : 'reviewer',
    role: 'reviewer',
  });
  const relay = logRelay(peer.peer);
  const log = await openLog({
    daemon: peer.peer,
    level: config.logLevel,
    folder: state.logs,
    stdout: config.logStdout,
    // A reviewer of this machine writes into the folder that the orchestrator reads.
    ...(isRemote && { tap: relay.tap }),
  });
  const shutdown = new Shutdown(log.logger, config.drainMs + 500);
  shutdown.add('peer folder', () => peer.release());
  shutdown.add('log', () => log.close());
  try {
    const { daemon, ended } = await open(config, { around, peer, logger: log.logger, shutdown });
    relay.connect(daemon);
    return { shutdown, ended };
  } catch (error) {
    await shutdown.run('start failed');
    throw error;
  }
}

interface Ground {
  readonly around: Surroundings;
  readonly peer: PeerFolder;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
}

async function open(
  config: ReviewerConfig,
  { around, peer, logger, shutdown }: Ground,
): Promise<{ daemon: ReviewerDaemon; ended: Promise<unknown> }> {
  const clock = systemClock;
  const random = systemRandom;
  const tokens = new Tokens({
    given: givenToken(config),
    keptFile: peer.tokenFile,
    stateFile: around.isRemote ? undefined : around.state.tokenFile,
  });
  const token = (): string => tokens.current();
  const locate = () => around.locate();
  const sandbox = await openSandbox({
    mode: config.sandbox,
    logger,
    clock,
    ...(config.searchPath !== undefined && { searchPath: config.searchPath }),
  });
  shutdown.add('sandbox', () => sandbox.close());
  const outbox = openOutbox({ file: peer.outboxFile, logger });
  shutdown.add('outbox', () => outbox.close());
  const engines = staticEngines();
  for (const engine of engines) shutdown.add(`engine ${engine.name}`, () => engine.close());
  let end: (error: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const daemon = new ReviewerDaemon({
    self: peer.peer,
    version: programVersion,
    host: hostname(),
    pid: process.pid,
    specializations: config.specializations,
    slots: config.slots,
    clock,
    random,
    logger,
    sandbox,
    outbox,
    engines,
    engineReadPaths: engineReadPaths(),
    objects: perAddress(locate, ({ httpUrl, fingerprint }) =>
      openObjectCache({
        folder: peer.objects,
        url: `${httpUrl}/git`,
        token,
        ...(fingerprint !== undefined && { fingerprint }),
        logger,
        sandbox: sandboxedGit(sandbox),
      }),
    ),
    checkouts: peer.work,
    link: (options) =>
      createLink({
        self: peer.peer,
        dial: dialHub(locate, token),
        clock,
        random,
        logger,
        outbox,
        ...options,
      }),
    finishMs: Math.max(0, config.drainMs - 2_000),
    acknowledgeMs: 3_000,
    keepToken: (lasting) => tokens.keep(lasting),
    ...(config.giveUpMs !== undefined && { giveUpMs: config.giveUpMs }),
    fatal: (error) => {
      logger.error({ err: error }, 'the orchestrator refuses this reviewer');
      end(error);
    },
    stop: (reason) => {
      logger.info({ reason }, 'asked to stop');
      end(undefined);
    },
  });
  shutdown.add('reviews', () => daemon.drain('it was asked to stop'));
  await daemon.start();
  const { specializations, slots } = config;
  logger.info({ state: around.state.root, sandbox: sandbox.tier, specializations, slots }, 'reviewer ready');
  return { daemon, ended };
}
