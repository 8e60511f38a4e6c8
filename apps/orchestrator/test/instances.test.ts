import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { peerId } from '@switchyard/protocol';
import { processStart, silentLogger, systemClock } from '@switchyard/runtime';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InstanceManager, type InstanceOptions } from '../src/instances.ts';

const fixture = fileURLToPath(new URL('fixtures/instance.mjs', import.meta.url));
const managers: InstanceManager[] = [];

function manager(overrides: Partial<InstanceOptions> = {}, mode = 'plain'): InstanceManager {
  const made = new InstanceManager({
    clock: systemClock,
    logger: silentLogger(),
    workers: { min: 0, max: 5 },
    reviewers: { min: 0, max: 1 },
    idleStopMs: 60_000,
    spawnTimeoutMs: 20_000,
    stopTimeoutMs: 2_000,
    command: () => ({ argv: [process.execPath, fixture, mode], env: {} }),
    ended: () => undefined,
    ...overrides,
  });
  managers.push(made);
  return made;
}

const demand = (ready: number, connected = 0, idle: readonly string[] = []) => ({
  workers: { connected, idle: idle.map((name) => peerId.parse(name)), ready, cap: 100 },
  reviewers: { connected: 0, idle: [], ready: 0 },
});

afterEach(async () => {
  await Promise.all(managers.splice(0).map((made) => made.cleanup()));
});

describe('the instance manager', () => {
  it('starts as many workers as tasks wait, and no more than the cap', () => {
    const made = manager();
    made.want(demand(2));
    expect(made.status()).toHaveLength(2);
    made.want(demand(50));
    expect(made.status()).toHaveLength(5);
    expect(made.status().every(({ state }) => state === 'starting')).toBe(true);
  });

  it('refuses to start one by hand beyond the cap, with the flag that raises it', () => {
    const made = manager({ workers: { min: 0, max: 1 } });
    made.spawn('worker');
    expect(() => made.spawn('worker')).toThrow(/limit is 1 \(--workers-max\)/);
  });

  it('runs 50 at once and cleans up all of them', async () => {
    const made = manager({ workers: { min: 0, max: 50 } });
    made.want(demand(50));
    const pids = made.status().map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(50);
    await made.cleanup();
    expect(pids.filter((pid) => processStart(pid) !== undefined)).toEqual([]);
    expect(made.status()).toEqual([]);
  });

  it('ends an instance that does not say hello in time, and says so', async () => {
    const ended = vi.fn();
    manager({ spawnTimeoutMs: 100, ended }).spawn('worker');
    await vi.waitFor(() => expect(ended).toHaveBeenCalled(), 60_000);
    expect(ended.mock.calls[0]?.[2]).toBe('E_SPAWN: it did not say hello within 0.1 s (--spawn-timeout-ms)');
  });

  it('gives one that is starting all of its time again when the orchestrator itself stood still', async () => {
    const clock = new VirtualClock();
    const ended = vi.fn();
    const made = manager({ clock, ended });
    const pid = made.spawn('worker');
    await clock.advance(19_000);
    made.stalled();
    await clock.advance(19_000);
    expect(made.arrived(peerId.parse('worker-a'), pid, hostname())).toBe(true);
    expect(made.status()).toMatchObject([{ pid, state: 'ready' }]);
    made.spawn('worker');
    made.stalled();
    await clock.advance(20_001);
    await vi.waitFor(() => expect(ended.mock.calls[0]?.[2]).toContain('E_SPAWN'), 60_000);
  });

  it('claims a peer by its process, and terminates that one alone', async () => {
    const ended = vi.fn();
    const made = manager({ ended });
    const [first, second] = [made.spawn('worker'), made.spawn('worker')];
    expect(made.arrived(peerId.parse('worker-a'), first, hostname())).toBe(true);
    expect(made.arrived(peerId.parse('worker-b'), second, 'another-host')).toBe(false);
    expect(made.terminate(peerId.parse('worker-a'))).toBe(true);
    expect(made.terminate(peerId.parse('worker-z'))).toBe(false);
    await vi.waitFor(
      () => expect(ended).toHaveBeenCalledWith('worker-a', 'worker', expect.any(String)),
      60_000,
    );
    expect(made.status().map(({ pid }) => pid)).toEqual([second]);
  });

  it('kills an instance that ignores the request to stop', async () => {
    const made = manager({ stopTimeoutMs: 200 }, 'stubborn');
    const pid = made.spawn('worker');
    made.arrived(peerId.parse('worker-a'), pid, hostname());
    await made.cleanup();
    expect(processStart(pid)).toBeUndefined();
  });

  it('stops a worker that was idle for long, down to the minimum', async () => {
    const made = manager({ workers: { min: 1, max: 5 }, idleStopMs: 50 });
    const [first, second] = [made.spawn('worker'), made.spawn('worker')];
    made.arrived(peerId.parse('worker-a'), first, hostname());
    made.arrived(peerId.parse('worker-b'), second, hostname());
    made.want(demand(0, 2, ['worker-a', 'worker-b']));
    await vi.waitFor(() => expect(made.status()).toHaveLength(1), 60_000);
  });

  it('tries less often after three instances that came to nothing', async () => {
    const ended = vi.fn();
    const made = manager({ ended }, 'broken');
    for (let round = 1; round <= 3; round += 1) {
      made.want(demand(1));
      await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(round), 60_000);
    }
    made.want(demand(1));
    expect(made.status()).toEqual([]);
  });

  it('tries again by itself after a while, and says meanwhile what hinders it', async () => {
    const clock = new VirtualClock();
    const ended = vi.fn();
    const made = manager({ ended, clock }, 'broken');
    expect(made.hindrance('worker')).toBeUndefined();
    for (let round = 1; round <= 3; round += 1) {
      made.want(demand(1));
      await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(round), 60_000);
    }
    made.want(demand(1));
    expect(made.status()).toEqual([]);
    expect(made.hindrance('worker')).toBe('local workers do not start: exit code 3');
    expect(made.hindrance('reviewer')).toBeUndefined();
    await clock.advance(5_000);
    expect(made.status()).toMatchObject([{ role: 'worker', state: 'starting' }]);
    const [again] = made.status();
    made.arrived(peerId.parse('worker-a'), again?.pid ?? 0, hostname());
    expect(made.hindrance('worker')).toBeUndefined();
  });

  it('replaces what somebody else asked to end only after a while: who ends us all comes here last', async () => {
    const clock = new VirtualClock();
    const ended = vi.fn();
    const made = manager({ ended, clock });
    const pid = made.spawn('worker');
    made.arrived(peerId.parse('worker-a'), pid, hostname());
    process.kill(pid, 'SIGTERM');
    await vi.waitFor(() => expect(ended).toHaveBeenCalled(), 60_000);
    made.want(demand(1));
    expect(made.status()).toEqual([]);
    await clock.advance(5_000);
    expect(made.status()).toMatchObject([{ role: 'worker', state: 'starting' }]);
  });

  it('starts none in place of a peer of this host that says that it ends, but at once of one elsewhere', () => {
    const made = manager({ workers: { min: 0, max: 1 } });
    made.leaving(peerId.parse('worker-far'), 'another-host');
    made.want(demand(1));
    expect(made.status()).toHaveLength(1);
    const other = manager({ workers: { min: 0, max: 1 } });
    other.leaving(peerId.parse('worker-here'), hostname());
    other.want(demand(1));
    expect(other.status()).toEqual([]);
  });

  it('replaces one that it ended itself, or that was killed, at once', async () => {
    const ended = vi.fn();
    const made = manager({ ended });
    const [first, second] = [made.spawn('worker'), made.spawn('worker')];
    made.arrived(peerId.parse('worker-a'), first, hostname());
    made.arrived(peerId.parse('worker-b'), second, hostname());
    made.terminate(peerId.parse('worker-a'));
    made.leaving(peerId.parse('worker-a'), hostname());
    process.kill(second, 'SIGKILL');
    await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(2), 60_000);
    made.want(demand(1));
    expect(made.status()).toHaveLength(1);
  });

  it('says that none can be started where none may', async () => {
    const made = manager({ workers: { min: 0, max: 0 } });
    expect(made.hindrance('worker')).toContain('--workers-max 0');
    await made.cleanup();
    expect(made.hindrance('reviewer')).toContain('shutting down');
  });

  it.each([
    ['is not there', ['/no/such/program']],
    ['cannot be named', ['bad\0name']],
  ])('survives a program that %s', async (_name, argv) => {
    const ended = vi.fn();
    const made = manager({ ended, command: () => ({ argv, env: {} }) });
    for (let round = 1; round <= 3; round += 1) {
      made.want(demand(2));
      await vi.waitFor(() => expect(made.status()).toEqual([]), 60_000);
    }
    expect(made.hindrance('worker')).toContain('local workers do not start');
    await made.cleanup();
  });
});
