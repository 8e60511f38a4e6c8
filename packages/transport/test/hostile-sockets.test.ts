import { closeCodes, limits, peerId } from '@switchyard/protocol';
import { describe, expect, it, vi } from 'vitest';
import { accepted } from './payloads.ts';
import { linkTo, rawSocket, station } from './station.ts';
import { helloOf, RawPeer } from './world.ts';

describe('hostile sockets', () => {
  const hello = { ...helloOf('worker'), lane: 'control' };

  it('a text frame is closed with 4400', async () => {
    const { listener } = await station();
    const socket = await rawSocket(listener.url);
    socket.ws.send('{"type":"hello"}');
    await vi.waitFor(() => expect(socket.closed).toBe(closeCodes.badFrame.code), 60_000);
    expect(socket.reason).toBe('a text frame');
  });

  it('a frame over the limit is closed with 4413, without reading it', async () => {
    const { listener } = await station();
    const socket = await rawSocket(listener.url);
    socket.ws.send(new Uint8Array(limits.controlFrameBytes + 1));
    await vi.waitFor(() => expect(socket.closed).toBe(closeCodes.frameTooLarge.code), { timeout: 60_000 });
  });

  it('a bulk lane has a limit of its own', async () => {
    const { listener } = await station();
    const socket = await rawSocket(`${listener.url}?lane=bulk`);
    socket.ws.send(new Uint8Array(limits.bulkFrameBytes + 1));
    await vi.waitFor(() => expect(socket.closed).toBe(closeCodes.frameTooLarge.code), { timeout: 60_000 });
  });

  it('bytes that are no WebSocket frame are closed with 4400', async () => {
    const { listener } = await station();
    const socket = await rawSocket(listener.url);
    socket.raw(Buffer.from([0xff, 0xff, 0, 0, 0, 0, 0, 0]));
    await vi.waitFor(() => expect([closeCodes.badFrame.code, 1006]).toContain(socket.closed), 60_000);
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
      await vi.waitFor(() => expect(socket.closed).toBe(code), 60_000);
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
    await vi.waitFor(() => expect(place.hub.peers()).toHaveLength(2), 60_000);
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
    await vi.waitFor(() => expect(place.messages).toHaveLength(1), 60_000);
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
    await expect(good.link.request('run-list', {})).resolves.toBeDefined();
    socket.ws.terminate();
  });

  it('a socket that says nothing, and one that goes away in the middle, leave nothing behind', async () => {
    const place = await station();
    const silent = await rawSocket(place.listener.url);
    const gone = await rawSocket(place.listener.url);
    gone.ws.terminate();
    await place.hub.close();
    await vi.waitFor(() => expect(silent.closed).toBe(closeCodes.shuttingDown.code), 60_000);
  });
});

const nowhere = {
  send: () => undefined,
  bufferedBytes: 0,
  close: () => undefined,
  onFrame: () => undefined,
  onClose: () => undefined,
};
