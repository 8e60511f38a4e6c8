import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

const scenarios: Scenario[] = [];
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

interface Peer {
  readonly role: string;
  readonly pid: number;
  readonly local: boolean;
}

const plan = `version: 1
name: one
defaults: { review: { mode: never } }
tasks:
  - id: slow
    instructions: Write one file, slowly
    workspace: out
    executor: { run: ['sleep 2', 'mkdir -p out && echo 1 > out/file.txt'] }
`;

/** The process of a role that `up` itself started, once it is connected. */
function supervised(made: Scenario, role: string, not?: number): Promise<number> {
  return until(`a ${role} of its own`, async () => {
    const { stdout } = await made.cli('workers', '--json').ended;
    if (!stdout.startsWith('{')) return undefined; // no orchestrator at this moment
    const { peers } = JSON.parse(stdout) as { peers: readonly Peer[] };
    return peers.find((peer) => peer.role === role && !peer.local && peer.pid !== not)?.pid;
  });
}

describe('switchyard up', () => {
  it('starts what was killed again, in the middle of a run, and ends cleanly within 5 s', async () => {
    const made = new Scenario({ 'readme.txt': 'a repository\n', 'plan.yaml': plan });
    scenarios.push(made);
    const up = made.cli('up', '--port', '0');
    const [worker, { pid: first }] = [await supervised(made, 'worker'), await made.orchestrator()];
    const client = made.cli('run', 'plan.yaml');
    await until('a running task', () => (/goes to worker/.test(client.output()) ? true : undefined));

    process.kill(worker, 'SIGKILL');
    await supervised(made, 'worker', worker);
    process.kill(first, 'SIGKILL');
    const second = await until('another orchestrator', async () => {
      const { pid } = await made.orchestrator();
      return pid === first ? undefined : pid;
    });
    expect(second).not.toBe(first);
    // Its follower finds the new one, at whatever port that is.
    const { code, stdout, stderr } = await client.ended;
    expect(code, stdout + stderr).toBe(0);
    expect(stderr).toContain('connection lost');
    expect(up.output()).toMatch(/worker +ended \(SIGKILL\); it is started again/);
    expect(up.output()).toMatch(/orchestrator +ended \(SIGKILL\); it is started again/);

    up.child.kill('SIGINT');
    expect((await up.ended).code).toBe(130);
    expect(made.leftovers()).toEqual([]);
  });

  it('that is asked to end by `down` ends all of it, and tells those who follow a run', async () => {
    const made = new Scenario({
      'readme.txt': 'a repository\n',
      'plan.yaml': plan.replace('sleep 2', 'sleep 60'),
    });
    scenarios.push(made);
    const up = made.cli('up', '--port', '0');
    await supervised(made, 'worker');
    const client = made.cli('run', 'plan.yaml');
    await until('a running task', () => (/goes to worker/.test(client.output()) ? true : undefined));
    const down = await made.cli('down').ended;
    expect([down.code, down.stdout]).toEqual([0, 'ended; nothing is lost\n']);
    const { code, stderr } = await client.ended;
    expect([code, stderr]).toEqual([
      6,
      expect.stringMatching(/was ended; run (one-\w+) is kept.*switchyard resume \1/),
    ]);
    expect((await up.ended).code).toBe(0);
    expect(made.leftovers()).toEqual([]);
    // Nobody is there any more: the list says that the run stands still.
    expect((await made.cli('runs').ended).stdout).toMatch(/\none-\w+ +stopped +0\/1/);
  });

  it('that is killed itself leaves nothing running, in the middle of a task', async () => {
    const made = new Scenario({
      'readme.txt': 'a repository\n',
      'plan.yaml': plan.replace('sleep 2', 'sleep 600'),
    });
    scenarios.push(made);
    const up = made.cli('up', '--port', '0');
    await supervised(made, 'worker');
    expect((await made.cli('run', 'plan.yaml', '--detach').ended).code).toBe(0);
    await until('a running task', () =>
      made.leftovers().some(({ command }) => command.includes('sleep 600')) ? true : undefined,
    );
    up.child.kill('SIGKILL');
    await up.ended;
    await until('the end of all', () => (made.leftovers().length === 0 ? true : undefined), 120_000);
    // They ended in order: nobody holds the folder, and the address is taken back.
    expect(existsSync(join(made.state, 'orchestrator.json'))).toBe(false);
  });
});
