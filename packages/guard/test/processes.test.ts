import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openSandbox, type ProcessRequest } from '@switchyard/guard';
import { openOptions, processesWith, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const tiers = {
  bubblewrap: useSandbox(),
  'no sandbox': useSandbox({ mode: 'off' }),
};

describe.each(Object.entries(tiers))('a process that lives on (%s)', (_, held) => {
  const start = (line: string, more: Partial<ProcessRequest> = {}) =>
    held.sandbox.start(shell(scene, line, more));

  it('answers line by line on its streams, and ends with its input', async () => {
    const agent = await start('while read -r line; do echo "<$line>"; done; echo bye >&2; exit 3');
    for (const word of ['one', 'two']) {
      agent.stdin.write(`${word}\n`);
      const [chunk] = (await once(agent.stdout, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(`<${word}>\n`);
    }
    agent.stdin.end();
    const stderr = text(agent.stderr);
    agent.stdout.resume();
    expect(await agent.ended).toMatchObject({ exitCode: 3, ended: 'exited' });
    expect(await stderr).toBe('bye\n');
  });

  it('gives all of its output to a reader who comes late', async () => {
    const agent = await start('head -c 1000000 /dev/zero | tr "\\0" x; echo end >&2');
    const [stdout, stderr, end] = await Promise.all([text(agent.stdout), text(agent.stderr), agent.ended]);
    expect([stdout.length, stderr, end.exitCode]).toEqual([1_000_000, 'end\n', 0]);
  });

  it('is killed with all it started, and says why', async () => {
    const word = `4713${process.pid}`;
    const agent = await start(`sleep ${word} & echo up; sleep ${word}`);
    await once(agent.stdout, 'data');
    agent.kill('it is no longer needed');
    agent.kill('a second reason');
    expect(await agent.ended).toMatchObject({
      exitCode: 137,
      ended: 'killed',
      reason: 'it is no longer needed',
    });
    expect(processesWith(`sleep ${word}`)).toEqual([]);
    agent.stdin.write('nobody reads this');
  });

  it('has a wall clock, a signal and a limit of output', async () => {
    expect(await (await start('sleep 30', { timeoutMs: 100 })).ended).toMatchObject({ ended: 'timed-out' });
    const stop = new AbortController();
    const aborted = await start('sleep 30', { signal: stop.signal });
    stop.abort();
    expect(await aborted.ended).toMatchObject({ ended: 'killed', reason: 'it was cancelled' });
    const flood = await start('cat /dev/zero', { limits: { outputBytes: 100_000 } });
    flood.stdout.resume();
    expect(await flood.ended).toMatchObject({
      ended: 'killed',
      reason: 'it gave more output than its limit',
    });
  });
});

describe('a process that lives on in the sandbox', () => {
  it('has the same mounts, environment and filter as a command', async () => {
    const agent = await tiers.bubblewrap.sandbox.start(
      shell(scene, `cat ${scene.outside}/secret.txt; grep Seccomp: /proc/self/status; env | sort | head -3`),
    );
    agent.stderr.resume();
    expect(await text(agent.stdout)).toBe('Seccomp:\t2\nHOME=/home/agent\nLANG=C.UTF-8\nLOGNAME=agent\n');
  });

  it('whose mounts cannot be set up says so at its end', async () => {
    const agent = await tiers.bubblewrap.sandbox.start(shell(scene, 'true', { cwd: '/nowhere' }));
    agent.stdout.resume();
    agent.stderr.resume();
    await expect(agent.ended).rejects.toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('/nowhere') as string,
    });
  });

  it('dies when the sandbox is closed', async () => {
    const sandbox = await openSandbox(openOptions());
    const agent = await sandbox.start(shell(scene, 'sleep 30'));
    await sandbox.close();
    expect((await agent.ended).ended).toBe('killed');
    await expect(sandbox.start(shell(scene, 'true'))).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
