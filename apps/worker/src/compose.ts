import { hostname } from 'node:os';
import { commandExecutor } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { AppError, messageOf } from '@switchyard/protocol';
import { openLayers } from '@switchyard/receipts';
import {
  openLog,
  programVersion,
  Shutdown,
  systemClock,
  systemRandom,
  type Logger,
} from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink, webSocketDial, type Dial } from '@switchyard/transport';
import type { WorkerConfig } from './config.ts';
import { WorkerDaemon } from './daemon.ts';
import { readTokenFile, Tokens } from './hub-place.ts';
import { logRelay } from './log-relay.ts';
import { objectSource } from './object-source.ts';
import { remotePrefix, takePeerFolder, type PeerFolder } from './peer-folder.ts';
import { findSurroundings, type Surroundings } from './surroundings.ts';

/** A worker that runs. */
export interface RunningWorker {
  readonly shutdown: Shutdown;
  /** The error that ended it, if one did. */
  readonly ended: Promise<unknown>;
}

/** Names the real adapters, puts the daemon together and starts it. What it opens, its shutdown closes. */
export async function compose(config: WorkerConfig): Promise<RunningWorker> {
  const around = await findSurroundings(config);
  const { state, isRemote } = around;
  const peer = takePeerFolder({
    folder: state.peers,
    name: config.name,
    prefix: isRemote ? remotePrefix(state.root, systemRandom) : 'worker',
  });
  const relay = logRelay(peer.peer);
  const log = await openLog({
    daemon: peer.peer,
    level: config.logLevel,
    folder: state.logs,
    stdout: config.logStdout,
    // A worker of this machine writes into the folder that the orchestrator reads.
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
  config: WorkerConfig,
  ground: Ground,
): Promise<{ daemon: WorkerDaemon; ended: Promise<unknown> }> {
  const { around, peer, logger, shutdown } = ground;
  const clock = systemClock;
  const random = systemRandom;
  const tokens = new Tokens({
    given: givenToken(config),
    keptFile: peer.tokenFile,
    stateFile: around.isRemote ? undefined : around.state.tokenFile,
  });
  const sandbox = await openSandbox({
    mode: config.sandbox,
    logger,
    clock,
    ...(config.searchPath !== undefined && { searchPath: config.searchPath }),
  });
  shutdown.add('sandbox', () => sandbox.close());
  const outbox = openOutbox({ file: peer.outboxFile, logger });
  shutdown.add('outbox', () => outbox.close());
  let end: (error: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const token = (): string => tokens.current();
  const daemon = new WorkerDaemon({
    self: peer.peer,
    version: programVersion,
    host: hostname(),
    pid: process.pid,
    labels: labelsOf(config, sandbox),
    slots: config.slots,
    clock,
    random,
    logger,
    sandbox,
    executors: [commandExecutor],
    outbox,
    objects: objectSource({ folder: peer.objects, locate: () => around.locate(), token, sandbox, logger }),
    layers: openLayers({
      folder: around.state.layers,
      sandbox,
      clock,
      logger,
      networkEnv: config.networkEnv,
    }),
    attempts: peer.attempts,
    link: (options) =>
      createLink({ self: peer.peer, dial: dialOf(around, token), clock, random, logger, outbox, ...options }),
    abortMs: Math.max(500, config.drainMs - 1_500),
    keepToken: (lasting) => tokens.keep(lasting),
    ...(config.giveUpMs !== undefined && { giveUpMs: config.giveUpMs }),
    fatal: (error) => {
      logger.error({ err: error }, 'the orchestrator refuses this worker');
      end(error);
    },
    stop: (reason) => {
      logger.info({ reason }, 'asked to stop');
      end(undefined);
    },
  });
  shutdown.add('attempts', () => daemon.drain('it was asked to stop'));
  await daemon.start();
  logger.info({ state: around.state.root, sandbox: sandbox.tier, slots: config.slots }, 'worker ready');
  return { daemon, ended };
}

/** Looks for the hub anew at each dial, since it may have come back at another address. */
function dialOf(around: Surroundings, token: () => string): Dial {
  return async (lane) => {
    const { url, fingerprint } = around.locate();
    const dial = webSocketDial({ url, token, ...(fingerprint !== undefined && { fingerprint }) });
    return dial(lane);
  };
}

function labelsOf(config: WorkerConfig, sandbox: Sandbox): string[] {
  const own = [
    `os:${process.platform}`,
    `arch:${process.arch}`,
    'executor:command',
    `sandbox:${sandbox.tier}`,
    `host:${hostname()}`,
  ];
  return [...new Set([...own, ...config.labels])].slice(0, 100).map((label) => label.slice(0, 100));
}

function givenToken(config: WorkerConfig): string | undefined {
  if (config.token !== undefined || config.tokenFile === undefined) return config.token;
  try {
    return readTokenFile(config.tokenFile);
  } catch (cause) {
    const text = `--token-file: ${config.tokenFile} cannot be read (${messageOf(cause)})`;
    throw new AppError('E_TOKEN', text, { cause });
  }
}
