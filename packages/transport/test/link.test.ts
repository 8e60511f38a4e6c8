import { AppError, closeCodes, limits, peerId, type CloseName, type ErrorCode } from '@switchyard/protocol';
import { createLink, memoryPair, type Channel } from '@switchyard/transport';
import { describe, expect, it } from 'vitest';
import { accepted, failedPayload, progressPayload, rejection } from './payloads.ts';
import { silentLogger } from '@switchyard/runtime';
import { MemoryOutbox, settle } from '@switchyard/testkit';
import { helloOf, logger, RawPeer, up, World } from './world.ts';

const worker1 = peerId.parse('worker-1');

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

  it('logs that the hub is not reached, once for each reason, and anew after a link was there', async () => {
    const world = new World();
    const warnings: unknown[] = [];
    const log = silentLogger();
    log.warn = (fields: unknown) => warnings.push(fields);
    let reason: string | undefined = 'nobody listens';
    const probe = world.link('worker-1', 'worker', {
      logger: log,
      dial: (lane) =>
        reason === undefined ? world.dial(lane) : Promise.reject(new AppError('E_UNREACHABLE', reason)),
    });
    await world.clock.advance(5 * 60_000);
    expect(warnings).toEqual([{ reason: 'nobody listens' }]);
    reason = 'no such host';
    await world.clock.advance(5 * 60_000);
    expect(warnings.slice(1)).toEqual([{ reason: 'no such host' }]);
    reason = undefined;
    await world.clock.advance(limits.reconnectMaxMs);
    expect(probe.welcomes).toBe(1);
    reason = 'no such host';
    world.hub.disconnect(worker1, 'tooSlow');
    await world.clock.advance(60_000);
    expect(warnings.slice(2)).toEqual([{ reason: expect.any(String) as string }, { reason: 'no such host' }]);
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
