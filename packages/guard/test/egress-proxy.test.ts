import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '@switchyard/runtime';
import { hostRule } from '../src/allowed-hosts.ts';
import { openEgressProxy, type EgressProxy, type EgressProxyOptions } from '../src/egress-proxy.ts';

let folder: string;
let target: Server;
let port: number;
let proxy: EgressProxy | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egress-'));
  target = createServer((asked, response) => response.end(`for ${asked.headers.host}`)).listen(
    0,
    '127.0.0.1',
  );
  await once(target, 'listening');
  port = (target.address() as AddressInfo).port;
});
afterEach(async () => {
  await proxy?.close();
  target.closeAllConnections();
  target.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<EgressProxyOptions>): Promise<string> {
  const socketPath = join(folder, 'proxy.sock');
  proxy = await openEgressProxy(socketPath, { rules: [], logger: silentLogger(), ...options });
  return socketPath;
}

async function get(socketPath: string, url: string): Promise<{ status: number | undefined; body: string }> {
  const asked = request({ socketPath, path: url, headers: { host: new URL(url).host } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

it('a plain request goes to the address that was looked at, and its name is not looked up again', async () => {
  const name = 'nobody-knows-it.invalid';
  const path = await open({
    rules: [hostRule(`${name}:${port}`, true)],
    resolve: () => Promise.resolve(['127.0.0.1']),
  });
  expect(await get(path, `http://${name}:${port}/`)).toEqual({ status: 200, body: `for ${name}:${port}` });
});

it('a private address is none of a list of ends of names, through the proxy of the operator either', async () => {
  const upstream = { http: `http://127.0.0.1:${port}` };
  const rules = [{ ...hostRule(`10.0.0.1:${port}`), mayBePrivate: false }];
  const { status, body } = await get(await open({ rules, upstream }), `http://10.0.0.1:${port}/`);
  expect(status).toBe(403);
  expect(body).toContain('it is a private address');
  expect(proxy?.refused).toEqual([`10.0.0.1:${port}`]);
});

it('as many connections as an install opens at once are no leak: nothing warns of them', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  const path = await open({ rules: [hostRule(`127.0.0.1:${port}`)] });
  const clients = Array.from({ length: 15 }, () => connect(path));
  await Promise.all(
    clients.map((client) => {
      client.on('error', () => undefined);
      client.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
      return once(client, 'data');
    }),
  );
  await proxy?.close();
  process.off('warning', note);
  expect(warnings).toEqual([]);
});

it('what is under way ends when it is closed, and so does who has not asked yet', async () => {
  const accepted = once(target, 'connection') as Promise<[Socket]>;
  const path = await open({ rules: [hostRule(`127.0.0.1:${port}`)] });
  const [client, idle] = [connect(path), connect(path)];
  for (const socket of [client, idle]) socket.on('error', () => undefined);
  client.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  await Promise.all([once(client, 'data'), once(idle, 'connect')]);
  const [server] = await accepted;
  const ends = Promise.all([client, idle, server].map((socket) => once(socket, 'close')));
  await proxy?.close();
  await ends;
});
