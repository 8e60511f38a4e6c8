import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { ownProcess } from '@switchyard/runtime';
import { createCertificate, type Certificate, type HubOptions } from '@switchyard/transport';
import { describe, expect, it } from 'vitest';
import { book, closers, station, type Station } from './station.ts';

const leaseMs = 1_500;
const times = {
  heartbeatIntervalMs: 100,
  unverifiableAfterMs: leaseMs,
  silentAfterMs: 2 * leaseMs,
  hungAfterMs: 3_600_000,
};

interface Scene {
  readonly place: Station;
  readonly child: ChildProcess;
  /** What the hub said of the peer, in order. */
  readonly said: string[];
  /** Stops the main loop of the peer until `letGo`. */
  readonly block: (isBusy: boolean) => void;
  readonly letGo: () => void;
}

/** A hub here, and a peer with a thread in a process of its own, whose thread is connected. */
async function scene(over: Partial<HubOptions> = {}, tls?: Certificate): Promise<Scene> {
  const said: string[] = [];
  const handler: HubOptions['handler'] = {
    connected: () => ({ fenced: [] }),
    message: () => undefined,
    liveness: (_peer, state, doubt) => said.push(doubt ?? state),
    disconnected: (_peer, reason) => said.push(reason),
  };
  let lanes = 0;
  const authenticate = (token: string | undefined, lane: 'control' | 'bulk' | 'heartbeat') => {
    if (lane === 'heartbeat') lanes += 1;
    return Promise.resolve(book().grant(token, lane));
  };
  const place = await station({ authenticate, tls }, { ...times, handler, ...over });
  const { execArgv, entry } = ownProcess(new URL('./thread-peer.ts', import.meta.url));
  const words = [
    place.listener.url,
    book().operatorToken,
    'worker-1',
    ...(tls === undefined ? [] : [tls.fingerprint]),
  ];
  const child = fork(entry, words, { execArgv: [...execArgv] });
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-thread-'));
  closers.push(async () => {
    child.kill('SIGKILL');
    await new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(0),
    );
    rmSync(folder, { recursive: true });
  });
  await until(() => lanes > 0);
  const file = join(folder, 'go');
  return {
    place,
    child,
    said,
    block: (isBusy) => void child.send({ file, isBusy }),
    letGo: () => writeFileSync(file, ''),
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await passes(20);
}

describe('a process whose heartbeats come from a thread', () => {
  it('keeps its link while its main loop works for several leases without a pause', async () => {
    const { place, said, block, letGo } = await scene();
    block(true);
    await until(() => said.length > 0);
    // Four leases: twice the time after which silence would have ended the link.
    const since = performance.now();
    await until(() => performance.now() - since > 2 * times.silentAfterMs);
    expect(said).toEqual(['held-up']);
    expect(place.hub.peers()).toHaveLength(1);
    letGo();
    await until(() => said.length > 1);
    expect(said).toEqual(['held-up', 'alive']);
  });

  it('has its thread pin the certificate, too', async () => {
    const { place, said } = await scene({}, await createCertificate(['127.0.0.1']));
    expect(place.listener.url).toMatch(/^wss:/);
    expect(said).toEqual([]);
  });

  it('loses its link when the process is stopped', async () => {
    const { place, child, said } = await scene();
    child.kill('SIGSTOP');
    await until(() => place.hub.peers().length === 0);
    expect(said.at(-1)).toBe('no heartbeat');
    expect(said).toContain('silent');
  });

  it('is told as hung when its main loop never turns again', async () => {
    const { said, block } = await scene({ hungAfterMs: 2 * leaseMs });
    block(false);
    await until(() => said.includes('hung'));
    expect(said).toEqual(['held-up', 'hung']);
  });
});
