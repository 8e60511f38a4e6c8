/** The operator's own proxy: hosts are then reached through it, and it looks up their names. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { AppError } from '@switchyard/protocol';

export interface UpstreamProxy {
  /** Addresses of proxies, `http://` or `https://`, for plain and for encrypted connections. */
  readonly http?: string;
  readonly https?: string;
  /** Hosts, ends of names, or `*`, separated by commas, that are reached without. */
  readonly noProxy?: string;
}

/** What the operator's environment says; undefined when it names no proxy. */
export function upstreamProxyOf(
  env: Readonly<Record<string, string | undefined>>,
): UpstreamProxy | undefined {
  const read = (name: string): string | undefined =>
    env[name.toLowerCase()] || env[name.toUpperCase()] || undefined;
  const all = read('all_proxy');
  const [http, https, noProxy] = [read('http_proxy') ?? all, read('https_proxy') ?? all, read('no_proxy')];
  if (http === undefined && https === undefined) return undefined;
  return {
    ...(http !== undefined && { http }),
    ...(https !== undefined && { https }),
    ...(noProxy !== undefined && { noProxy }),
  };
}

/** The proxy that leads to a host; undefined: it is reached directly. Throws E_CONFIG for one of another kind. */
export function proxyFor(
  upstream: UpstreamProxy | undefined,
  host: string,
  kind: 'http' | 'https',
): URL | undefined {
  const text = upstream?.[kind];
  if (text === undefined || isExcepted(upstream?.noProxy, host)) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new AppError('E_CONFIG', 'the proxy of the environment is no http:// or https:// address');
}

function isExcepted(noProxy: string | undefined, host: string): boolean {
  const entries = (noProxy ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  return entries.some((entry) => {
    const name = entry.replace(/:\d+$/, '').replace(/^\*?\./, '');
    return entry === '*' || host === name || host.endsWith(`.${name}`);
  });
}

/** Headers that the proxy wants beside the request's own. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** A connection through the proxy to a place, which it looks up itself. Rejects when it says no. */
export function connectThrough(
  proxy: URL,
  place: string,
  signal: AbortSignal,
): Promise<{ readonly socket: Duplex; readonly head: Buffer }> {
  const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const asked = send({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: place,
      headers: { host: place, ...proxyHeaders(proxy) },
      agent: false,
      signal,
    });
    asked.once('error', reject);
    asked.once('connect', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (response.statusCode === 200) resolve({ socket, head });
      else {
        socket.destroy();
        reject(new Error(`the operator's proxy answered ${response.statusCode}`));
      }
    });
    asked.once('response', (response) => {
      response.destroy();
      reject(new Error(`the operator's proxy answered ${response.statusCode}`));
    });
    asked.end();
  });
}
