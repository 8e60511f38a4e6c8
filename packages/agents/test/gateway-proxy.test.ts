import { createServer, request as httpRequest } from 'node:http';
import { connect, createServer as createTcp, type AddressInfo, type Socket } from 'node:net';
import { Gateway, Ledger, PriceBook, type PermitSource } from '@switchyard/agents';
import { attemptKey } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { afterEach, expect, it } from 'vitest';

const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function closed(server: { close(done: () => void): unknown }): Promise<unknown> {
  return new Promise((resolve) => server.close(() => resolve(undefined)));
}

/** A proxy that answers plain requests itself, and leads every tunnel to one port. */
async function openProxy(tunnelTo: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? ''}`);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"usage":{"prompt_tokens":3,"completion_tokens":2}}');
  });
  server.on('connect', (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    const onward = connect(tunnelTo, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const each of [socket as Socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return closed(server);
  });
  return { url: `http://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Asks a model through a gateway; the status that the agent sees. */
async function ask(baseUrl: string, proxy: object): Promise<number | undefined> {
  const permits: PermitSource = {
    acquire: () => Promise.resolve({ arrived: () => undefined, settle: () => undefined }),
  };
  const gateway = new Gateway({
    providers: [{ name: 'openai', baseUrl, key: () => 'sk-the-real-key' }],
    prices: new PriceBook(),
    permits,
    ledger: new Ledger(),
    clock: { ...systemClock, after: (ms, call) => systemClock.after(ms >= 15_000 ? ms : 0, call) },
    random: systemRandom,
    logger: silentLogger(),
    proxy,
  });
  closers.push(() => gateway.close());
  const { signal } = new AbortController();
  const { endpoint } = await gateway.open(attempt, { isInside: false, logger: silentLogger(), signal });
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${endpoint.openai}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${endpoint.token}`, 'content-type': 'application/json' },
    });
    outgoing.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode));
    });
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify({ model: 'm', messages: [] }));
  });
}

it('a plain provider is asked through the operator’s proxy, by its whole address', async () => {
  const { url, asked } = await openProxy(0);
  expect(await ask('http://models.example.test/v1', { http: url })).toBe(200);
  const token = Buffer.from('me:secret').toString('base64');
  expect(asked).toEqual([`POST http://models.example.test/v1/chat/completions Basic ${token}`]);
});

it('an encrypted one through a tunnel, in which the proxy sees no word', async () => {
  const first: Buffer[] = [];
  const provider = createTcp((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => {
      first.push(chunk);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  closers.push(() => closed(provider));
  const { url, asked } = await openProxy((provider.address() as AddressInfo).port);
  // It breaks off, so the gateway gives up after its tries.
  expect(await ask('https://models.example.test/v1', { https: url })).toBe(502);
  expect(asked[0]).toBe('CONNECT models.example.test:443');
  // The first word of a TLS handshake, with the name of the provider.
  expect(first[0]?.[0]).toBe(0x16);
  expect(first[0]?.toString('latin1')).toContain('models.example.test');
  expect(Buffer.concat(first).toString('latin1')).not.toContain('sk-the-real-key');
});

it('what is on this machine, or excepted, is asked for directly', async () => {
  const { url, asked } = await openProxy(0);
  const here = await openProxy(0);
  expect(await ask(here.url.replace('me:secret@', ''), { http: url })).toBe(200);
  expect(asked).toEqual([]);
  expect(here.asked).toEqual([expect.stringMatching(/^POST \/chat\/completions/)]);
});
