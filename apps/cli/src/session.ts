import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { createClient, type SwitchyardClient } from '@switchyard/client';
import { AppError, isAppError, limits, peerId } from '@switchyard/protocol';
import { programVersion, silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { createLink, webSocketDial, type Dial, type Link } from '@switchyard/transport';
import type { CommandContext, CommonOptions } from './context.ts';
import { daemonEnvironment } from './environment.ts';
import { startEphemeral, type EphemeralOrchestrator } from './ephemeral.ts';
import { Presence } from './presence.ts';
import {
  findRepository,
  readToken,
  runningOrchestrator,
  type OrchestratorFile,
  type RepositoryState,
} from './repository-state.ts';

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
  /** Asks an orchestrator of our own to drain, and waits until it has ended. */
  stop(reason: string): Promise<void>;
}

/** Connects to the orchestrator that a command means. Throws AppError E_UNREACHABLE, E_TOKEN and the like. */
export async function openSession(
  context: CommandContext,
  options: CommonOptions,
  mode: StartMode,
): Promise<Session> {
  const { environment, cwd } = context;
  const url = options.hub ?? environment.hub;
  if (url !== undefined) {
    const file = options.tokenFile === undefined ? undefined : readToken(resolve(cwd, options.tokenFile));
    const token = file ?? environment.token;
    if (token === undefined)
      throw new AppError(
        'E_TOKEN',
        `there is no token for ${url}; give one by SWITCHYARD_TOKEN or --token-file`,
      );
    const fingerprint = options.fingerprint ?? environment.fingerprint;
    return connect({ url, dial: webSocketDial({ url, token: () => token, fingerprint }) });
  }
  const repository = await findRepository(context, options);
  const running = runningOrchestrator(repository.folder);
  if (running !== undefined) return connectLocal(running, repository);
  const flags = startFlags(mode, repository);
  const started = await toldMeanwhile(context, 'starting an orchestrator …', () =>
    startEphemeral(repository, flags, { env: daemonEnvironment(environment) }),
  );
  if (started.kind === 'other') return connectLocal(started.file, repository);
  const { orchestrator } = started;
  try {
    return await connectLocal(orchestrator.file, repository, orchestrator);
  } catch (error) {
    orchestrator.kill();
    throw error;
  }
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
      return ['--workers-max', '0', '--reviewers-max', '0', '--log-level', 'warn'];
    case 'work':
      return mode.flags;
  }
}

/** On a screen, says what takes its time while it does. */
async function toldMeanwhile<Result>(
  { terminal }: CommandContext,
  words: string,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!terminal.isScreen) return work();
  terminal.out(terminal.paint.gray(words));
  try {
    return await work();
  } finally {
    terminal.out('\r\u001B[K');
  }
}

/** Dials the orchestrator where it is now: one that was started again may have another address. */
function connectLocal(
  file: OrchestratorFile,
  { folder }: RepositoryState,
  own?: EphemeralOrchestrator,
): Promise<Session> {
  const token = (): string => readToken(folder.tokenFile);
  const dial: Dial = async (lane) => {
    const { url, fingerprint } = runningOrchestrator(folder) ?? file;
    return webSocketDial({ url, token, fingerprint })(lane);
  };
  // Nothing starts an orchestrator of our own again.
  const presence = own === undefined ? new Presence(folder) : new Presence(folder, 0);
  return connect({ url: file.url, dial, presence, own });
}

interface Connection {
  readonly url: string;
  readonly dial: Dial;
  readonly presence?: Presence;
  readonly own?: EphemeralOrchestrator | undefined;
}

async function connect({ url, dial, presence, own }: Connection): Promise<Session> {
  const listeners = new Set<(lost: string | undefined) => void>();
  const tell = (lost: string | undefined): void => listeners.forEach((listener) => listener(lost));
  let refused: (error: AppError) => void = () => undefined;
  const refusal = new Promise<AppError>((resolve) => (refused = resolve));
  let fatal: AppError | undefined;
  const link = createLink({
    self: peerId.parse(`cli-${systemRandom.token(8)}`),
    hello: () => ({
      role: 'client',
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
  try {
    await firstConnection(link, url);
  } catch (error) {
    clearInterval(awake);
    await link.close();
    throw fatal ?? error;
  }
  const closed = (): void => {
    presence?.found();
    clearInterval(awake);
  };
  const gone = presence === undefined ? refusal : Promise.race([refusal, presence.gone]);
  return new OpenSession(link, { url, listeners, closed, own, gone });
}

async function firstConnection(link: Link, url: string): Promise<void> {
  link.start();
  try {
    await link.whenConnected(AbortSignal.timeout(limits.helloTimeoutMs));
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    const within = `within ${limits.helloTimeoutMs / 1000} s`;
    throw new AppError('E_UNREACHABLE', `nobody answers at ${url} ${within}`, { cause });
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

  async stop(reason: string): Promise<void> {
    if (this.own === undefined) return this.disconnect();
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

/** Opens a session, does one thing with it, and closes it whatever happens. */
export async function withSession<Result>(
  open: { context: CommandContext; options: CommonOptions; mode: StartMode },
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(open.context, open.options, open.mode);
  try {
    const result = await work(session);
    if (open.mode.kind === 'look') await session.stop('it was only started to look');
    else await session.close();
    return result;
  } catch (error) {
    await session.stop('its command has failed');
    throw error;
  }
}

/** What to add to a word on a run that nobody carries on: the orchestrator was started for this command only. */
export function stoppedHint({ own }: Session, run: string): string {
  return own === undefined ? '' : `; the run stands still. To go on with it: switchyard resume ${run}`;
}

/** The run that a person means by its whole name or by a beginning that no other has. Throws AppError E_RUN_UNKNOWN. */
export async function meantRun(client: SwitchyardClient, text: string): Promise<string> {
  const names = (await client.runs()).map(({ run }) => String(run));
  if (names.includes(text)) return text;
  const matching = names.filter((name) => name.startsWith(text));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  const why =
    matching.length > 1
      ? `${matching.length} runs begin with ${text}: ${matching.join(', ')}`
      : `there is no run ${text}; \`switchyard runs\` lists them`;
  throw new AppError('E_RUN_UNKNOWN', why);
}
