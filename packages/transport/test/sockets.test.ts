import { createServer, request as httpRequest } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeCodes, limits, peerId, subprotocol, type Envelope, type ErrorCode } from '@switchyard/protocol';
import { systemClock, systemRandom } from '@switchyard/runtime';
import {
  createCertificate,
  createHub,
  createLink,
  listen,
  openTokenBook,
  webSocketDial,
  type ConnectedPeer,
  type Hub,
  type Link,
  type LinkOptions,
  type Listener,
  type ListenOptions,
  type TokenBook,
} from '@switchyard/transport';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { accepted, failedPayload, rejection } from './payloads.ts';
import { helloOf, hubId, logger, MemoryOutbox, RawPeer } from './world.ts';

const base = { clock: systemClock, random: systemRandom, logger };
const closers: (() => Promise<void> | void)[] = [];
let folder: string;
let book: TokenBook;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-transport-'));
  book = openTokenBook(join(folder, 'token'), base);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

interface Station {
  readonly hub: Hub;
  readonly listener: Listener;
  readonly messages: { envelope: Envelope; peer: ConnectedPeer }[];
}

async function station(over: Partial<ListenOptions> = {}): Promise<Station> {
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
  });
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    request: (_request, response) => response.end('page'),
    hub,
    authenticate: (token, lane) => Promise.resolve(book.grant(token, lane)),
    ...over,
  });
  const close = async (): Promise<void> => {
    await hub.close();
    await listener.close();
  };
  closers.push(close);
  return { hub, listener, messages };
}

interface Probe {
  readonly link: Link;
  readonly fatal: ErrorCode[];
  readonly tokens: string[];
  readonly lost: string[];
  readonly messages: Envelope[];
}

function linkTo(
  { listener }: { listener: Pick<Listener, 'url'> },
  over: Partial<LinkOptions> & {
    role?: 'worker' | 'client';
    token?: () => string;
    fingerprint?: string;
  } = {},
): Probe {
  const { role = 'worker', token = () => book.operatorToken, fingerprint, ...rest } = over;
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

describe('over real sockets', () => {
  it('a thousand requests in flight are all answered', async () => {
    const place = await station();
    const { link } = linkTo(place, { role: 'client' });
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => link.request('run-list', {})));
    expect(answers.every((answer) => answer.type === 'run-listed')).toBe(true);
  });

  it('a hub that restarts on its port gets its peers and their reports back', async () => {
    const first = await station();
    const probe = linkTo(first, { outbox: new MemoryOutbox() });
    await probe.link.whenConnected();
    await first.hub.close();
    await first.listener.close();
    await vi.waitFor(() => expect(probe.lost).toHaveLength(1));
    probe.link.send('task-failed', failedPayload('while away'));
    const second = await station({ port: first.listener.port });
    await vi.waitFor(() => expect(second.messages).toHaveLength(1), { timeout: 5_000 });
    expect(second.messages[0]?.envelope.payload).toMatchObject({ error: 'while away' });
    expect(probe.fatal).toEqual([]);
  });

  it('serves pages and the hub on one port, and nothing else is upgraded', async () => {
    const { listener } = await station();
    expect(await (await fetch(listener.httpUrl)).text()).toBe('page');
    expect(await upgradeStatus(listener.url.replace('/hub', '/other'))).toBe(404);
    expect(await upgradeStatus(listener.url.replace('/hub', '/hub/../hub2'))).toBe(404);
  });

  it('carries a message of ten megabytes', async () => {
    const place = await station();
    const { link } = linkTo(place, { role: 'client' });
    const tasks = Array.from({ length: 160 }, (_, index) => ({ ...task(`t${index}`) }));
    const asked = rejection(link.request('run-add-tasks', { run: 'r', tasks }, { timeoutMs: 50 }));
    await vi.waitFor(() => expect(place.messages).toHaveLength(1), { timeout: 5_000 });
    expect((await asked)?.code).toBe('E_TIMEOUT');
  });
});

function task(id: string) {
  return {
    id,
    kind: 'manual' as const,
    instructions: 'x'.repeat(64_000),
    workspace: [],
    reads: 'all' as const,
    dependsOn: [],
    estimate: {},
    executor: { kind: 'command' as const, run: [] },
    acceptance: [],
    review: {
      mode: 'never' as const,
      specializations: [],
      rounds: 1,
      timeoutMs: 1000,
      onTimeout: 'escalate' as const,
    },
    requires: [],
    mcpServers: [],
    onFailure: 'fail-run' as const,
    timeoutMs: 1000,
    retries: 0,
  };
}

describe('who is let in', () => {
  it('a wrong token is fatal and not tried again', async () => {
    let asked = 0;
    const place = await station({
      authenticate: () => {
        asked += 1;
        return Promise.resolve(undefined);
      },
    });
    const probe = linkTo(place, { token: () => 'wrong' });
    expect((await rejection(probe.link.whenConnected()))?.code).toBe('E_TOKEN');
    expect(probe.fatal).toEqual(['E_TOKEN']);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked).toBe(1);
  });

  it('no token, no subprotocol, a web page: each is refused with its status', async () => {
    const { listener } = await station();
    const authorization = `Bearer ${book.operatorToken}`;
    expect(await upgradeStatus(listener.url)).toBe(401);
    expect(await upgradeStatus(listener.url, { authorization: 'Basic x' })).toBe(401);
    expect(await upgradeStatus(listener.url, { authorization }, [])).toBe(400);
    expect(await upgradeStatus(listener.url, { authorization }, ['switchyard.v9'])).toBe(400);
    expect(await upgradeStatus(`${listener.url}?lane=other`, { authorization })).toBe(400);
    expect(await upgradeStatus(listener.url, { authorization, origin: 'https://evil.example' })).toBe(403);
    expect(await upgradeStatus(listener.url, { authorization, origin: 'null' })).toBe(403);
    expect(await upgradeStatus(listener.url, { authorization })).toBe(101);
  });

  it('a web page that is allowed comes in', async () => {
    const { listener } = await station({ allowedOrigins: ['https://board.example'] });
    const headers = { authorization: `Bearer ${book.operatorToken}`, origin: 'https://board.example' };
    expect(await upgradeStatus(listener.url, headers)).toBe(101);
  });

  it('an authentication that fails by a bug answers 500', async () => {
    const { listener } = await station({ authenticate: () => Promise.reject(new Error('bug')) });
    expect(await upgradeStatus(listener.url)).toBe(500);
  });

  it('an invitation is exchanged for a lasting token and is then used up', async () => {
    const place = await station();
    const { token } = book.invite('worker');
    let current = token;
    const first = linkTo(place, { token: () => first.tokens.at(-1) ?? token });
    await first.link.whenConnected();
    await vi.waitFor(() => expect(book.grant(token, 'control')).toBeUndefined());
    current = first.tokens[0] ?? '';
    expect(current).not.toBe(token);
    await first.link.close();

    const thief = linkTo(place, { token: () => token, self: peerId.parse('worker-2') });
    expect((await rejection(thief.link.whenConnected()))?.code).toBe('E_TOKEN');
    const impostor = linkTo(place, { token: () => current, self: peerId.parse('worker-2') });
    await vi.waitFor(() => expect(impostor.fatal).toEqual(['E_PROTOCOL']));
    const again = linkTo(place, { token: () => current });
    await again.link.whenConnected();
    expect(again.tokens).toEqual([]);
  });

  it('a hub of another version is fatal', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const probe = linkTo({ listener: { url: await urlOf(server) } });
    expect((await rejection(probe.link.whenConnected()))?.code).toBe('E_VERSION');
  });

  it('a server that is no hub, or nobody, is tried again', async () => {
    const server = createServer((_request, response) => response.end('hello'));
    const url = await urlOf(server);
    expect((await rejection(webSocketDial({ url, token: () => 'x' })('control')))?.code).toBe(
      'E_UNREACHABLE',
    );
    const nobody = webSocketDial({ url: 'ws://127.0.0.1:9/hub', token: () => 'x' });
    expect((await rejection(nobody('control')))?.code).toBe('E_UNREACHABLE');
  });

  it('a token is never sent in the clear to another machine', async () => {
    const dial = webSocketDial({ url: 'ws://192.0.2.1:7420/hub', token: () => 'secret' });
    expect((await rejection(dial('control')))?.code).toBe('E_CONFIG');
    expect((await rejection(webSocketDial({ url: 'nonsense', token: () => 'x' })('control')))?.code).toBe(
      'E_CONFIG',
    );
  });
});

describe('TLS', () => {
  it('a link that pins the certificate connects, by whatever name', async () => {
    const tls = await createCertificate(['elsewhere.example']);
    const place = await station({ tls });
    expect(place.listener.url).toMatch(/^wss:/);
    const { link } = linkTo(place, { role: 'client', fingerprint: tls.fingerprint });
    expect((await link.request('run-list', {})).type).toBe('run-listed');
  });

  it('another certificate is fatal, and no token leaves', async () => {
    const [tls, other] = await Promise.all([
      createCertificate(['127.0.0.1']),
      createCertificate(['127.0.0.1']),
    ]);
    let asked = 0;
    const place = await station({
      tls,
      authenticate: () => {
        asked += 1;
        return Promise.resolve(undefined);
      },
    });
    const probe = linkTo(place, { fingerprint: other.fingerprint });
    expect((await rejection(probe.link.whenConnected()))?.code).toBe('E_FINGERPRINT');
    expect(probe.fatal).toEqual(['E_FINGERPRINT']);
    expect(asked).toBe(0);
  });

  it('without a pin, a certificate that nobody signed is fatal', async () => {
    const place = await station({ tls: await createCertificate(['127.0.0.1']) });
    const probe = linkTo(place);
    expect((await rejection(probe.link.whenConnected()))?.code).toBe('E_FINGERPRINT');
  });

  it('a pin does not fall back to an address without TLS', async () => {
    const place = await station();
    const { fingerprint } = await createCertificate(['127.0.0.1']);
    const probe = linkTo(place, { fingerprint });
    expect((await rejection(probe.link.whenConnected()))?.code).toBe('E_FINGERPRINT');
  });

  it('a pinned server that never answers is given up in time, and a plain one at once', async () => {
    const plain = createServer();
    const url = (await urlOf(plain)).replace('ws:', 'wss:');
    const dial = webSocketDial({ url, token: () => 'x', fingerprint: `sha256:${'0'.repeat(64)}` });
    expect((await rejection(dial('control')))?.code).toBe('E_UNREACHABLE');
  });
});

describe('listening', () => {
  it('refuses to bind another address without TLS', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com'])
      expect((await rejection(station({ host })))?.code).toBe('E_BIND_INSECURE');
  });

  it('says when a port is taken, or takes a free one', async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => closed(server));
    const { port } = server.address() as AddressInfo;
    expect((await rejection(station({ port })))?.code).toBe('E_PORT_TAKEN');
    const place = await station({ port, fallbackToFreePort: true });
    expect(place.listener.port).not.toBe(port);
  });

  it('says when an address is not this machine’s', async () => {
    const tls = await createCertificate(['192.0.2.1']);
    expect((await rejection(station({ host: '192.0.2.1', tls })))?.code).toBe('E_CONFIG');
  });

  it('ends with connections open', async () => {
    const place = await station();
    const socket = await rawSocket(place.listener.url);
    await place.listener.close();
    await vi.waitFor(() => expect(socket.closed).toBe(1001));
  });
});

describe('hostile sockets', () => {
  const hello = { ...helloOf('worker'), lane: 'control' };

  it('a text frame is closed with 4400', async () => {
    const { listener } = await station();
    const socket = await rawSocket(listener.url);
    socket.ws.send('{"type":"hello"}');
    await vi.waitFor(() => expect(socket.closed).toBe(closeCodes.badFrame.code));
  });

  it('a frame over the limit is closed with 4413, without reading it', async () => {
    const { listener } = await station();
    const socket = await rawSocket(listener.url);
    socket.ws.send(new Uint8Array(limits.controlFrameBytes + 1));
    await vi.waitFor(() => expect(socket.closed).toBe(closeCodes.frameTooLarge.code), { timeout: 5_000 });
  });

  it('a bulk lane has a limit of its own', async () => {
    const { listener } = await station();
    const socket = await rawSocket(`${listener.url}?lane=bulk`);
    socket.ws.send(new Uint8Array(limits.bulkFrameBytes + 1));
    await vi.waitFor(() => expect(socket.closed).toBe(closeCodes.frameTooLarge.code), { timeout: 5_000 });
  });

  it('bytes that are no WebSocket frame are closed with 4400', async () => {
    const { listener } = await station();
    const socket = await rawSocket(listener.url);
    socket.raw(Buffer.from([0xff, 0xff, 0, 0, 0, 0, 0, 0]));
    await vi.waitFor(() => expect([closeCodes.badFrame.code, 1006]).toContain(socket.closed));
  });

  it('a hello over the wrong token, a wrong sender and a bad payload say why', async () => {
    const { listener, hub } = await station();
    const good = linkTo({ listener }, { self: peerId.parse('good') });
    await good.link.whenConnected();
    for (const [type, payload, over, code] of [
      ['hello', { ...hello, role: 'king' }, {}, closeCodes.badPayload.code],
      ['hello', hello, { to: 'nobody' }, closeCodes.forbidden.code],
      ['make-me-admin', {}, {}, closeCodes.unknownMessage.code],
    ] as const) {
      const socket = await rawSocket(listener.url);
      socket.ws.send(new RawPeer(nowhere).bytes(type, payload, over));
      await vi.waitFor(() => expect(socket.closed).toBe(code));
      expect(socket.reason).not.toBe('');
    }
    expect(hub.peers().map((peer) => peer.id)).toEqual(['good']);
    expect(good.lost).toEqual([]);
  });

  it('a peer that reads nothing is disconnected, and the others go on', async () => {
    const place = await station();
    const socket = await rawSocket(place.listener.url);
    socket.ws.send(new RawPeer(nowhere).bytes('hello', hello, { from: 'slow' }));
    const good = linkTo(place, { self: peerId.parse('good') });
    await good.link.whenConnected();
    await vi.waitFor(() => expect(place.hub.peers()).toHaveLength(2));
    socket.ws.pause();
    const slow = peerId.parse('slow');
    let sent = 0;
    const message = 'x'.repeat(4_000);
    while (sent < 100_000 && place.hub.send(slow, 'error', { code: 'E_IO', message }) !== undefined) {
      sent += 1;
      if (sent % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(100_000);
    expect(place.hub.peers().map((peer) => peer.id)).toEqual(['good']);
    good.link.send('task-accepted', accepted);
    await vi.waitFor(() => expect(place.messages).toHaveLength(1));
    socket.ws.terminate();
  });

  it('a flood does not keep another peer waiting', async () => {
    const place = await station();
    const socket = await rawSocket(place.listener.url);
    const raw = new RawPeer(nowhere);
    socket.ws.send(raw.bytes('hello', hello, { from: 'flood' }));
    const good = linkTo(place, { role: 'client', self: peerId.parse('good') });
    await good.link.whenConnected();
    const frame = raw.bytes('task-accepted', accepted, { from: 'flood' });
    for (let count = 0; count < 100_000; count += 1) socket.ws.send(frame);
    const started = performance.now();
    await good.link.request('run-list', {});
    expect(performance.now() - started).toBeLessThan(1_000);
    socket.ws.terminate();
  });

  it('a socket that says nothing, and one that goes away in the middle, leave nothing behind', async () => {
    const place = await station();
    const silent = await rawSocket(place.listener.url);
    const gone = await rawSocket(place.listener.url);
    gone.ws.terminate();
    await place.hub.close();
    await vi.waitFor(() => expect(silent.closed).toBe(closeCodes.shuttingDown.code));
  });
});

const nowhere = {
  send: () => undefined,
  bufferedBytes: 0,
  close: () => undefined,
  onFrame: () => undefined,
  onClose: () => undefined,
};

interface RawSocket {
  readonly ws: WebSocket;
  closed: number | undefined;
  reason: string;
  raw(bytes: Uint8Array): void;
}

function rawSocket(url: string): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, [subprotocol], {
      headers: { authorization: `Bearer ${book.operatorToken}` },
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
function upgradeStatus(
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

async function urlOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => closed(server));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/hub`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
