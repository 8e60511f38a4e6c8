import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { refusalOf, type Guard } from '../src/http-guard.ts';

const guard: Guard = { token: 't'.repeat(30), port: 7421, allowedHosts: [], allowedOrigins: [] };
const good = { host: '127.0.0.1:7421', authorization: `Bearer ${guard.token}` };

function status(
  headers: Readonly<Record<string, string>>,
  { url = '/mcp', over = {} }: { url?: string; over?: Partial<Guard> } = {},
): number | undefined {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  request.url = url;
  return refusalOf(request, { ...guard, ...over })?.status;
}

describe('who may ask over HTTP', () => {
  it.each(['127.0.0.1:7421', 'localhost:7421', '[::1]:7421', 'LOCALHOST:7421'])('the host %s', (host) => {
    expect(status({ ...good, host })).toBeUndefined();
  });

  it.each([
    ...['evil.example', 'evil.example:7421', '127.0.0.1', '127.0.0.1:80', 'localhost.evil.example:7421', ''],
    ...['127.0.0.1:7421.evil.example', '0.0.0.0:7421', 'user@127.0.0.1:7421'],
  ])('not the host %j', (host) => {
    expect(status({ ...good, host })).toBe(403);
  });

  it('not without a host', () => {
    expect(status({ authorization: good.authorization })).toBe(403);
  });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:7421', 'http://localhost:3000'])(
    'not a page of %s',
    (origin) => {
      expect(status({ ...good, origin })).toBe(403);
    },
  );

  it('a page and a host that the operator named', () => {
    const over = { allowedOrigins: ['http://localhost:6274'], allowedHosts: ['Agents.example'] };
    expect(status({ ...good, origin: 'http://localhost:6274' }, { over })).toBeUndefined();
    expect(status({ ...good, host: 'agents.example' }, { over })).toBeUndefined();
    expect(status({ ...good, origin: 'http://localhost:6275' }, { over })).toBe(403);
  });

  it.each([
    ...[undefined, '', 'Bearer', 'Bearer ', `Basic ${guard.token}`, guard.token],
    ...[`Bearer ${guard.token}x`, `Bearer ${guard.token.slice(1)}`, `Bearer ${guard.token} ${guard.token}`],
  ])('not with the authorization %j', (authorization) => {
    const { host } = good;
    expect(status({ host, ...(authorization !== undefined && { authorization }) })).toBe(401);
  });

  it('nowhere else than at the path of the server', () => {
    expect(status(good, { url: '/mcp?x=1' })).toBeUndefined();
    for (const url of ['/', '/mcp/', '/mcp/../mcp', '/MCP']) expect(status(good, { url }), url).toBe(404);
  });
});
