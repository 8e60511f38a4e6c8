import { AppError, closeCodes, limits } from '@switchyard/protocol';
import { HeldClock, settle } from '@switchyard/testkit';
import { heartbeatsOn, type Channel, type Dial, type Heartbeats } from '@switchyard/transport';
import { describe, expect, it } from 'vitest';
import { helloOf, logger, World, type LinkProbe, type RawPeer } from './world.ts';

const interval = limits.heartbeatIntervalMs;
const leaseMs = limits.unverifiableAfterMs;
const hungAfterMs = limits.hungAfterMs;

/** A peer whose main loop can be held up, while its heartbeats go on. */
class TwoLoops {
  readonly world: World;
  readonly loop: HeldClock;
  readonly heartbeats: Heartbeats;
  readonly probe: LinkProbe;
  readonly channels = new Map<string, Channel>();

  constructor(world: World) {
    this.world = world;
    this.loop = new HeldClock(world.clock);
    const dial: Dial = async (lane) => {
      const channel = await world.dial(lane);
      this.channels.set(lane, channel);
      return channel;
    };
    const { clock, random } = world;
    this.heartbeats = heartbeatsOn({ dial, clock, random, logger });
    const { loop, heartbeats } = this;
    this.probe = world.link('worker-1', 'worker', { dial, clock: loop, heartbeats, freeSlots: () => 3 });
  }

  get isConnected(): boolean {
    return this.world.hub.peers().length === 1 && this.probe.lost.length === 0;
  }
}

async function raw(world: World): Promise<{ control: RawPeer; thread: RawPeer }> {
  const control = await world.greeted('worker-1');
  const thread = world.raw('heartbeat');
  thread.say('hello', { ...helloOf('worker'), lane: 'heartbeat' });
  await settle();
  return { control, thread };
}

describe('a main loop that stands still', () => {
  it('is held up while its thread is heard, for many leases; alive again with its next turn', async () => {
    const world = new World();
    const peer = new TwoLoops(world);
    await world.clock.advance(30_000);
    expect(world.liveness).toEqual([]);
    peer.loop.hold();
    await world.clock.advance(leaseMs + 2 * interval);
    expect(world.liveness).toEqual(['worker-1 held-up']);
    await world.clock.advance(hungAfterMs - 3 * leaseMs);
    expect(world.liveness).toEqual(['worker-1 held-up']);
    expect(peer.isConnected).toBe(true);
    peer.loop.letGo();
    await world.clock.advance(2 * interval);
    expect(world.liveness).toEqual(['worker-1 held-up', 'worker-1 alive']);
    await world.clock.advance(10 * leaseMs);
    expect(world.liveness).toHaveLength(2);
    expect(peer.isConnected).toBe(true);
    expect(world.hub.peers()[0]).toMatchObject({ liveness: 'alive', freeSlots: 3 });
  });

  it('hangs when that lasts too long, and is not dropped for it', async () => {
    const world = new World();
    const peer = new TwoLoops(world);
    await world.clock.advance(interval);
    peer.loop.hold();
    await world.clock.advance(hungAfterMs + 2 * interval);
    expect(world.liveness).toEqual(['worker-1 held-up', 'worker-1 hung']);
    expect(world.hub.peers()[0]).toMatchObject({ liveness: 'unverifiable', doubt: 'hung' });
    expect(peer.isConnected).toBe(true);
  });

  it('is silent as soon as its thread is, too', async () => {
    const world = new World();
    const { thread } = await raw(world);
    for (let turn = 0; turn < 20; turn += 1) {
      thread.say('heartbeat', { progress: 1 });
      await world.clock.advance(interval);
    }
    expect(world.liveness).toEqual(['worker-1 held-up']);
    await world.clock.advance(leaseMs + interval);
    expect(world.liveness).toEqual(['worker-1 held-up', 'worker-1 silent']);
    thread.say('heartbeat', { progress: 1 });
    await settle();
    expect(world.liveness.at(-1)).toBe('worker-1 held-up');
    await world.clock.advance(limits.leaseGraceMs + 2 * interval);
    expect(world.disconnected).toMatchObject([{ id: 'worker-1', reason: 'no heartbeat' }]);
    expect(thread.closed?.code).toBe(closeCodes.silent.code);
  });
});

describe('the heartbeat lane', () => {
  it('comes back when it is cut, and the control lane counts until then', async () => {
    const world = new World();
    const peer = new TwoLoops(world);
    await world.clock.advance(interval);
    const first = peer.channels.get('heartbeat');
    first?.close(1006, 'cut');
    await world.clock.advance(leaseMs + 10 * interval);
    expect(world.liveness).toEqual([]);
    expect(peer.channels.get('heartbeat')).not.toBe(first);
    peer.loop.hold();
    await world.clock.advance(10 * leaseMs);
    expect(world.liveness).toEqual(['worker-1 held-up']);
  });

  it('does not speak for a control lane that is broken: a loop that turns and is not heard is silent', async () => {
    const world = new World();
    const { thread } = await raw(world);
    for (let turn = 0; turn * interval <= limits.leaseGraceMs + interval; turn += 1) {
      thread.say('heartbeat', { progress: turn });
      await world.clock.advance(interval);
    }
    expect(world.liveness).toEqual(['worker-1 silent']);
    expect(world.disconnected).toMatchObject([{ reason: 'no heartbeat' }]);
  });

  it('is dialled anew when the hub is silent on it', async () => {
    const world = new World();
    const peer = new TwoLoops(world);
    await world.clock.advance(interval);
    const first = peer.channels.get('heartbeat');
    if (first === undefined) throw new Error('no heartbeat lane');
    first.pause?.();
    await world.clock.advance(8 * interval);
    expect(peer.channels.get('heartbeat')).not.toBe(first);
    expect(peer.probe.lost).toEqual([]);
  });

  it('ends with its link', async () => {
    const world = new World();
    const peer = new TwoLoops(world);
    await world.clock.advance(interval);
    let ended = false;
    peer.channels.get('heartbeat')?.onClose(() => (ended = true));
    const closed = peer.probe.link.close();
    await world.clock.advance(2_000);
    await closed;
    expect(ended).toBe(true);
  });

  it('needs the control lane of the same peer; one that comes too early is no breach, and comes again', async () => {
    const world = new World();
    const early = world.raw('heartbeat');
    early.say('hello', { ...helloOf('worker'), lane: 'heartbeat' });
    await settle();
    expect(early.closed?.code).toBe(closeCodes.helloTimeout.code);
    expect(world.hub.counts().breaches.size).toBe(0);
    await world.greeted('worker-1');
    const stranger = world.raw('heartbeat', { credential: 'another' });
    stranger.say('hello', { ...helloOf('worker'), lane: 'heartbeat' });
    await settle();
    expect(stranger.closed?.code).toBe(closeCodes.helloTimeout.code);
    expect(world.hub.counts().breaches.get('helloTimeout')).toBe(1);
  });

  it('carries heartbeats and nothing else', async () => {
    const world = new World();
    const { thread } = await raw(world);
    thread.say('draining', { reason: 'now' });
    await settle();
    expect(thread.closed?.code).toBe(closeCodes.forbidden.code);
    expect(world.messages).toEqual([]);
  });

  it('is left out by an older hub, and the link stays', async () => {
    const world = new World();
    const dial: Dial = (lane) =>
      lane === 'heartbeat' ? Promise.reject(new AppError('E_VERSION', 'no such lane')) : world.dial(lane);
    const { clock, random } = world;
    const heartbeats = heartbeatsOn({ dial, clock, random, logger });
    const probe = world.link('worker-1', 'worker', { dial, heartbeats });
    await world.clock.advance(10 * leaseMs);
    expect(probe.fatal).toEqual([]);
    expect([world.liveness, probe.link.state]).toEqual([[], 'connected']);
  });
});
