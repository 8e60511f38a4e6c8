import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerView, type PeerView } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { switchyardWith, type HubCommand } from './hub-command.ts';
import { openStandIn, viewOf, type StandIn } from './stand-in-hub.ts';

let folder = '';
let hub: StandIn | undefined;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-cli-'))));
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  rmSync(folder, { recursive: true, force: true });
});
const switchyard = (args: readonly string[], more: Partial<HubCommand> = {}) =>
  switchyardWith(args, { folder, hub, ...more });

describe('commands on the fleet', () => {
  it('print the logs of the fleet, and follow them until ctrl-C', async () => {
    const time = new Date('2026-11-21T01:02:03.004Z').toTimeString().slice(0, 8);
    const line = (msg: string): { daemon: string; line: string } => ({
      daemon: 'worker-1',
      line: JSON.stringify({ level: 30, time: '2026-11-21T01:02:03.004Z', msg }),
    });
    hub = await openStandIn((_envelope, tell) => {
      tell('log-line', line('later') as never);
      return ['logs-got', { lines: [line('earlier')] }];
    });
    const ended = await switchyard(['logs', '-f', '--task', 'a', '--level', 'warn', '-n', '5'], {
      seen: (stdout, kill) => stdout.includes('later') && kill('SIGINT'),
    });
    expect(ended.stdout).toBe(
      `${time}.004 info  worker-1      earlier\n${time}.004 info  worker-1      later\n`,
    );
    expect(hub.asked[0]).toMatchObject({
      type: 'logs-get',
      payload: { filter: { taskId: 'a', level: 'warn' }, tail: 5, follow: true },
    });
  });

  it('say so where no line is meant', async () => {
    hub = await openStandIn(() => ['logs-got', { lines: [] }]);
    const { code, stdout, stderr } = await switchyard(['logs', '--task', 'nope', '--level', 'warn']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^no lines for --task nope --level warn; `switchyard runs`/);
  });

  it('take the beginning of a run for its logs, and the name of a session as it is', async () => {
    hub = await openStandIn(({ type }) =>
      type === 'run-list' ? ['run-listed', { runs: [viewOf()] }] : ['logs-got', { lines: [] }],
    );
    const filters = () => hub?.asked.flatMap(({ type, payload }) => (type === 'logs-get' ? [payload] : []));
    await switchyard(['logs', '--run', 'demo']);
    await switchyard(['logs', '--run', 'session-1']);
    expect(filters()).toMatchObject([{ filter: { run: 'demo-abcdef' } }, { filter: { run: 'session-1' } }]);
    expect(await switchyard(['logs', '--run', 'dmo'])).toMatchObject({
      stderr: expect.stringContaining('did you mean demo-abcdef?') as string,
    });
  });

  it('invite with a command that holds no token where others can read it', async () => {
    hub = await openStandIn(() => [
      'invited',
      { url: 'wss://far:7420/hub', fingerprint: 'sha256:ab', token: 'once', expiresAt: 1_800_000_000_000 },
    ]);
    const ended = await switchyard(['invite', '--role', 'reviewer']);
    expect(ended.stdout).toBe(
      'SWITCHYARD_TOKEN=once switchyard reviewer --hub wss://far:7420/hub --fingerprint sha256:ab\n',
    );
    expect(hub.asked[0]).toMatchObject({ type: 'invite', payload: { role: 'reviewer' } });
  });

  it('list who is alive, unverifiable and dead, for how long, and why', async () => {
    const said = { version: '0.1.0', labels: ['os:linux'], slots: 2, busy: 0, local: false, since: 1 };
    const peer = (name: string, more: Partial<PeerView>): PeerView =>
      peerView.parse({
        ...{ peer: name, role: 'worker', host: 'far', pid: 7, state: more.liveness, ...said, ...more },
        livenessSince: Date.now() - 61_000,
      });
    const peers = [
      peer('worker-1', { liveness: 'alive', state: 'idle' }),
      peer('worker-2', { liveness: 'unverifiable', reason: 'it is silent' }),
      peer('worker-3', { liveness: 'dead', reason: 'no contact for 30 s', role: 'reviewer' }),
    ];
    hub = await openStandIn(() => ['fleet-got', { hub: 'h', url: 'ws://h', version: '0.1.0', peers }]);
    const { stdout } = await switchyard(['workers']);
    const rows = stdout.split('\n').map((line) => line.replace(/1m0\ds/, '1m0xs').split(/ {2,}/));
    expect(rows.slice(2, 5)).toEqual([
      ['worker-1', 'worker', 'alive', '1m0xs', 'idle', '0/2', '7 on far', 'os:linux'],
      ['worker-2', 'worker', 'unverifiable', '1m0xs', '0/2', '7 on far', 'it is silent'],
      ['worker-3', 'reviewer', 'dead', '1m0xs', '0/2', '7 on far', 'no contact for 30 s'],
    ]);
    expect(JSON.parse((await switchyard(['workers', '--json'])).stdout)).toMatchObject({ peers });
  });

  it('with a wrong token end with 6', async () => {
    hub = await openStandIn(() => ['done', {}]);
    expect(await switchyard(['workers'], { token: 'wrong' })).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('error E_TOKEN') as string,
    });
  });
});
