import {
  openLog,
  Shutdown,
  systemRandom,
  writeState,
  type Logger,
  type StateFolder,
} from '@switchyard/runtime';
import { threadHeartbeats, type Dial, type Heartbeats } from '@switchyard/transport';
import type { AppError } from '@switchyard/protocol';
import { dialHub } from './dial-hub.ts';
import { givenToken, Tokens, type HubPlace } from './hub-place.ts';
import { logRelay, type LogSender } from './log-relay.ts';
import type { PeerConfig } from './peer-config.ts';
import { remotePrefix, takePeerFolder, type PeerFolder, type PeerFolderOptions } from './peer-folder.ts';
import type { RunningDaemon } from './run-daemon.ts';
import { findSurroundings, type DiscoverRepository } from './surroundings.ts';

/** What a daemon that attaches to a hub stands on before it has adapters of its own. */
export interface Attachment {
  readonly state: StateFolder;
  readonly folder: PeerFolder;
  readonly logger: Logger;
  /** Closes what is here; what the daemon opens is added to it. */
  readonly shutdown: Shutdown;
  /** Where the hub is now. Throws AppError E_UNREACHABLE while nobody says. */
  readonly locate: () => HubPlace;
  /** The token to show now. */
  readonly token: () => string;
  readonly dial: Dial;
  /** From a thread of their own, so that no work of this daemon holds them up. */
  readonly heartbeats: Heartbeats;
  /** How the daemon ends, as its ports ask for it. */
  readonly ends: {
    readonly keepToken: (token: string) => void;
    readonly fatal: (error: AppError) => void;
    readonly stop: (reason: string) => void;
  };
  /** Says that the daemon runs: from here on its log is told to a hub of another machine. */
  running(daemon: LogSender): RunningDaemon;
}

export interface AttachOptions {
  readonly role: PeerFolderOptions['role'];
  readonly discover: DiscoverRepository;
}

/** Finds the hub's state, takes a folder and a name there, and opens the log. What it opens, its shutdown closes. */
export async function attach(config: PeerConfig, { role, discover }: AttachOptions): Promise<Attachment> {
  const given = givenToken(config);
  const { state, isRemote, locate } = await findSurroundings(config, discover);
  const folder = writeState(state.root, () =>
    takePeerFolder({
      folder: state.peers,
      name: config.name,
      prefix: isRemote ? remotePrefix(role, state.root, systemRandom) : role,
      role,
    }),
  );
  const relay = logRelay(folder.peer);
  const log = await openLog({
    daemon: folder.peer,
    level: config.logLevel,
    folder: state.logs,
    stdout: config.logStdout,
    // A daemon of this machine writes into the folder that the orchestrator reads.
    ...(isRemote && { tap: relay.tap }),
  });
  const { logger } = log;
  const shutdown = new Shutdown(logger, config.drainMs + 500);
  if (config.endWithInput) shutdown.onInputClosed();
  shutdown.add('peer folder', () => folder.release());
  shutdown.add('log', () => log.close());
  const tokens = new Tokens({
    given,
    keptFile: folder.tokenFile,
    stateFile: isRemote ? undefined : state.tokenFile,
  });
  let end: (error: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const token = (): string => tokens.current();
  const heartbeats = threadHeartbeats({ place: () => ({ ...locate(), token: token() }), logger });
  shutdown.add('heartbeats', () => heartbeats.close());
  return {
    state,
    folder,
    logger,
    shutdown,
    locate,
    token,
    dial: dialHub(locate, token),
    heartbeats,
    ends: {
      keepToken: (lasting) => tokens.keep(lasting),
      fatal: (error) => {
        logger.error({ err: error }, `the orchestrator refuses this ${role}`);
        end(error);
      },
      stop: (reason) => {
        logger.info({ reason }, 'asked to stop');
        end(undefined);
      },
    },
    running(daemon) {
      relay.connect(daemon);
      return { shutdown, ended };
    },
  };
}

/** Starts a daemon on its attachment; one that does not start leaves nothing open. */
export async function startOn(
  attachment: Attachment,
  start: (attachment: Attachment) => Promise<LogSender>,
): Promise<RunningDaemon> {
  try {
    return attachment.running(await start(attachment));
  } catch (error) {
    await attachment.shutdown.run('start failed');
    throw error;
  }
}
