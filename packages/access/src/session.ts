import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { createClient, type SwitchyardClient } from '@switchyard/client';
import { AppError, isAppError, limits, peerId } from '@switchyard/protocol';
import { programVersion, silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { createLink, webSocketDial, type Dial, type Link } from '@switchyard/transport';
import type { AccessContext, AccessOptions, Introduction } from './options.ts';
import { countClients } from './count-clients.ts';
import { daemonEnvironment } from './environment.ts';
import { startEphemeral, type EphemeralOrchestrator, type EphemeralStart } from './ephemeral.ts';
import { OrchestratorPresence } from './orchestrator-presence.ts';
import {
  findRepository,
  readToken,
  runningOrchestrator,
  type OrchestratorFile,
  type RepositoryState,
} from './repository-state.ts';
import { servingOrchestrator } from './serving.ts';

/**
 * What to do where no orchestrator runs: `never` start one; start one to `look` into the journal, with no workers;
 * or to `work`, with these flags.
 */
export type StartMode =
  | { readonly kind: 'never' }
  | { readonly kind: 'look' }
  | { readonly kind: 'work'; readonly flags: readonly string[] };

/** A connection to an orchestrator, and whose it is. */
export interface Session {
  readonly client: SwitchyardClient;
  /** Present when this command started the orchestrator. */
  readonly own?: EphemeralOrchestrator;
  readonly url: string;
  /** Calls back when the connection is lost (with the reason) and when it is there again (undefined). */
  onConnection(listener: (lost: string | undefined) => void): void;
  /** Resolves with an error when the connection is lost and will not come back. */
  readonly gone: Promise<AppError>;
  /** Closes the connection; an orchestrator of our own goes on only where it has work for others. */
  close(): Promise<void>;
  /** Closes the connection and leaves an orchestrator of our own to its work. */
  detach(): Promise<void>;
  /** Whether others are connected to an orchestrator of our own: it is theirs as well then. */
  isShared(): Promise<boolean>;
  /**
   * Asks an orchestrator of our own to drain, and waits until it has ended. One that others use goes on for them, and
   * ends by itself behind them.
   */
  stop(reason: string): Promise<void>;
}

/** What a session is opened for. */
export interface SessionRequest {
  readonly context: AccessContext;
  readonly options: AccessOptions;
  readonly mode: StartMode;
  /** By default a client called `cli-…`. */
  readonly self?: Introduction;
  /** Told where an orchestrator that cannot be used is in the way for a while. */
  readonly waiting?: (text: string) => void;
  /** Goes around the start of an orchestrator, which takes its time. */
  readonly whileStarting?: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

const asClient: Introduction = { role: 'client', name: 'cli' };

/** Connects to the orchestrator that is meant. Throws AppError E_UNREACHABLE, E_TOKEN and the like. */
export async function openSession(request: SessionRequest): Promise<Session> {
  const { context, options, self = asClient } = request;
  const { environment } = context;
  const url = options.hub ?? environment.hub;
  if (url !== undefined) {
    const token = tokenAsked(request);
    if (token === undefined)
      throw new AppError(
        'E_TOKEN',
        `there is no token for ${url}; give one by SWITCHYARD_TOKEN or --token-file`,
      );
    const fingerprint = options.fingerprint ?? environment.fingerprint;
    return connect({ url, self, dial: webSocketDial({ url, token: () => token, fingerprint }) });
  }
  return openLocal(request, await findRepository(context, options));
}

/** One that is ending takes no more work, and one that was started to look none at all: its end is waited for. */
async function openLocal(request: SessionRequest, repository: RepositoryState): Promise<Session> {
  const { folder } = repository;
  const local = { repository, self: request.self ?? asClient };
  const toWork = request.mode.kind === 'work';
  for (;;) {
    const running = await servingOrchestrator(folder, { toWork, waiting: request.waiting });
    const found: EphemeralStart =
      running === undefined ? await startOwn(request, repository) : { kind: 'other', file: running };
    if (found.kind === 'started') return connectOwn(found.orchestrator, local);
    if (toWork && found.file.looking) continue;
    const session = await connectLocal(found.file, local).catch((error: unknown) => {
      // One that has ended meanwhile is as good as none.
      if (runningOrchestrator(folder) !== undefined) throw error;
    });
    if (session === undefined) continue;
    // It may have decided to end before it knew of us.
    if (runningOrchestrator(folder)?.draining === false) return session;
    await session.detach();
  }
}

function startOwn(request: SessionRequest, repository: RepositoryState): Promise<EphemeralStart> {
  const flags = startFlags(request.mode, repository);
  const env = daemonEnvironment(request.context.environment);
  const start = (): Promise<EphemeralStart> => startEphemeral(repository, flags, { env });
  return request.whileStarting?.(start) ?? start();
}

async function connectOwn(own: EphemeralOrchestrator, local: LocalConnection): Promise<Session> {
  try {
    return await connectLocal(own.file, { ...local, own });
  } catch (error) {
    own.kill();
    throw error;
  }
}

function tokenAsked({ context, options }: SessionRequest): string | undefined {
  const { tokenFile } = options;
  return tokenFile === undefined ? context.environment.token : readToken(resolve(context.cwd, tokenFile));
}

function startFlags(mode: StartMode, repository: RepositoryState): readonly string[] {
  switch (mode.kind) {
    case 'never':
      throw new AppError(
        'E_UNREACHABLE',
        `no orchestrator runs for ${repository.workTree}; start one with \`switchyard up\` or \`switchyard run PLAN\``,
      );
    case 'look':
      // Looking leaves no lines in the log that somebody may look at.
      return '--looking true --workers-max 0 --reviewers-max 0 --log-level warn'.split(' ');
    case 'work':
      return mode.flags;
  }
}

/** Dials the orchestrator where it is now: one that was started again may have another address. */
function connectLocal(
  file: OrchestratorFile,
  { repository: { folder }, self, own }: LocalConnection,
): Promise<Session> {
  const token = (): string =>
    readToken(self.role === 'observer' ? folder.observerTokenFile : folder.tokenFile);
  const dial: Dial = async (lane) => {
    const { url, fingerprint } = runningOrchestrator(folder) ?? file;
    return webSocketDial({ url, token, fingerprint })(lane);
  };
  // Nothing starts an orchestrator of our own again.
  const presence =
    own === undefined
      ? new OrchestratorPresence(folder)
      : new OrchestratorPresence(folder, 0, () => own.death());
  return connect({ url: file.url, self, dial, presence, own, orchestrator: file.pid });
}

interface LocalConnection {
  readonly repository: RepositoryState;
  readonly self: Introduction;
  readonly own?: EphemeralOrchestrator;
}

interface Connection {
  readonly url: string;
  readonly self: Introduction;
  readonly dial: Dial;
  readonly presence?: OrchestratorPresence;
  readonly own?: EphemeralOrchestrator | undefined;
  /** The process of one on this machine. */
  readonly orchestrator?: number;
}

async function connect({ url, self, dial, presence, own, orchestrator }: Connection): Promise<Session> {
  const listeners = new Set<(lost: string | undefined) => void>();
  const tell = (lost: string | undefined): void => listeners.forEach((listener) => listener(lost));
  let refused: (error: AppError) => void = () => undefined;
  const refusal = new Promise<AppError>((resolve) => (refused = resolve));
  let fatal: AppError | undefined;
  const link = createLink({
    self: peerId.parse(`${self.name}-${systemRandom.token(8)}`),
    hello: () => ({
      role: self.role,
      version: programVersion,
      host: hostname(),
      pid: process.pid,
      labels: [],
      slots: 0,
      specializations: [],
      holding: [],
      reviewing: [],
    }),
    dial,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    handler: {
      welcome: () => {
        presence?.found();
        tell(undefined);
      },
      message: () => undefined,
      lost: (reason) => {
        presence?.lost();
        tell(reason);
      },
      fatal: (error) => {
        fatal = error;
        refused(error);
      },
    },
  });
  // Between two tries to connect nothing else would keep this process alive.
  const awake = setInterval(() => undefined, 60_000);
  const closed = (): void => {
    presence?.found();
    clearInterval(awake);
  };
  // It may be ending: then nobody will answer.
  presence?.lost();
  try {
    await Promise.race([firstConnection(link, url, orchestrator), presence?.gone.then(rejected) ?? never]);
  } catch (error) {
    closed();
    await link.close();
    throw fatal ?? error;
  }
  const gone = presence === undefined ? refusal : Promise.race([refusal, presence.gone]);
  return new OpenSession(link, { url, listeners, closed, own, gone });
}

const never = new Promise<never>(() => undefined);

function rejected(error: AppError): never {
  throw error;
}

async function firstConnection(link: Link, url: string, orchestrator?: number): Promise<void> {
  link.start();
  try {
    await link.whenConnected(AbortSignal.timeout(limits.helloTimeoutMs));
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    const within = `within ${limits.helloTimeoutMs / 1000} s`;
    if (orchestrator === undefined)
      throw new AppError('E_UNREACHABLE', `nobody answers at ${url} ${within}`, { cause });
    throw new AppError(
      'E_UNREACHABLE',
      `the orchestrator of this repository, process ${orchestrator}, does not answer ${within}: it hangs, was stopped, or has no time; \`switchyard down\` ends it, by force if it must`,
      { cause },
    );
  }
}

interface SessionParts {
  readonly url: string;
  readonly listeners: Set<(lost: string | undefined) => void>;
  readonly closed: () => void;
  readonly own: EphemeralOrchestrator | undefined;
  readonly gone: Promise<AppError>;
}

class OpenSession implements Session {
  readonly client: SwitchyardClient;
  readonly url: string;
  readonly own?: EphemeralOrchestrator;
  readonly gone: Promise<AppError>;
  private readonly parts: SessionParts;

  constructor(link: Link, parts: SessionParts) {
    this.client = createClient(link);
    this.url = parts.url;
    this.gone = parts.gone;
    this.parts = parts;
    if (parts.own !== undefined) this.own = parts.own;
  }

  onConnection(listener: (lost: string | undefined) => void): void {
    this.parts.listeners.add(listener);
  }

  async close(): Promise<void> {
    if (this.own === undefined) return this.disconnect();
    const runs = await this.client.runs();
    const isBusy = runs.some((run) => !run.paused && (run.phase === 'running' || run.phase === 'planned'));
    return isBusy ? this.detach() : this.stop('its command has ended');
  }

  async detach(): Promise<void> {
    this.own?.release();
    await this.disconnect();
  }

  async isShared(): Promise<boolean> {
    // One of them is ours.
    return this.own !== undefined && ((await countClients(this.own.file.httpUrl)) ?? 0) > 1;
  }

  async stop(reason: string): Promise<void> {
    if (this.own === undefined) return this.disconnect();
    if (await this.isShared()) return this.detach();
    const ended = this.own.ended();
    const asked = this.client.shutdown(reason).catch((error: unknown) => {
      // It went before it could answer; that is what was asked.
      if (!isAppError(error)) throw error;
    });
    await Promise.race([asked, ended]);
    await this.disconnect();
    await ended;
  }

  private async disconnect(): Promise<void> {
    await this.client.close();
    this.parts.closed();
  }
}
