import { gitHttpHandler } from '@switchyard/repo';
import { AppError } from '@switchyard/protocol';
import { programVersion, type Logger, type Metrics, type StateFolder } from '@switchyard/runtime';
import {
  bearerToken,
  listen,
  type Grant,
  type Hub,
  type Listener,
  type TokenBook,
} from '@switchyard/transport';
import { openCertificate } from './certificate-file.ts';
import type { OrchestratorConfig } from './config.ts';
import type { Orchestrator } from './daemon.ts';
import { createHttp } from './http.ts';
import type { Door } from './ports.ts';

const defaultPort = 7420;

interface FrontDoorOptions {
  readonly config: OrchestratorConfig;
  readonly folder: StateFolder;
  readonly tokens: TokenBook;
  readonly hub: Hub;
  readonly daemon: Orchestrator;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The one port, open. */
export interface FrontDoor extends Door {
  readonly listener: Listener;
  readonly fingerprint: string | undefined;
}

/** A door that nobody can come through yet. */
export const closedDoor: Door = { url: '', invite: refuseYet, revoke: refuseYet };

function refuseYet(): never {
  throw new AppError('E_UNREACHABLE', 'the orchestrator is still starting; try again');
}

/** Opens the one port for hub, git, API and figures. Throws AppError E_PORT_TAKEN, E_BIND_INSECURE. */
export async function openFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { config, folder, tokens, hub, daemon, metrics, logger } = options;
  const hosts = config.tlsHosts?.split(',').map((host) => host.trim());
  const certificate = hosts === undefined ? undefined : await openCertificate(folder.tls, { hosts, logger });
  const listener = await listen({
    host: config.host,
    port: config.port ?? defaultPort,
    fallbackToFreePort: config.port === undefined,
    tls: certificate,
    request: createHttp({
      daemon: () => daemon,
      metrics,
      version: programVersion,
      mayRead: (token) => lastingGrant(tokens, token)?.roles.includes('observer') === true,
      mayAnswer: (token) => lastingGrant(tokens, token)?.roles.includes('client') === true,
      git: gitHttpHandler({
        gitDir: folder.gitDir,
        authorize: (request) => gitRights(tokens, bearerToken(request)),
        logger,
      }),
    }),
    hub,
    authenticate: (token, lane) => Promise.resolve(tokens.grant(token, lane)),
  });
  const publicUrl =
    hosts === undefined ? listener.url : `wss://${hosts[0] ?? config.host}:${listener.port}/hub`;
  return {
    listener,
    url: listener.url,
    fingerprint: certificate?.fingerprint,
    invite: (role) => {
      if (certificate === undefined) throw noTls();
      return { ...tokens.invite(role), url: publicUrl, fingerprint: certificate.fingerprint };
    },
    revoke: (peer) => {
      const wasInvited = tokens.revoke(peer);
      if (wasInvited) hub.disconnect(peer, 'unauthorized');
      return wasInvited;
    },
  };
}

function noTls(): AppError {
  return new AppError(
    'E_BIND_INSECURE',
    'this orchestrator listens without TLS, so nobody else can join it; start it with --host 0.0.0.0 --tls-hosts NAME-OR-ADDRESS-OF-THIS-MACHINE',
  );
}

/** What a token allows besides the hub; one-time tokens are for the hub alone, which exchanges them. */
function lastingGrant(tokens: TokenBook, token: string | undefined): Grant | undefined {
  const grant = tokens.grant(token, 'control');
  return grant?.lastingToken === undefined ? grant : undefined;
}

function gitRights(
  tokens: TokenBook,
  token: string | undefined,
): { peer: string; push: boolean } | undefined {
  const grant = lastingGrant(tokens, token);
  if (grant === undefined) return undefined;
  return { peer: grant.peer ?? 'local', push: grant.roles.includes('worker') };
}
