/**
 * The models of a worker's attempts: one server, reached by a unix socket that is bound into sandboxes and by a port of
 * the loopback, opened with the first attempt that needs a model. An attempt is known by its token; the keys of the
 * providers never leave this process but towards them.
 *
 *     agent -> 127.0.0.1:port of its sandbox -> unix socket -> gateway: permit, key, count -> provider
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, messageOf, type Spender } from '@switchyard/protocol';
import type { Clock, Logger, Random, UpstreamProxy } from '@switchyard/runtime';
import type { AttemptModel, ModelEndpoint } from '../model-endpoint.ts';
import type { PriceBook } from './cost.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { errorBody, prefixes, routeOf, type Route } from './forms.ts';
import type { Ledger } from './ledger.ts';
import type { Provider } from './models-file.ts';
import type { PermitSource } from './permit-source.ts';
import { prepareRequest } from './request-body.ts';
import { Upstream } from './upstream.ts';

/** Where agents find the gateway inside their sandbox. */
export const gatewayPort = 7421;
/** The largest request that is passed on: long contexts with pictures. */
const requestBytesMax = 64 * 1024 * 1024;

export interface GatewayOptions {
  readonly providers: readonly Provider[];
  readonly prices: PriceBook;
  readonly permits: PermitSource;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Through which providers are reached; absent: directly. */
  readonly proxy?: UpstreamProxy | undefined;
}

export interface OpenOptions {
  /** Whether it is used from inside a sandbox; else from this machine's loopback. */
  readonly isInside: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface Doors {
  readonly socketPath: string;
  readonly port: number;
  close(): Promise<void>;
}

export class Gateway {
  private readonly options: GatewayOptions;
  private readonly upstream: Upstream;
  private readonly attempts = new Map<string, ExchangeContext>();
  /** Models without a price, each told once. */
  private readonly unpriced = new Set<string>();
  private doors: Promise<Doors> | undefined;

  constructor(options: GatewayOptions) {
    this.options = options;
    this.upstream = new Upstream(options.proxy);
  }

  /** Opens the models for one attempt. Throws AppError E_IO where the doors cannot be opened. */
  async open(attempt: Spender, { isInside, logger, signal }: OpenOptions): Promise<AttemptModel> {
    this.doors ??= openDoors((request, response) => void this.take(request, response));
    const { socketPath, port } = await this.doors;
    const { prices, permits, ledger, clock, random } = this.options;
    const token = `sy-${random.token(40)}`;
    const over = new AbortController();
    this.attempts.set(token, {
      attempt,
      prices,
      permits,
      ledger,
      clock,
      random,
      logger,
      upstream: this.upstream,
      signal: AbortSignal.any([signal, over.signal]),
    });
    return {
      endpoint: endpointAt(isInside ? gatewayPort : port, token),
      sockets: isInside ? [{ port: gatewayPort, path: socketPath }] : [],
      close: () => {
        this.attempts.delete(token);
        over.abort(new Error('the attempt is over'));
        return Promise.resolve();
      },
    };
  }

  async close(): Promise<void> {
    this.attempts.clear();
    const { doors } = this;
    this.doors = undefined;
    await (await doors)?.close();
    this.upstream.close();
  }

  private async take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined); // its end ends the exchange
    try {
      await this.answer(incoming, response);
    } catch (error) {
      this.options.logger.error({ err: error }, 'the model gateway failed at a request');
      response.destroy();
    }
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    const route = routeOf(method, url);
    const no = (status: number, message: string): void => refuse(response, { route, status, message });
    const context = this.attempts.get(tokenIn(incoming) ?? '');
    if (context === undefined) return no(401, 'the token is of no attempt of this worker');
    if (route === undefined)
      return no(404, `the model gateway does not pass on ${method} requests to this path`);
    const provider = this.options.providers.find(({ name }) => name === route.provider);
    if (provider === undefined)
      return no(
        403,
        `this worker has no key for ${route.provider}; see \`switchyard worker --help\`, --models`,
      );
    const body = await readBody(incoming);
    if (body === undefined) return no(413, `a request has more than ${requestBytesMax} bytes`);
    const request = prepareRequest(route, body);
    if (request === undefined) return no(400, 'the request is no JSON object');
    if (route.form !== 'plain') this.tellUnpriced(route, request.model);
    const ends = { provider, request, method, headers: incoming.headers, response };
    await new Exchange(ends, context).carryOut();
  }

  private tellUnpriced({ provider }: Route, model: string): void {
    if (this.unpriced.has(model) || this.unpriced.size > 100) return;
    const { price, isGuess } = this.options.prices.find(provider, model);
    if (!isGuess) return;
    this.unpriced.add(model);
    const text =
      'no price is known for a model; the dearest of its provider counts (see prices in the models file)';
    this.options.logger.warn({ provider, model, price }, text);
  }
}

function endpointAt(port: number, token: string): ModelEndpoint {
  const at = `http://127.0.0.1:${port}`;
  return {
    anthropic: `${at}${prefixes.anthropic}`,
    openai: `${at}${prefixes.openai}`,
    gemini: `${at}${prefixes.gemini}`,
    token,
  };
}

function refuse(
  response: ServerResponse,
  { route, status, message }: { route: Route | undefined; status: number; message: string },
): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(errorBody(route?.provider ?? 'openai', status, message));
}

/** Agents give their token where the provider's key would be. */
function tokenIn({ headers, url = '' }: IncomingMessage): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const named = headers['x-api-key'] ?? headers['x-goog-api-key'];
  const inQuery = /[?&]key=([^&]+)/.exec(url)?.[1];
  return bearer ?? (typeof named === 'string' ? named : undefined) ?? inQuery;
}

/** Undefined: it is too large; the rest of it is not read. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > requestBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The socket lies in a folder that only we can enter; a sandbox sees the socket alone. */
async function openDoors(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Doors> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-models-'));
  const socketPath = join(folder, 'models.sock');
  // Requests may be held for hours, until a budget is raised.
  const servers = [0, 1].map(() => createServer({ requestTimeout: 0, headersTimeout: 60_000 }, handler));
  const close = async (): Promise<void> => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [inside, outside] = servers;
    if (inside === undefined || outside === undefined) throw new Error('there are two servers');
    await listen(inside, { path: socketPath });
    await listen(outside, { host: '127.0.0.1', port: 0 });
    const { port } = outside.address() as AddressInfo; // a port of the loopback, as asked for
    return { socketPath, port, close };
  } catch (cause) {
    await close();
    throw new AppError('E_IO', `The model gateway cannot be opened: ${messageOf(cause)}`, { cause });
  }
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => resolve());
  });
}
