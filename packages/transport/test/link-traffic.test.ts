import { AppError, limits, peerId } from '@switchyard/protocol';
import { memoryPair, type Channel, type Dial } from '@switchyard/transport';
import { describe, expect, it } from 'vitest';
import { accepted, failedPayload, progressPayload, rejection } from './payloads.ts';
import { MemoryOutbox, settle } from '@switchyard/testkit';
import { up, World } from './world.ts';

const worker1 = peerId.parse('worker-1');

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
  it('leave at once, are stored, and are replayed until acknowledged', async () => {
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

  it('leave in their order while the disk still writes them, which the end waits for', async () => {
    const world = new World();
    const stored: (() => void)[] = [];
    const outbox = new MemoryOutbox();
    outbox.append = () => new Promise((resolve) => stored.push(resolve));
    const probe = world.link('worker-1', 'worker', { outbox });
    await up(world, probe);
    probe.link.send('task-failed', failedPayload('one'));
    probe.link.send('task-failed', failedPayload('two'));
    await world.clock.advance(100);
    expect(world.messages.map(({ envelope }) => envelope.payload)).toMatchObject([
      { error: 'one' },
      { error: 'two' },
    ]);
    let closed = false;
    const closing = probe.link.close().then(() => (closed = true));
    stored[1]?.();
    await world.clock.advance(100);
    expect(closed).toBe(false);
    stored[0]?.();
    await world.clock.advance(100);
    await closing;
  });

  it('that waited behind a full line do not overtake those it lost', async () => {
    const world = new World();
    let line: Channel | undefined;
    const probe = world.link('worker-1', 'worker', {
      dial: async (lane) => {
        const [ours, theirs] = memoryPair();
        if (lane === 'control' && line === undefined) {
          line = ours;
          const hear = theirs.onFrame.bind(theirs);
          theirs.onFrame = (handler) =>
            hear((frame) => {
              handler(frame);
              // Whatever comes after the hello stays on the line.
              theirs.pause?.();
            });
        }
        world.hub.accept(theirs, world.grant(lane));
        return Promise.resolve(ours);
      },
    });
    await up(world, probe);
    const count = 500;
    const text = 'x'.repeat(3_900);
    for (let index = 0; index < count; index += 1)
      probe.link.send('task-failed', failedPayload(`${index} ${text}`));
    await world.clock.advance(100);
    expect(world.messages).toEqual([]);
    line?.close(1006, 'cut');
    await up(world, probe);
    await world.clock.advance(2_000);
    const order = world.messages.map(({ envelope }) =>
      Number((envelope.payload as { error: string }).error.split(' ')[0]),
    );
    expect(order).toEqual(Array.from({ length: count }, (_, index) => index));
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
