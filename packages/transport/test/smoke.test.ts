import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerId, type Envelope } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import {
  createCertificate,
  createHub,
  createLink,
  listen,
  openTokenBook,
  webSocketDial,
  type Hub,
} from '@switchyard/transport';
import { expect, it } from 'vitest';

const base = { clock: systemClock, random: systemRandom, logger: silentLogger() };
it('smoke', async () => {
  const book = openTokenBook(join(mkdtempSync(join(tmpdir(), 'tk-')), 'token'), base);
  const seen: Envelope[] = [];
  const hub: Hub = createHub({
    ...base,
    self: peerId.parse('orc'),
    hubName: 'h',
    version: '1',
    handler: {
      connected: () => ({ fenced: [] }),
      message: (e, peer) => {
        seen.push(e);
        if (e.type === 'run-list') hub.send(peer.id, 'run-listed', { runs: [] }, { replyTo: e.id });
      },
      liveness: () => {},
      disconnected: () => {},
    },
  });
  const tls = await createCertificate(['127.0.0.1', 'localhost']);
  const l = await listen({
    host: '127.0.0.1',
    port: 0,
    tls,
    request: (_q, s) => s.end('hi'),
    hub,
    authenticate: async (t, lane) => book.grant(t, lane),
  });
  const link = createLink({
    ...base,
    self: peerId.parse('c1'),
    hello: () => ({
      role: 'client',
      version: '1',
      host: 'x',
      pid: 1,
      labels: [],
      slots: 0,
      specializations: [],
      holding: [],
      reviewing: [],
    }),
    dial: webSocketDial({ url: l.url, token: () => book.operatorToken, fingerprint: tls.fingerprint }),
    handler: {
      message: () => {},
      fatal: (e) => {
        throw e;
      },
    },
  });
  link.start();
  const w = await link.whenConnected();
  expect(w.peer).toBe('c1');
  const answers = await Promise.all(Array.from({ length: 1000 }, () => link.request('run-list', {})));
  expect(answers).toHaveLength(1000);
  await link.close();
  await hub.close();
  await l.close();
});
