import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scenario } from './harness.ts';

/** Two hosts of our own: network namespaces joined by a cable (veth), nothing else in reach. */
const suffix = `${process.pid}`;
const hosts = { here: `sy-a-${suffix}`, there: `sy-b-${suffix}` };
const addresses = { here: '10.77.0.1', there: '10.77.0.2' };
const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: 'pipe' });
};
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('an invitation to another machine', () => {
  let made: Scenario;

  beforeEach(() => {
    made = new Scenario({
      'readme.txt': 'a repository\n',
      'plan.yaml':
        'version: 1\nname: away\ndefaults: { review: { mode: never } }\ntasks:\n  - id: one\n    instructions: one\n    workspace: one\n    requires: [place:there]\n    executor: { kind: command, run: ["mkdir -p one && echo 1 > one/file"] }\n',
    });
    for (const host of Object.values(hosts)) ip('netns', 'add', host);
    const cable = { here: `sya${suffix}`.slice(0, 15), there: `syb${suffix}`.slice(0, 15) };
    ip(
      'link',
      'add',
      cable.here,
      'netns',
      hosts.here,
      'type',
      'veth',
      'peer',
      'name',
      cable.there,
      'netns',
      hosts.there,
    );
    for (const side of ['here', 'there'] as const) {
      ip('-n', hosts[side], 'addr', 'add', `${addresses[side]}/24`, 'dev', cable[side]);
      ip('-n', hosts[side], 'link', 'set', cable[side], 'up');
      ip('-n', hosts[side], 'link', 'set', 'lo', 'up');
    }
  });

  afterEach(async () => {
    await made.close();
    for (const host of Object.values(hosts)) ip('netns', 'del', host);
  });

  const inside = (host: string, command: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    made.start('ip', ['netns', 'exec', host, ...command], env);

  it('attaches a worker by the printed command, which works once', async () => {
    const cli = [process.execPath, new URL('../../apps/cli/bin/switchyard.mjs', import.meta.url).pathname];
    inside(hosts.here, [
      ...cli,
      'orchestrator',
      '--host',
      '0.0.0.0',
      '--port',
      '0',
      '--tls-hosts',
      addresses.here,
      '--workers-max',
      '0',
    ]);
    await made.orchestrator();
    const invited = await inside(hosts.here, [...cli, 'invite', '--role', 'worker']).ended;
    expect(invited.code, invited.stderr).toBe(0);
    const printed =
      /SWITCHYARD_TOKEN=(\S+) .*switchyard worker (--hub (wss:\S+) .*--fingerprint (sha256:\S+).*)$/m.exec(
        invited.stdout,
      );
    expect(printed, invited.stdout).not.toBeNull();
    const [, token = '', , url = '', fingerprint = ''] = printed ?? [];
    expect(new URL(url).hostname).toBe(addresses.here);

    // Another machine: no repository of ours, a state folder of its own, only what the invitation says.
    const elsewhere = join(made.folder, 'elsewhere');
    mkdirSync(elsewhere);
    const away = { SWITCHYARD_STATE: elsewhere, SWITCHYARD_TOKEN: token };
    const flags = ['worker', '--hub', url, '--fingerprint', fingerprint, '--labels', 'place:there'];
    const worker = inside(hosts.there, [...cli, ...flags], away);
    const client = await inside(hosts.here, [...cli, 'run', 'plan.yaml']).ended;
    expect(client.code, client.stdout + client.stderr).toBe(0);

    const again = await inside(hosts.there, [...cli, ...flags, '--name', 'worker-thief'], {
      ...away,
      SWITCHYARD_STATE: `${elsewhere}-2`,
    }).ended;
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('error E_TOKEN')]);
    const forged = [
      'worker',
      '--hub',
      url,
      '--fingerprint',
      `sha256:${'0'.repeat(64)}`,
      '--name',
      'worker-blind',
    ];
    const refused = await inside(hosts.there, [...cli, ...forged], {
      ...away,
      SWITCHYARD_STATE: `${elsewhere}-3`,
    }).ended;
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('error E_FINGERPRINT')]);

    const listed = await inside(hosts.here, [...cli, 'workers', '--json']).ended;
    const { peers } = JSON.parse(listed.stdout) as { peers: { peer: string; role: string }[] };
    const [name = ''] = peers.filter(({ role }) => role === 'worker').map(({ peer }) => peer);
    const revoked = await inside(hosts.here, [...cli, 'workers', 'revoke', name]).ended;
    expect([revoked.code, revoked.stdout]).toEqual([0, expect.stringContaining(`${name} is let in no more`)]);
    expect((await worker.ended).code).toBe(6);
    const back = await inside(hosts.there, [...cli, ...flags], away).ended;
    expect([back.code, back.stderr]).toEqual([6, expect.stringContaining('error E_TOKEN')]);
    const twice = await inside(hosts.here, [...cli, 'workers', 'revoke', name]).ended;
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('nobody was invited')]);
  });
});
