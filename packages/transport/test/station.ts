import { request as httpRequest } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerId, subprotocol, type Envelope, type ErrorCode } from '@switchyard/protocol';
import { systemClock, systemRandom } from '@switchyard/runtime';
import {
  createHub,
  createLink,
  listen,
  openTokenBook,
  webSocketDial,
  type ConnectedPeer,
  type Hub,
  type HubOptions,
  type Link,
  type LinkOptions,
  type Listener,
  type ListenOptions,
  type TokenBook,
} from '@switchyard/transport';
import { afterEach, beforeEach } from 'vitest';
import { WebSocket } from 'ws';
import { helloOf, hubId, logger } from './world.ts';

const base = { clock: systemClock, random: systemRandom, logger };
/** What a test opened, closed after it, last first. */
export const closers: (() => Promise<void> | void)[] = [];
let folder: string;
let openBook: TokenBook | undefined;

/** The tokens of the running test. */
export function book(): TokenBook {
  if (openBook === undefined) throw new Error('no test is running');
  return openBook;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-transport-'));
  openBook = openTokenBook(join(folder, 'token'), base);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

export interface Station {
  readonly hub: Hub;
  readonly listener: Listener;
  readonly messages: { envelope: Envelope; peer: ConnectedPeer }[];
}

/** A hub on a free port of the loopback, that knows the tokens of `book()`. */
export async function station(
  over: Partial<ListenOptions> = {},
  hubOver: Partial<HubOptions> = {},
): Promise<Station> {
  const messages: Station['messages'] = [];
  const hub: Hub = createHub({
    ...base,
    self: hubId,
    hubName: 'state',
    version: '0.1.0',
    handler: {
      connected: () => ({ fenced: [] }),
      message: (envelope, peer) => {
        messages.push({ envelope, peer });
        if (envelope.type === 'run-list')
          hub.send(peer.id, 'run-listed', { runs: [] }, { replyTo: envelope.id });
      },
      liveness: () => undefined,
      disconnected: () => undefined,
    },
    ...hubOver,
  });
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    request: (_request, response) => response.end('page'),
    hub,
    authenticate: (token, lane) => Promise.resolve(book().grant(token, lane)),
    ...over,
  });
  const close = async (): Promise<void> => {
    await hub.close();
    await listener.close();
  };
  closers.push(close);
  return { hub, listener, messages };
}

export interface Probe {
  readonly link: Link;
  readonly fatal: ErrorCode[];
  readonly tokens: string[];
  readonly lost: string[];
  readonly messages: Envelope[];
}

/** A link over a real socket. */
export function linkTo(
  { listener }: { listener: Pick<Listener, 'url'> },
  over: Partial<LinkOptions> & {
    role?: 'worker' | 'client';
    token?: () => string;
    fingerprint?: string;
  } = {},
): Probe {
  const { role = 'worker', token = () => book().operatorToken, fingerprint, ...rest } = over;
  const probe = {
    fatal: [] as ErrorCode[],
    tokens: [] as string[],
    lost: [] as string[],
    messages: [] as Envelope[],
  };
  const link = createLink({
    ...base,
    self: peerId.parse('worker-1'),
    hello: () => helloOf(role),
    dial: webSocketDial({ url: listener.url, token, fingerprint }),
    handler: {
      welcome: (welcome) => {
        if (welcome.token !== undefined) probe.tokens.push(welcome.token);
      },
      message: (envelope) => {
        probe.messages.push(envelope);
      },
      lost: (reason) => {
        probe.lost.push(reason);
      },
      fatal: (error) => {
        probe.fatal.push(error.code);
      },
    },
    ...rest,
  });
  link.start();
  closers.push(() => link.close());
  return { ...probe, link };
}

export interface RawSocket {
  readonly ws: WebSocket;
  closed: number | undefined;
  reason: string;
  raw(bytes: Uint8Array): void;
}

/** A WebSocket that was let in, to send what a link never would. */
export function rawSocket(url: string): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, [subprotocol], {
      headers: { authorization: `Bearer ${book().operatorToken}` },
      perMessageDeflate: false,
    });
    const socket: RawSocket = {
      ws,
      closed: undefined,
      reason: '',
      raw: (bytes) => (ws as unknown as { _socket: { write(data: Uint8Array): void } })._socket.write(bytes),
    };
    ws.on('close', (code, reason) => {
      socket.closed = code;
      socket.reason = reason.toString();
    });
    ws.once('open', () => resolve(socket));
    ws.on('error', reject);
    closers.push(() => ws.terminate());
  });
}

/** The HTTP status with which an upgrade is answered. */
export function upgradeStatus(
  url: string,
  headers: Record<string, string> = {},
  protocols: readonly string[] = [subprotocol],
): Promise<number> {
  const { hostname, port, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname,
      port,
      path: `${pathname}${search}`,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        ...(protocols.length > 0 ? { 'sec-websocket-protocol': protocols.join(', ') } : {}),
        ...headers,
      },
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    request.on('error', reject);
    request.end();
  });
}

/** Opens a server on a free port; its address as a hub's. */
export async function urlOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => closed(server));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/hub`;
}

/** Resolves when a server has ended. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
