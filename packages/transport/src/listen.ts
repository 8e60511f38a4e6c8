import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError, lanes, limits, messageOf, subprotocol, type Lane } from '@switchyard/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import { frameLimit } from './envelope-writer.ts';
import type { Grant, Hub } from './hub-interface.ts';
import { isLoopback } from './loopback.ts';
import { HubSocket, closeTimeoutMs, socketChannel } from './socket-channel.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** A port that is taken gives way to a free one. */
  readonly fallbackToFreePort?: boolean | undefined;
  /** PEM. Without it only the loopback may be bound. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Answers everything that is no upgrade of `/hub`. */
  readonly request: RequestListener;
  readonly hub: Hub;
  /** What a token allows; undefined: nothing (401). */
  readonly authenticate: (token: string | undefined, lane: Lane) => Promise<Grant | undefined>;
  /** Web pages that may open the hub; none by default. */
  readonly allowedOrigins?: readonly string[] | undefined;
}

export interface Listener {
  /** `ws(s)://host:port/hub` */
  readonly url: string;
  /** `http(s)://host:port` */
  readonly httpUrl: string;
  readonly port: number;
  /** Ends every connection; close the hub first, so that its peers are told. */
  close(): Promise<void>;
}

/**
 * Opens the one port: HTTP requests go to `request`, WebSocket upgrades of `/hub` to the hub, once Origin,
 * subprotocol and token are right. Throws AppError E_PORT_TAKEN, E_BIND_INSECURE, E_CONFIG.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, tls } = options;
  if (tls === undefined && !isLoopback(host))
    throw new AppError(
      'E_BIND_INSECURE',
      `${host} is reachable from other machines and needs TLS; bind 127.0.0.1, or give a certificate`,
    );
  const server =
    tls === undefined
      ? createServer(options.request)
      : createSecureServer({ cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, options.request);
  server.maxConnections = limits.connections;
  server.headersTimeout = limits.helloTimeoutMs;
  const sockets = new Set<WebSocket>();
  const receivers = {
    control: receiver('control'),
    bulk: receiver('bulk'),
    heartbeat: receiver('heartbeat'),
  };
  server.on('upgrade', (request, socket, head) => {
    // A client that goes away during the upgrade is not our trouble.
    socket.on('error', () => socket.destroy());
    upgrade({ request, socket, head, options, receivers, sockets }).catch((thrown: unknown) =>
      refuse(socket, 500, messageOf(thrown)),
    );
  });
  await bind(server, options);
  const { port } = server.address() as AddressInfo;
  const shown = `${shownHost(host)}:${port}`;
  return {
    url: `${tls === undefined ? 'ws' : 'wss'}://${shown}/hub`,
    httpUrl: `${tls === undefined ? 'http' : 'https'}://${shown}`,
    port,
    close: () => closeServer(server, sockets),
  };
}

function receiver(lane: Lane): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: frameLimit(lane),
    handleProtocols: () => subprotocol,
    WebSocket: HubSocket,
  });
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly options: ListenOptions;
  readonly receivers: Readonly<Record<Lane, WebSocketServer>>;
  readonly sockets: Set<WebSocket>;
}

async function upgrade({ request, socket, head, options, receivers, sockets }: Upgrade): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://hub');
  if (url.pathname !== '/hub') return refuse(socket, 404, 'the hub is at /hub');
  const { origin } = request.headers;
  if (origin !== undefined && options.allowedOrigins?.includes(origin) !== true)
    return refuse(socket, 403, 'web pages may not open the hub');
  if (!protocolsOf(request).includes(subprotocol))
    return refuse(socket, 400, `this hub speaks the subprotocol ${subprotocol}`);
  const lane = lanes.find((name) => name === (url.searchParams.get('lane') ?? 'control'));
  if (lane === undefined) return refuse(socket, 400, 'no such lane');
  const grant = await options.authenticate(bearerToken(request), lane);
  if (grant === undefined) return refuse(socket, 401, 'the token is wrong, used up, revoked or expired');
  if (socket.destroyed) return;
  receivers[lane].handleUpgrade(request, socket, head, (webSocket) => {
    sockets.add(webSocket);
    webSocket.once('close', () => sockets.delete(webSocket));
    options.hub.accept(socketChannel(webSocket, request.socket.remoteAddress), { ...grant, lane });
  });
}

function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}

/** The token of `Authorization: Bearer …`. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(request.headers.authorization ?? '')?.[1];
}

const statusText: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};

function refuse(socket: Duplex, status: number, text: string): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${statusText[status] ?? ''}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function bind(server: Server, { host, port, fallbackToFreePort }: ListenOptions): Promise<void> {
  try {
    await bindOnce(server, host, port);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES')
      throw new AppError('E_CONFIG', `cannot listen on ${host}:${port}: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    if (fallbackToFreePort !== true)
      throw new AppError(
        'E_PORT_TAKEN',
        code === 'EACCES'
          ? `this user may not listen on port ${port}; choose one above 1023 with --port`
          : `port ${port} of ${host} is in use; choose another with --port, or leave it out`,
        { cause: thrown },
      );
    await bindOnce(server, host, 0);
  }
}

function bindOnce(server: Server, host: string, port: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A wildcard address cannot be dialled; the loopback stands for it. */
function shownHost(host: string): string {
  const bare = host.replace(/^\[|\]$/g, '');
  if (bare === '0.0.0.0') return '127.0.0.1';
  if (bare === '::') return '[::1]';
  return bare.includes(':') ? `[${bare}]` : bare;
}

async function closeServer(server: Server, sockets: ReadonlySet<WebSocket>): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  for (const socket of sockets) socket.close(1001, 'the hub is going down');
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.terminate();
    server.closeAllConnections();
  }, closeTimeoutMs);
  await ended;
  clearTimeout(timer);
}
