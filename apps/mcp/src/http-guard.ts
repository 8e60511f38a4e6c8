import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403 | 404 | 413;
  readonly text: string;
}

/** Who may ask over HTTP. */
export interface Guard {
  readonly token: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

export const mcpPath = '/mcp';

/**
 * Refuses a request before anything of its body is read: a host that is not ours (a page that had its name point here), an
 * origin (a web page; no agent sends one), no token or a wrong one.
 */
export function refusalOf({ headers, url }: IncomingMessage, guard: Guard): Refusal | undefined {
  const { host, origin, authorization } = headers;
  if (!hostsOf(guard).includes(host?.toLowerCase() ?? ''))
    return {
      status: 403,
      text: `the host ${host ?? '(none)'} is not this server; --allowed-hosts adds names`,
    };
  if (origin !== undefined && !guard.allowedOrigins.includes(origin))
    return { status: 403, text: `the origin ${origin} may not ask; --allowed-origins adds origins` };
  const [, shown = ''] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  if (!isEqual(shown, guard.token))
    return { status: 401, text: 'the token is missing or wrong; send it as Authorization: Bearer TOKEN' };
  const path = (url ?? '').split('?', 1)[0];
  return path === mcpPath ? undefined : { status: 404, text: `nothing is here; the server is at ${mcpPath}` };
}

function hostsOf({ port, allowedHosts }: Guard): string[] {
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`);
  return [...loopback, ...allowedHosts.map((name) => name.toLowerCase())];
}

/** In a time that does not tell where they differ. */
function isEqual(left: string, right: string): boolean {
  const [a, b] = [left, right].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
