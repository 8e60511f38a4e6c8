import { AppError, closeCodes, limits, peerId, type CloseName, type ErrorCode } from '@switchyard/protocol';
import { createLink, memoryPair, type Channel, type Dial } from '@switchyard/transport';
import { describe, expect, it } from 'vitest';
import { accepted, failedPayload, progressPayload, rejection } from './payloads.ts';
import { settle } from './virtual-clock.ts';
import { helloOf, logger, MemoryOutbox, RawPeer, World, type LinkProbe } from './world.ts';

const worker1 = peerId.parse('worker-1');

async function up(world: World, probe: LinkProbe): Promise<void> {
  await settle();
  for (let turn = 0; turn < 100 && probe.link.state !== 'connected'; turn += 1)
    await world.clock.advance(200);
  expect(probe.link.state).toBe('connected');
  await world.clock.advance(50);
}

describe('connecting', () => {
  it('greets on both lanes and says so', async () => {
    const world = new World();
    const probe = world.link('worker-1');
    expect(probe.link.state).toBe('connecting');
    await up(world, probe);
    expect((await probe.link.whenConnected()).hub).toBe('state');
    expect(probe.welcomes).toBe(1);
    expect(world.hub.peers()).toMatchObject([{ id: 'worker-1', role: 'worker' }]);
  });

  it('carries messages of both lanes both ways', async () => {
    const world = new World();
    const worker = world.link('worker-1');
    const client = world.link('client-1', 'client');
    await up(world, worker);
    await up(world, client);
    worker.link.send('task-accepted', accepted);
    worker.link.send('task-progress', progressPayload('half'));
    world.hub.send(peerId.parse('client-1'), 'log-line', { daemon: 'x', line: 'y' });
    world.hub.send(worker1, 'shutdown', { reason: 'z' });
    await world.clock.advance(100);
    expect(world.messages.map(({ envelope }) => envelope.type).toSorted()).toEqual([
      'task-accepted',
      'task-progress',
    ]);
    expect(client.messages.map((envelope) => envelope.type)).toEqual(['log-line']);
    expect(worker.messages.map((envelope) => envelope.type)).toEqual(['shutdown']);
  });

  it('tries again for ever while nobody answers, at growing distances', async () => {
    const world = new World();
    const dials: number[] = [];
    const probe = world.link('worker-1', 'worker', {
      dial: () => {
        dials.push(world.clock.monotonic());
        return Promise.reject(new AppError('E_UNREACHABLE', 'nobody'));
      },
    });
    await world.clock.advance(10 * 60_000);
    expect(dials.length).toBeGreaterThan(50);
    expect(probe.fatal).toEqual([]);
    const gaps = dials.slice(1).map((at, index) => at - (dials[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(limits.reconnectMaxMs);
    expect(Math.max(...gaps.slice(0, 3))).toBeLessThan(1_000);
    expect(probe.lost).toEqual([]);
  });

  const final: [ErrorCode][] = [['E_TOKEN'], ['E_FINGERPRINT'], ['E_VERSION'], ['E_CONFIG']];
  it.each(final)('gives up for good on %s', async (code) => {
    const world = new World();
    let dials = 0;
    const probe = world.link('worker-1', 'worker', {
      dial: () => {
        dials += 1;
        return Promise.reject(new AppError(code, 'no'));
      },
    });
    const waiting = rejection(probe.link.whenConnected());
    await world.clock.advance(60_000);
    expect(dials).toBe(1);
    expect(probe.fatal).toMatchObject([{ code }]);
    expect(probe.link.state).toBe('closed');
    expect((await waiting)?.code).toBe(code);
    expect(() => probe.link.send('task-accepted', accepted)).toThrow(AppError);
    expect((await rejection(probe.link.request('run-list', {})))?.code).toBe(code);
  });

  const closes: [CloseName, ErrorCode | undefined][] = [
    ['badFrame', 'E_PROTOCOL'],
    ['unauthorized', 'E_TOKEN'],
    ['forbidden', 'E_PROTOCOL'],
    ['unknownMessage', 'E_PROTOCOL'],
    ['helloTimeout', undefined],
    ['replaced', 'E_REPLACED'],
    ['frameTooLarge', 'E_PROTOCOL'],
    ['badPayload', 'E_PROTOCOL'],
    ['versionMismatch', 'E_VERSION'],
    ['tooSlow', undefined],
    ['shuttingDown', undefined],
    ['silent', undefined],
  ];
  it.each(closes)('closed with %s: %s', async (closeName, code) => {
    const world = new World();
    const probe = world.link('worker-1');
    await up(world, probe);
    world.hub.disconnect(worker1, closeName);
    await settle();
    expect(probe.lost).toHaveLength(1);
    await world.clock.advance(30_000);
    expect(probe.fatal.map((error) => error.code)).toEqual(code === undefined ? [] : [code]);
    expect(probe.welcomes).toBe(code === undefined ? 2 : 1);
  });

  it('gives way to a newer link of the same name, which stays', async () => {
    const world = new World();
    const first = world.link('worker-1');
    await up(world, first);
    const second = world.link('worker-1');
    await up(world, second);
    await world.clock.advance(60_000);
    expect(first.fatal).toMatchObject([{ code: 'E_REPLACED' }]);
    expect(second.fatal).toEqual([]);
    expect(second.welcomes).toBe(1);
  });

  it('refuses a hub that breaks the table, and tries again later', async () => {
    const world = new World();
    const ends: RawPeer[] = [];
    const probe = world.link('worker-1', 'worker', {
      dial: () => {
        const [ours, theirs] = memoryPair();
        const hub = new RawPeer(theirs);
        ends.push(hub);
        const payload = { peer: 'worker-1', hub: 'h', version: '1', heartbeatIntervalMs: 2000, fenced: [] };
        queueMicrotask(() => {
          hub.say('welcome', payload, { from: 'orc', to: 'worker-1' });
          hub.say('task-cancel', { nonsense: true }, { from: 'orc', to: 'worker-1' });
        });
        return Promise.resolve(ours);
      },
    });
    await world.clock.advance(5_000);
    expect(ends[0]?.closed?.code).toBe(closeCodes.badPayload.code);
    expect(ends.length).toBeGreaterThan(2);
    expect(probe.messages).toEqual([]);
    await probe.link.close();
  });
});

describe('a silent hub', () => {
  it('is dialled anew, and a stall of our own is not held against it', async () => {
    const world = new World();
    const dials: Channel[] = [];
    const probe = world.link('worker-1', 'worker', {
      dial: (lane) => {
        const [ours, theirs] = memoryPair();
        if (lane === 'control') {
          const hub = new RawPeer(theirs);
          dials.push(theirs);
          const payload = { peer: 'worker-1', hub: 'h', version: '1', heartbeatIntervalMs: 2000, fenced: [] };
          queueMicrotask(() => hub.say('welcome', payload, { from: 'orc', to: 'worker-1' }));
        }
        return Promise.resolve(ours);
      },
    });
    await world.clock.advance(1_000);
    await world.clock.stall(60_000);
    await world.clock.advance(2_100);
    expect(probe.lost).toEqual([]);
    await world.clock.advance(12_000);
    expect(probe.lost).toHaveLength(1);
    expect(probe.lost[0]).toMatch(/silent/);
    expect(dials.length).toBeGreaterThan(1);
    await probe.link.close();
  });
});

describe('requests', () => {
  it('are answered, a thousand at once, each by its own answer', async () => {
    const world = new World();
    world.onMessage = ({ type, id, payload }, peer) => {
      if (type !== 'run-get') return;
      const text = (payload as { run: string }).run;
      world.hub.send(peer.id, 'error', { code: 'E_RUN_UNKNOWN', message: text }, { replyTo: id });
    };
    const client = world.link('client-1', 'client');
    await up(world, client);
    const asked = Array.from({ length: 1_000 }, (_, index) =>
      rejection(client.link.request('run-get', { run: `r${index}` })),
    );
    await world.clock.advance(1_000);
    const answers = await Promise.all(asked);
    expect(answers.map((error) => error?.message)).toEqual(answers.map((_, index) => `r${index}`));
    expect(answers[0]?.code).toBe('E_RUN_UNKNOWN');
    expect(client.messages).toEqual([]);
  });

  it('wait for the link, time out, are cancelled, and fail with the link', async () => {
    const world = new World();
    const client = world.link('client-1', 'client');
    const early = client.link.request('run-list', {});
    world.onMessage = ({ type, id }, peer) => {
      if (type === 'run-list') world.hub.send(peer.id, 'run-listed', { runs: [] }, { replyTo: id });
    };
    await up(world, client);
    expect((await early).type).toBe('run-listed');

    const late = rejection(client.link.request('run-get', { run: 'r' }, { timeoutMs: 500 }));
    await world.clock.advance(501);
    expect((await late)?.code).toBe('E_TIMEOUT');

    const abort = new AbortController();
    const cancelled = rejection(client.link.request('run-get', { run: 'r' }, { signal: abort.signal }));
    await settle();
    abort.abort();
    expect((await cancelled)?.code).toBe('E_CANCELLED');

    const lost = rejection(client.link.request('run-get', { run: 'r' }));
    await settle();
    world.hub.disconnect(peerId.parse('client-1'), 'shuttingDown');
    await settle();
    expect((await lost)?.code).toBe('E_UNREACHABLE');
  });

  it('fail with E_UNREACHABLE when there is no link in time', async () => {
    const world = new World();
    const client = world.link('c', 'client', { dial: () => new Promise<Channel>(() => undefined) });
    const asked = rejection(client.link.request('run-list', {}, { timeoutMs: 300 }));
    await world.clock.advance(301);
    expect((await asked)?.code).toBe('E_UNREACHABLE');
  });

  it('are refused with E_QUEUE_FULL beyond the limit of one client', async () => {
    const world = new World();
    world.onMessage = () => new Promise<void>(() => undefined);
    const client = world.link('client-1', 'client');
    await up(world, client);
    let full = 0;
    for (let count = 0; count < limits.requestsInFlight + 10; count += 1)
      client.link.request('run-list', {}).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'E_QUEUE_FULL') full += 1;
      });
    await world.clock.advance(2_000);
    expect(full).toBe(10);
  });

  it('are rejected when something answers that the table does not name', async () => {
    const world = new World();
    world.onMessage = ({ id }, peer) => void world.hub.send(peer.id, 'done', {}, { replyTo: id });
    const client = world.link('client-1', 'client');
    await up(world, client);
    const asked = rejection(client.link.request('run-list', {}));
    await world.clock.advance(10);
    expect((await asked)?.code).toBe('E_PROTOCOL');
  });
});

describe('durable messages', () => {
  it('leave only once they are stored, and are replayed until acknowledged', async () => {
    const world = new World();
    const outbox = new MemoryOutbox();
    const probe = world.link('worker-1', 'worker', { outbox });
    await up(world, probe);
    const id = probe.link.send('task-failed', failedPayload('one'));
    expect(probe.link.unacknowledged).toBe(1);
    await world.clock.advance(10);
    expect(world.messages.map(({ envelope }) => envelope.id)).toEqual([id]);
    world.hub.disconnect(worker1, 'shuttingDown');
    await up(world, probe);
    expect(world.messages.map(({ envelope }) => envelope.id)).toEqual([id, id]);
    world.hub.send(worker1, 'ack', { of: [id] });
    await world.clock.advance(10);
    expect(probe.link.unacknowledged).toBe(0);
    expect(outbox.pending()).toEqual([]);
    expect(probe.messages.map((envelope) => envelope.type)).toEqual(['ack']);
    world.hub.disconnect(worker1, 'shuttingDown');
    await up(world, probe);
    expect(world.messages).toHaveLength(2);
  });

  it('survive the process that sent them', async () => {
    const world = new World();
    const outbox = new MemoryOutbox();
    const never: Dial = () => new Promise<Channel>(() => undefined);
    const first = world.link('worker-1', 'worker', { outbox, dial: never });
    first.link.send('task-failed', failedPayload('kept'));
    await settle();
    await first.link.close();
    const second = world.link('worker-1', 'worker', { outbox });
    await up(world, second);
    expect(world.messages).toMatchObject([{ envelope: { payload: { error: 'kept' } } }]);
  });

  it('are still sent when the disk is full', async () => {
    const world = new World();
    const outbox = new MemoryOutbox();
    outbox.broken = true;
    const probe = world.link('worker-1', 'worker', { outbox });
    await up(world, probe);
    probe.link.send('task-failed', failedPayload('from memory'));
    await world.clock.advance(10);
    world.hub.disconnect(worker1, 'tooSlow');
    await up(world, probe);
    expect(world.messages).toHaveLength(2);
  });

  it('have a limit that is told to the sender', () => {
    const world = new World();
    const probe = world.link('worker-1');
    for (let count = 0; count < limits.outboxEntries; count += 1)
      probe.link.send('task-failed', failedPayload('x'));
    expect(() => probe.link.send('task-failed', failedPayload('x'))).toThrow(/outbox holds/);
  });

  it('survive a hub that is gone and another in its place', async () => {
    const world = new World();
    const outbox = new MemoryOutbox();
    const probe = world.link('worker-1', 'worker', { outbox });
    await up(world, probe);
    await Promise.all([world.hub.close(), world.clock.advance(1_500)]);
    probe.link.send('task-failed', failedPayload('while away'));
    world.makeHub();
    await up(world, probe);
    expect(world.messages).toMatchObject([{ envelope: { payload: { error: 'while away' } } }]);
  });
});

describe('while disconnected', () => {
  it('control messages wait, to their limit', async () => {
    const world = new World();
    const probe = world.link('worker-1', 'worker', { dial: () => new Promise<Channel>(() => undefined) });
    for (let count = 0; count < limits.controlQueueMessages; count += 1)
      probe.link.send('task-accepted', accepted);
    expect(() => probe.link.send('task-accepted', accepted)).toThrow(
      expect.objectContaining({ code: 'E_QUEUE_FULL' }) as Error,
    );
    await settle();
  });

  it('control messages leave when the link is up', async () => {
    const world = new World();
    const probe = world.link('worker-1');
    probe.link.send('task-accepted', accepted);
    await up(world, probe);
    expect(world.messages.map(({ envelope }) => envelope.type)).toEqual(['task-accepted']);
  });

  it('bulk messages are dropped, the oldest first, and a gap says how many', async () => {
    const world = new World();
    const probe = world.link('worker-1');
    const line = 'x'.repeat(400);
    const count = 30_000;
    for (let index = 0; index < count; index += 1)
      probe.link.send('task-progress', progressPayload(`${index} ${line}`));
    await up(world, probe);
    await world.clock.advance(5_000);
    const [gap, ...rest] = world.messages.map(({ envelope }) => envelope);
    expect(gap?.type).toBe('gap');
    const dropped = gap?.type === 'gap' ? gap.payload.dropped : 0;
    expect(dropped).toBeGreaterThan(1_000);
    expect(rest).toHaveLength(count - dropped);
    expect(rest.at(-1)?.payload).toMatchObject({ message: `${count - 1} ${line}` });
    expect(rest[0]?.payload).toMatchObject({ message: `${dropped} ${line}` });
  });
});

describe('closing', () => {
  it('sends what is queued, ends both lanes, and may be done twice', async () => {
    const world = new World();
    const probe = world.link('worker-1', 'worker', { outbox: new MemoryOutbox() });
    await up(world, probe);
    probe.link.send('task-accepted', accepted);
    probe.link.send('task-failed', failedPayload('last'));
    await probe.link.close();
    await probe.link.close();
    await world.clock.advance(100);
    expect(world.messages.map(({ envelope }) => envelope.type)).toEqual(['task-accepted', 'task-failed']);
    expect(world.hub.peers()).toEqual([]);
    expect(probe.link.state).toBe('closed');
    expect(probe.fatal).toEqual([]);
    await world.clock.advance(60_000);
    expect(probe.welcomes).toBe(1);
  });

  it('before the dial has ended leaves nothing open', async () => {
    const world = new World();
    const probe = world.link('worker-1');
    await probe.link.close();
    await world.clock.advance(20_000);
    expect(world.hub.peers()).toEqual([]);
    expect(probe.link.state).toBe('closed');
  });

  it('before the start makes the start do nothing', async () => {
    const world = new World();
    const link = createLink({
      self: worker1,
      hello: () => helloOf('worker'),
      dial: world.dial,
      clock: world.clock,
      random: world.random,
      logger,
      handler: { message: () => undefined, fatal: () => undefined },
    });
    await link.close();
    link.start();
    await world.clock.advance(1_000);
    expect(world.connected).toEqual([]);
  });
});
