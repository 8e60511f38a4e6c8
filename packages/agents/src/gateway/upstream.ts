import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type AgentOptions } from 'node:https';
import { PassThrough, type Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { connectThrough, proxyFor, proxyHeaders, type UpstreamProxy } from '@switchyard/runtime';
import { keyHeader } from './forms.ts';
import type { Provider } from './models-file.ts';
import type { PreparedRequest } from './request-body.ts';

/** Nothing comes for so long: the provider is given up. Long answers that do not stream take minutes. */
const silentMs = 15 * 60_000;
/** How long the proxy may take to connect. */
const connectMs = 30_000;

/** Headers of a request that are about the agent's connection to us, or would show who else asks. */
const ours = new Set([
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
  'accept-encoding',
]);

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Connections to providers, kept open between requests, through the operator's proxy where there is one. */
export class Upstream {
  private readonly http = new HttpAgent({ keepAlive: true, timeout: silentMs });
  private readonly https: HttpsAgent;
  private readonly proxy: UpstreamProxy | undefined;

  constructor(proxy?: UpstreamProxy) {
    this.proxy = proxy;
    this.https = new TunnelAgent(proxy, { keepAlive: true, timeout: silentMs });
  }

  /** Sends a request with the provider's key; resolves with the head of the answer, which is to be read or destroyed. */
  send(
    provider: Provider,
    { route, body }: PreparedRequest,
    { method, headers, signal }: { method: string; headers: Headers; signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const url = new URL(`${provider.baseUrl}${route.path}`);
    const isPlain = url.protocol === 'http:';
    const proxy = isPlain ? proxyOf(this.proxy, url.hostname, 'http') : undefined;
    const key = provider.key();
    return new Promise((resolve, reject) => {
      const outgoing = (isPlain ? httpRequest : httpsRequest)(proxy ?? url, {
        method,
        // A proxy of plain requests wants to be told the whole address.
        ...(proxy !== undefined && { path: url.href }),
        agent: isPlain ? this.http : this.https,
        signal,
        timeout: silentMs,
        headers: {
          ...(proxy !== undefined && { host: url.host, ...proxyHeaders(proxy) }),
          ...passedOn(headers, ours),
          // What is compressed cannot be read on its way.
          'accept-encoding': 'identity',
          ...(method === 'GET' ? {} : { 'content-length': String(body.length) }),
          ...(key === undefined ? {} : keyHeader(route.provider, key)),
        },
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error('the provider was silent for too long')));
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(method === 'GET' ? undefined : body);
    });
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }
}

/** What is on this machine is never asked for through a proxy. */
function proxyOf(
  proxy: UpstreamProxy | undefined,
  hostname: string,
  kind: 'http' | 'https',
): URL | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return isHere ? undefined : proxyFor(proxy, host, kind);
}

/** Encrypted connections through the proxy: it sees the name of the provider, and no more. */
class TunnelAgent extends HttpsAgent {
  private readonly proxy: UpstreamProxy | undefined;

  constructor(proxy: UpstreamProxy | undefined, options: AgentOptions) {
    super(options);
    this.proxy = proxy;
  }

  override createConnection(
    options: ConnectionOptions & { readonly host?: string; readonly port?: number },
    made: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const { host = '', port = 443 } = options;
    const proxy = proxyOf(this.proxy, host, 'https');
    if (proxy === undefined) return super.createConnection(options, made);
    const refused = (error: unknown): void =>
      made(error instanceof Error ? error : new Error(String(error)), new PassThrough());
    connectThrough(proxy, `${host}:${port}`, AbortSignal.timeout(connectMs)).then(({ socket }) => {
      made(null, connectTls({ ...options, socket, servername: options.servername ?? host }));
    }, refused);
    return undefined;
  }
}

const ofConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'set-cookie',
]);

/** The headers of an answer that its agent is given. */
export function answerHeaders(headers: Headers): Record<string, string | string[]> {
  return passedOn(headers, ofConnection);
}

function passedOn(headers: Headers, without: ReadonlySet<string>): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !without.has(name)) kept[name] = value;
  return kept;
}
