/**
 * The only way from a sandbox to a network: an HTTP proxy of ours behind a unix socket, one for each process that may
 * use a network. It asks its list about every place, looks names up itself, connects to the address that it looked
 * at (never to the name again), and writes a line for each connection. What goes through stays encrypted end to end.
 *
 *     process -> 127.0.0.1:port -> forwarder | unix socket, bound into the sandbox | -> this -> address
 */
import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { findRule, isPrivateAddress, readPlace, type HostRule } from './allowed-hosts.ts';
import { connectThrough, proxyFor, proxyHeaders, type UpstreamProxy } from '@switchyard/runtime';

/** Connections of one process at once. */
const connectionsMax = 128;
const connectMs = 20_000;
/** Nothing moves for so long: the connection ends. */
const idleMs = 5 * 60_000;
/** Refused places that are remembered for the answer. */
const refusedMax = 20;

export interface EgressProxyOptions {
  readonly rules: readonly HostRule[];
  readonly upstream?: UpstreamProxy | undefined;
  readonly logger: Logger;
  /** Names to addresses; the machine's own unless a test says otherwise. */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined;
}

export interface EgressProxy {
  /** Places that were asked for and refused, each once. */
  readonly refused: readonly string[];
  /** Ends every connection. */
  close(): Promise<void>;
}

/** A no that the client is told. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Where a place leads: straight to an address, or through the operator's proxy. */
type Route =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  | { readonly kind: 'proxy'; readonly proxy: URL };

/** Opens the proxy at a unix socket. */
export function openEgressProxy(socketPath: string, options: EgressProxyOptions): Promise<EgressProxy> {
  const door = new Door(options);
  const server = createServer({ connectionsCheckingInterval: 1000, requestTimeout: 0 });
  server.maxConnections = connectionsMax;
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => undefined); // its end ends the other side too
    door.tunnel(request, client, head).catch((error: unknown) => refuseTunnel(client, error));
  });
  server.on('request', (request, response) => {
    door.forward(request, response).catch((error: unknown) => refuseRequest(response, error));
  });
  server.on('clientError', (_error, client) => client.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Later ones are of a connection that could not be taken (no descriptor left): its client sees it refused.
    server.on('error', (error) =>
      options.logger.warn({ error: error.message }, 'the proxy could not take a connection'),
    );
    server.listen(socketPath, () =>
      resolve({
        refused: door.refused,
        close: () =>
          new Promise((closed) => {
            door.close();
            for (const socket of sockets) socket.destroy();
            server.close(() => closed());
          }),
      }),
    );
  });
}

function refuseTunnel(client: Duplex, error: unknown): void {
  const status = error instanceof Refusal ? error.status : 502;
  const text = `${messageOf(error)}\n`;
  client.end(
    `HTTP/1.1 ${status} ${status === 403 ? 'Forbidden' : 'Bad Gateway'}\r\ncontent-type: text/plain\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

function refuseRequest(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(error instanceof Refusal ? error.status : 502, { 'content-type': 'text/plain' });
  response.end(`${messageOf(error)}\n`);
}

class Door {
  readonly refused: string[] = [];
  readonly #options: EgressProxyOptions;
  readonly #stop = new AbortController();

  constructor(options: EgressProxyOptions) {
    this.#options = options;
    // Every connection waits for the end; no more of them than there may be is no leak that Node should warn of.
    setMaxListeners(2 * connectionsMax, this.#stop.signal);
  }

  close(): void {
    this.#stop.abort();
  }

  /** CONNECT: bytes in both directions, whatever they are. */
  async tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const place = readPlace(request.url ?? '');
    if (place?.port === undefined) throw new Refusal(400, 'CONNECT needs host:port');
    const { host, port } = place;
    const route = await this.#routeTo(host, port, 'https');
    const opened = await this.#open(route, shown(host, port));
    if (client.destroyed) {
      opened.socket.destroy();
      return;
    }
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (opened.head.length > 0) client.write(opened.head);
    if (head.length > 0) opened.socket.write(head);
    await this.#join(client, opened.socket, shown(host, port));
  }

  /** `GET http://host/path`: a request without encryption, passed on with the host that was checked. */
  async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined;
    if (url?.protocol !== 'http:' || url.username !== '')
      throw new Refusal(400, 'this proxy takes CONNECT and http:// addresses');
    const place = readPlace(url.host);
    if (place === undefined) throw new Refusal(400, 'no usable host');
    const port = place.port ?? 80;
    const route = await this.#routeTo(place.host, port, 'http');
    const send = route.kind === 'proxy' && route.proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    const target =
      route.kind === 'address'
        ? { host: route.address, port: route.port, path: `${url.pathname}${url.search}` }
        : {
            host: route.proxy.hostname.replace(/^\[|\]$/g, ''),
            port: route.proxy.port || (route.proxy.protocol === 'https:' ? 443 : 80),
            path: `${url.origin}${url.pathname}${url.search}`,
          };
    const headers = { ...endToEnd(request.headers), host: url.host };
    const outgoing = send({
      ...target,
      method: request.method ?? 'GET',
      headers: route.kind === 'proxy' ? { ...headers, ...proxyHeaders(route.proxy) } : headers,
      agent: false,
      signal: this.#stop.signal,
      timeout: idleMs,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('nothing moved for minutes')));
    response.once('close', () => outgoing.destroy());
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    const sent = pipeline(request, outgoing);
    // What goes wrong on the way there, the wait for the answer tells.
    sent.catch(() => undefined);
    const incoming = await answered;
    response.writeHead(incoming.statusCode ?? 502, endToEnd(incoming.headers));
    await pipeline(incoming, response);
    this.#log(shown(place.host, port), { received: response.socket?.bytesWritten ?? 0 });
  }

  async #routeTo(host: string, port: number, kind: 'http' | 'https'): Promise<Route> {
    const rule = findRule(this.#options.rules, host, port);
    if (rule === undefined) throw this.#refuse(shown(host, port), 'the plan does not allow this place');
    const proxy = proxyFor(this.#options.upstream, host, kind);
    if (proxy !== undefined) {
      // The operator's proxy looks names up; an address that is private is private there too.
      if (isIP(host) !== 0 && isPrivateAddress(host) && !rule.mayBePrivate)
        throw this.#refuse(shown(host, port), 'it is a private address');
      return { kind: 'proxy', proxy };
    }
    const addresses = isIP(host) === 0 ? await this.#lookUp(host) : [host];
    const address = addresses.find((each) => rule.mayBePrivate || !isPrivateAddress(each));
    if (address === undefined)
      throw this.#refuse(
        shown(host, port),
        'its name leads to a private address; only a list that names that address allows it',
      );
    return { kind: 'address', address, port };
  }

  async #lookUp(host: string): Promise<readonly string[]> {
    try {
      const { resolve } = this.#options;
      if (resolve !== undefined) return await resolve(host);
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch (error) {
      throw new Refusal(502, `${host} cannot be looked up: ${messageOf(error)}`);
    }
  }

  async #open(route: Route, place: string): Promise<{ socket: Duplex; head: Buffer }> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(connectMs)]);
    try {
      if (route.kind === 'proxy') return await connectThrough(route.proxy, place, signal);
      return { socket: await connectTo(route, signal), head: Buffer.alloc(0) };
    } catch (error) {
      throw new Refusal(502, `${place} cannot be reached: ${messageOf(error)}`);
    }
  }

  async #join(client: Duplex, server: Duplex, place: string): Promise<void> {
    const bytes = { sent: 0, received: 0 };
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    const idle = setTimeout(end, idleMs).unref();
    client.on('data', (chunk: Buffer) => {
      bytes.sent += chunk.length;
      idle.refresh();
    });
    server.on('data', (chunk: Buffer) => {
      bytes.received += chunk.length;
      idle.refresh();
    });
    this.#stop.signal.addEventListener('abort', end, { once: true });
    try {
      await Promise.all([pipeline(client, server), pipeline(server, client)]);
    } catch {
      // One side broke off: so does the other, and there is nobody to tell.
    } finally {
      clearTimeout(idle);
      this.#stop.signal.removeEventListener('abort', end);
      end();
      this.#log(place, bytes);
    }
  }

  #refuse(place: string, reason: string): Refusal {
    this.#options.logger.warn({ place, reason }, 'a process asked for a place that it may not reach');
    if (!this.refused.includes(place) && this.refused.length < refusedMax) this.refused.push(place);
    return new Refusal(403, `${place} is refused: ${reason}`);
  }

  #log(place: string, bytes: { readonly sent?: number; readonly received: number }): void {
    this.#options.logger.info({ place, ...bytes }, 'a process used the network');
  }
}

/** Bytes are read only after the joining, so none is lost before. */
function connectTo(
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const stop = (): void => {
      socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('it was ended'));
    };
    socket.once('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', stop);
      socket.on('error', () => undefined); // ends the pipeline that it is in by then
      resolve(socket);
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

/** Headers without those that are about one connection alone (RFC 9110, section 7.6.1). */
function endToEnd(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const hop = new Set([
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    ...named,
  ]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hop.has(name)));
}

function shown(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
