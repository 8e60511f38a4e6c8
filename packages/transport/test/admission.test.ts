import { createServer } from 'node:http';
import { peerId } from '@switchyard/protocol';
import { createCertificate, webSocketDial } from '@switchyard/transport';
import { describe, expect, it, vi } from 'vitest';
import { rejection } from './payloads.ts';
import { book, linkTo, station, upgradeStatus, urlOf } from './station.ts';

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
    expect(probe.link.state).toBe('closed');
    expect(asked).toBe(1);
  });

  it('no token, no subprotocol, a web page: each is refused with its status', async () => {
    const { listener } = await station();
    const authorization = `Bearer ${book().operatorToken}`;
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
    const headers = { authorization: `Bearer ${book().operatorToken}`, origin: 'https://board.example' };
    expect(await upgradeStatus(listener.url, headers)).toBe(101);
  });

  it('an authentication that fails by a bug answers 500', async () => {
    const { listener } = await station({ authenticate: () => Promise.reject(new Error('bug')) });
    expect(await upgradeStatus(listener.url)).toBe(500);
  });

  it('an invitation is exchanged for a lasting token and is then used up', async () => {
    const place = await station();
    const { token } = book().invite('worker');
    let current = token;
    const first = linkTo(place, { token: () => first.tokens.at(-1) ?? token });
    await first.link.whenConnected();
    await vi.waitFor(() => expect(book().grant(token, 'control')).toBeUndefined(), 60_000);
    current = first.tokens[0] ?? '';
    expect(current).not.toBe(token);
    await first.link.close();

    const thief = linkTo(place, { token: () => token, self: peerId.parse('worker-2') });
    expect((await rejection(thief.link.whenConnected()))?.code).toBe('E_TOKEN');
    const impostor = linkTo(place, { token: () => current, self: peerId.parse('worker-2') });
    await vi.waitFor(() => expect(impostor.fatal).toEqual(['E_PROTOCOL']), 60_000);
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
