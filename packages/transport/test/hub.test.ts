import { closeCodes, joinFrames, limits, peerId, type CloseName } from '@switchyard/protocol';
import { memoryPair } from '@switchyard/transport';
import { describe, expect, it } from 'vitest';
import { accepted, progressPayload } from './payloads.ts';
import { settle } from '@switchyard/testkit';
import { helloOf, hubId, World, type RawPeer } from './world.ts';

const worker1 = peerId.parse('worker-1');
const helloPayload = { ...helloOf('worker'), lane: 'control' };

describe('hello', () => {
  it('is answered by a welcome that names the hub, the peer and the heartbeat', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    expect(peer.received[0]).toMatchObject({
      type: 'welcome',
      from: hubId,
      to: 'worker-1',
      replyTo: 'raw-1',
      payload: { peer: 'worker-1', hub: 'state', heartbeatIntervalMs: 2000, fenced: [] },
    });
    expect(world.hub.peers()).toMatchObject([{ id: 'worker-1', role: 'worker', liveness: 'alive' }]);
  });

  it('must come in time', async () => {
    const world = new World();
    const peer = world.raw();
    await world.clock.advance(limits.helloTimeoutMs + 1);
    expect(peer.closed?.code).toBe(closeCodes.helloTimeout.code);
  });

  it('of a bulk lane comes with the token of the control lane, or one bound to the peer', async () => {
    const world = new World();
    await world.greeted('worker-1');
    const bulkHello = { ...helloOf('worker'), lane: 'bulk' };
    const stranger = world.raw('bulk', { credential: 'another' });
    stranger.say('hello', bulkHello);
    const same = world.raw('bulk');
    same.say('hello', bulkHello);
    await settle();
    expect(stranger.closed?.code).toBe(closeCodes.helloTimeout.code);
    expect(same.types()).toEqual(['welcome']);
    const bound = world.raw('bulk', { credential: 'another', peer: worker1 });
    bound.say('hello', bulkHello);
    await settle();
    expect(bound.types()).toEqual(['welcome']);
    expect(same.closed?.code).toBe(closeCodes.replaced.code);
  });

  it('tells the handler which attempts are fenced', async () => {
    const holding = [{ run: 'run-1', taskId: 'A', attempt: 1, fence: 3 }];
    const world = new World({
      handler: {
        connected: (peer) => ({ fenced: peer.hello.holding }),
        message: () => undefined,
        liveness: () => undefined,
        disconnected: () => undefined,
      },
    });
    const peer = world.raw();
    peer.say('hello', { ...helloPayload, holding });
    await settle();
    expect(peer.received[0]?.payload).toMatchObject({ fenced: holding });
  });

  it('of a peer the handler cannot take in ends with a code that lets it come back', async () => {
    const world = new World({
      handler: {
        connected: () => {
          throw new Error('a bug');
        },
        message: () => undefined,
        liveness: () => undefined,
        disconnected: () => undefined,
      },
    });
    const peer = await world.greeted('worker-1');
    expect(peer.closed?.code).toBe(closeCodes.shuttingDown.code);
    expect(world.hub.peers()).toEqual([]);
  });

  const refused: [string, Parameters<World['raw']>, (peer: RawPeer) => void, CloseName][] = [
    ['something else first', [], (peer) => peer.say('heartbeat', { progress: 1 }), 'helloTimeout'],
    ['a role the token is not for', ['control', { roles: ['client'] }], hello, 'forbidden'],
    ['a name the token is not for', ['control', { peer: peerId.parse('other') }], hello, 'forbidden'],
    ['the name of the hub', [], (peer) => peer.say('hello', helloPayload, { from: hubId }), 'forbidden'],
    [
      'an address that is not the hub',
      [],
      (peer) => peer.say('hello', helloPayload, { to: 'x' }),
      'forbidden',
    ],
    ['another lane than the token was given for', ['bulk'], hello, 'forbidden'],
    [
      'the role orchestrator',
      [],
      (peer) => peer.say('hello', { ...helloPayload, role: 'orchestrator' }),
      'badPayload',
    ],
    ['no slots but words', [], (peer) => peer.say('hello', { ...helloPayload, slots: 'many' }), 'badPayload'],
    [
      'a bulk lane without a control lane',
      ['bulk'],
      (peer) => peer.say('hello', { ...helloPayload, lane: 'bulk' }),
      'helloTimeout',
    ],
  ];
  it.each(refused)('with %s is refused', async (_name, args, act, closeName) => {
    const world = new World();
    const peer = world.raw(...args);
    act(peer);
    await settle();
    expect(peer.closed?.code).toBe(closeCodes[closeName].code);
    expect(world.connected).toEqual([]);
    expect(world.hub.counts().breaches.get(closeName)).toBe(1);
  });
});

function hello(peer: RawPeer): void {
  peer.say('hello', helloPayload);
}

describe('a peer that breaks the rules is told why, and nobody else is harmed', () => {
  const cases: [string, (peer: RawPeer) => void, CloseName][] = [
    ['garbage', (peer) => peer.frame(Uint8Array.of(0xc1, 2, 3)), 'badFrame'],
    ['an empty frame', (peer) => peer.frame(new Uint8Array(0)), 'badFrame'],
    [
      'a frame over the limit',
      (peer) => peer.frame(new Uint8Array(limits.controlFrameBytes + 1)),
      'frameTooLarge',
    ],
    [
      'a frame of too many envelopes',
      (peer) =>
        peer.frame(
          joinFrames(
            Array.from({ length: limits.frameEnvelopes + 1 }, () => peer.bytes('heartbeat', { progress: 1 })),
          ),
        ),
      'badFrame',
    ],
    ['an unknown type', (peer) => peer.say('make-me-admin', {}), 'unknownMessage'],
    ['a type of the prototype chain', (peer) => peer.say('constructor', {}), 'unknownMessage'],
    ['a message of another role', (peer) => peer.say('run-submit', {}), 'forbidden'],
    ['a message that only the hub sends', (peer) => peer.say('task-cancel', {}), 'forbidden'],
    [
      'the name of another peer',
      (peer) => peer.say('task-accepted', accepted, { from: 'worker-2' }),
      'forbidden',
    ],
    [
      'a message to another peer',
      (peer) => peer.say('task-accepted', accepted, { to: 'worker-2' }),
      'forbidden',
    ],
    [
      'a bulk message on the control lane',
      (peer) => peer.say('task-progress', progressPayload('x')),
      'forbidden',
    ],
    ['a bad payload', (peer) => peer.say('task-accepted', { ...accepted, fence: -1 }), 'badPayload'],
    [
      'a payload that is no msgpack',
      (peer) => peer.say('task-accepted', accepted, { payload: Uint8Array.of(0xc1) }),
      'badPayload',
    ],
    ['a second hello', (peer) => peer.say('hello', helloPayload), 'forbidden'],
  ];

  it.each(cases)('%s', async (_name, act, closeName) => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    const other = await world.greeted('worker-2');
    act(peer);
    await settle();
    await world.clock.advance(100);
    expect(peer.closed?.code).toBe(closeCodes[closeName].code);
    expect(peer.closed?.reason).not.toBe('');
    expect(world.disconnected.map((entry) => entry.id)).toEqual(['worker-1']);
    expect(world.hub.counts().breaches.get(closeName)).toBe(1);
    other.say('task-accepted', accepted, { from: 'worker-2' });
    await settle();
    expect(other.closed).toBeUndefined();
    expect(world.messages.map(({ peer: sender }) => sender.id)).toEqual(['worker-2']);
  });

  it('a flood is read in shares, so that another peer is heard at once', async () => {
    const world = new World();
    const flood = await world.greeted('worker-1');
    const other = await world.greeted('worker-2');
    for (let count = 0; count < 5_000; count += 1) flood.say('task-accepted', accepted);
    other.say('task-accepted', accepted, { from: 'worker-2' });
    await settle();
    const firstTurn = world.messages.map(({ peer }) => peer.id);
    expect(firstTurn).toContain('worker-2');
    expect(firstTurn.length).toBeLessThan(1_000);
    await world.clock.advance(1_000);
    expect(world.messages).toHaveLength(5_001);
    expect(flood.closed).toBeUndefined();
  });

  it('who says little costs no timer', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    await world.clock.advance(5);
    const { timersLeft } = world.clock;
    for (let count = 0; count < 200; count += 1) {
      peer.say('task-accepted', accepted);
      await settle();
      expect(world.clock.timersLeft).toBe(timersLeft);
      await world.clock.advance(1);
    }
    expect(world.messages).toHaveLength(200);
  });

  const sizes = [
    ['by count', 100, limits.controlQueueMessages, limits.controlQueueMessages * 2],
    ['by bytes', 100_000, 1, limits.controlQueueBytes / 100_000 + 1],
  ] as const;
  it.each(sizes)(
    'a reader too slow for its control lane is disconnected, %s',
    async (_name, bytes, least, most) => {
      const world = new World();
      const peer = await world.greeted('worker-1');
      const [ours, theirs] = memoryPair();
      ours.pause?.();
      world.hub.accept(theirs, world.grant('control'));
      ours.send(peer.bytes('hello', { ...helloOf('worker'), lane: 'control' }, { from: 'slow' }));
      await settle();
      let sent = 0;
      const slow = peerId.parse('slow');
      const details = { text: 'x'.repeat(bytes) };
      while (sent < most && world.hub.send(slow, 'error', { code: 'E_IO', message: 'm', details })) sent += 1;
      expect(sent).toBeGreaterThanOrEqual(least);
      expect(sent).toBeLessThan(most);
      expect(world.disconnected).toMatchObject([{ id: 'slow' }]);
      expect(world.hub.send(worker1, 'error', { code: 'E_IO', message: 'still here' })).toBeDefined();
      let closed = 0;
      ours.onClose((code) => (closed = code));
      ours.resume?.();
      await settle();
      expect(closed).toBe(closeCodes.tooSlow.code);
    },
  );

  it('a burst to a peer that keeps up goes through whatever its length', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    for (let count = 0; count < 12_000; count += 1)
      expect(world.hub.send(worker1, 'error', { code: 'E_IO', message: `${count}` })).toBeDefined();
    await world.clock.advance(100);
    expect(peer.received.filter((envelope) => envelope.type === 'error')).toHaveLength(12_000);
  });
});

describe('sending', () => {
  it('says how much waits for a peer, until it has left', async () => {
    const world = new World();
    await world.greeted('worker-1');
    expect(world.hub.waiting(worker1)).toBe(0);
    for (let count = 1; count <= 3; count += 1) world.hub.send(worker1, 'shutdown', { reason: `${count}` });
    expect(world.hub.waiting(worker1)).toBe(3);
    await settle();
    expect(world.hub.waiting(worker1)).toBe(0);
    expect(world.hub.waiting(peerId.parse('nobody'))).toBeUndefined();
  });

  it('says when a peer is not connected', () => {
    expect(new World().hub.send(worker1, 'shutdown', { reason: 'x' })).toBeUndefined();
  });

  it('refuses what the table forbids and payloads that the peer would refuse', async () => {
    const { hub } = await connectedWorld();
    expect(() => hub.send(worker1, 'run-listed', { runs: [] })).toThrow(
      /may not send run-listed to a worker/,
    );
    expect(() => hub.send(worker1, 'hello', helloOf('worker') as never)).toThrow(/may not send/);
    expect(() => hub.send(worker1, 'ack', { of: [] })).toThrow(/does not fit/);
  });

  it('joins what is sent in one turn into one frame', async () => {
    const world = new World();
    const [ours, theirs] = memoryPair();
    const frames: number[] = [];
    ours.onFrame((frame) => frames.push(frame.length));
    world.hub.accept(theirs, world.grant('control'));
    ours.send(world.raw().bytes('hello', helloPayload));
    await settle();
    frames.length = 0;
    for (let count = 0; count < 10; count += 1) world.hub.send(worker1, 'shutdown', { reason: 'x' });
    await settle();
    expect(frames).toHaveLength(1);
    world.hub.send(worker1, 'shutdown', { reason: 'x' });
    await settle();
    expect(frames).toHaveLength(2);
  });

  it('answers what the handler throws, with its code or as a bug', async () => {
    const world = await connectedWorld();
    world.onMessage = () => Promise.reject(new Error('secret words'));
    world.peer.say('task-accepted', accepted);
    await settle();
    expect(world.peer.received.at(-1)).toMatchObject({
      type: 'error',
      replyTo: 'raw-2',
      payload: { code: 'E_INTERNAL' },
    });
    expect(JSON.stringify(world.peer.received.at(-1)?.payload)).not.toContain('secret');
    expect(world.peer.closed).toBeUndefined();
  });
});

async function connectedWorld(): Promise<World & { peer: RawPeer }> {
  const world = new World();
  return Object.assign(world, { peer: await world.greeted('worker-1') });
}

describe('the same peer connecting again', () => {
  it('closes the old link with 4409 and keeps the new one', async () => {
    const world = new World();
    const old = await world.greeted('worker-1');
    const fresh = await world.greeted('worker-1');
    expect(old.closed?.code).toBe(closeCodes.replaced.code);
    expect(fresh.closed).toBeUndefined();
    expect(world.disconnected).toHaveLength(1);
    expect(world.hub.peers()).toHaveLength(1);
    fresh.say('task-accepted', accepted);
    old.say('task-accepted', accepted);
    await settle();
    expect(world.messages).toHaveLength(1);
  });

  it('does not give way to an older link whose hello comes late', async () => {
    const world = new World();
    const older = world.raw();
    const newer = await world.greeted('worker-1');
    older.say('hello', helloPayload);
    await settle();
    expect(older.closed?.code).toBe(closeCodes.replaced.code);
    expect(newer.closed).toBeUndefined();
    expect(world.disconnected).toEqual([]);
  });

  it('is refused where a stranger uses an invitation under a connected name', async () => {
    const world = new World();
    const holder = await world.greeted('worker-1');
    const stranger = await world.greeted('worker-1', 'worker', {
      credential: 'invitation',
      lastingToken: () => 'lasting',
    });
    expect(stranger.closed?.code).toBe(closeCodes.forbidden.code);
    expect(holder.closed).toBeUndefined();
  });

  it('gives a lasting token for a one-time one, and refuses one that is used up', async () => {
    const world = new World();
    const first = await world.greeted('worker-1', 'worker', {
      credential: 'i',
      lastingToken: () => 'lasting',
    });
    expect(first.received[0]?.payload).toMatchObject({ token: 'lasting' });
    const second = await world.greeted('worker-2', 'worker', {
      credential: 'i',
      lastingToken: () => undefined,
    });
    expect(second.closed?.code).toBe(closeCodes.unauthorized.code);
  });
});

describe('the end of the hub', () => {
  it('tells every peer to come back, tells the handler, and ends once', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    const waiting = world.raw();
    const ended = Promise.all([world.hub.close(), world.hub.close()]);
    await settle();
    await world.clock.advance(2_000);
    await ended;
    expect(peer.closed?.code).toBe(closeCodes.shuttingDown.code);
    expect(waiting.closed?.code).toBe(closeCodes.shuttingDown.code);
    expect(world.disconnected).toHaveLength(1);
  });

  it('sends what was queued before', async () => {
    const world = await connectedWorld();
    world.hub.send(worker1, 'shutdown', { reason: 'bye' });
    void world.hub.close();
    await settle();
    expect(world.peer.types()).toContain('shutdown');
  });
});
