import { describe, expect, it, vi } from 'vitest';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { createCertificate } from '@switchyard/transport';
import { failedPayload, rejection } from './payloads.ts';
import { closed, closers, linkTo, rawSocket, station, upgradeStatus } from './station.ts';
import { MemoryOutbox } from '@switchyard/testkit';

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
    await vi.waitFor(() => expect(probe.lost).toHaveLength(1), 60_000);
    probe.link.send('task-failed', failedPayload('while away'));
    const second = await station({ port: first.listener.port });
    await vi.waitFor(() => expect(second.messages).toHaveLength(1), { timeout: 60_000 });
    expect(second.messages[0]?.envelope.payload).toMatchObject({ error: 'while away' });
    expect(probe.fatal).toEqual([]);
  });

  it('a link that is closed has delivered what was sent', async () => {
    const place = await station();
    const { link } = linkTo(place, { outbox: new MemoryOutbox() });
    await link.whenConnected();
    link.send('draining', { reason: 'going' });
    link.send('task-failed', failedPayload('last'));
    await link.close();
    expect(place.messages.map(({ envelope }) => envelope.type)).toEqual(['draining', 'task-failed']);
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
    await link.whenConnected();
    const tasks = Array.from({ length: 160 }, (_, index) => ({ ...task(`t${index}`) }));
    const asked = rejection(link.request('run-add-tasks', { run: 'r', tasks }, { timeoutMs: 50 }));
    await vi.waitFor(() => expect(place.messages).toHaveLength(1), { timeout: 60_000 });
    expect((await asked)?.code).toBe('E_TIMEOUT');
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
    await vi.waitFor(() => expect(socket.closed).toBe(1001), 60_000);
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
