import { closeCodes, limits } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { settle } from '@switchyard/testkit';
import { World, type RawPeer } from './world.ts';

const interval = limits.heartbeatIntervalMs;

async function beatFor(
  world: World,
  peer: RawPeer,
  options: { ms: number; progress: (turn: number) => number },
) {
  for (let turn = 1; turn * interval <= options.ms; turn += 1) {
    peer.say('heartbeat', { progress: options.progress(turn), freeSlots: 2 });
    await world.clock.advance(interval);
  }
}

describe('liveness', () => {
  it('stays alive while heartbeats come and the counter moves', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    await beatFor(world, peer, { ms: 60_000, progress: (turn) => turn });
    expect(world.liveness).toEqual([]);
    expect(world.hub.peers()[0]?.freeSlots).toBe(2);
    expect(peer.types().filter((type) => type === 'heartbeat').length).toBeGreaterThan(25);
  });

  it('is unverifiable when silent, alive again at the next heartbeat', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    await world.clock.advance(limits.unverifiableAfterMs + interval);
    expect(world.liveness).toEqual(['worker-1 silent']);
    expect(world.hub.peers()[0]?.liveness).toBe('unverifiable');
    peer.say('heartbeat', { progress: 9 });
    await settle();
    expect(world.liveness).toEqual(['worker-1 silent', 'worker-1 alive']);
  });

  it('is unverifiable, but not dropped, when the counter stands still', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    await beatFor(world, peer, { ms: 60_000, progress: () => 5 });
    expect(world.liveness).toEqual(['worker-1 hung']);
    expect(peer.closed).toBeUndefined();
  });

  it('closes a link that was silent for the lease grace, so that the peer comes back', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    await world.clock.advance(limits.leaseGraceMs + interval);
    expect(peer.closed?.code).toBe(closeCodes.silent.code);
    expect(world.disconnected).toMatchObject([{ id: 'worker-1', reason: 'no heartbeat' }]);
  });

  it('judges nobody when its own loop stood still', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    await beatFor(world, peer, { ms: 10_000, progress: (turn) => turn });
    await world.clock.stall(5 * 60_000);
    expect(world.liveness).toEqual([]);
    expect(world.stalls).toHaveLength(1);
    expect(world.stalls[0]).toBeGreaterThanOrEqual(5 * 60_000 - interval);
    await world.clock.advance(interval - 1);
    expect(world.liveness).toEqual([]);
    peer.say('heartbeat', { progress: 1_000 });
    await world.clock.advance(limits.unverifiableAfterMs - interval);
    expect(world.liveness).toEqual([]);
    expect(peer.closed).toBeUndefined();
  });

  it('judges again once a full interval has passed after that', async () => {
    const world = new World();
    await world.greeted('worker-1');
    await world.clock.stall(60_000);
    await world.clock.advance(limits.unverifiableAfterMs + 2 * interval);
    expect(world.liveness).toEqual(['worker-1 silent']);
  });

  it('says so when the clock of the machine is set forward, and judges nobody for it', async () => {
    const world = new World();
    const peer = await world.greeted('worker-1');
    world.clock.setWallForward(3_600_000);
    await beatFor(world, peer, { ms: 10_000, progress: (turn) => turn });
    expect(world.liveness).toEqual([]);
    expect(world.stalls).toEqual([3_600_000]);
  });
});
