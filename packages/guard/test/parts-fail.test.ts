import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openSandbox, type SandboxProcess } from '@switchyard/guard';
import { VirtualClock } from '@switchyard/testkit';
import { openOptions, processesWith, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const held = useSandbox();

/** Processes of the host that are children of this one, by what they are called. */
function childrenOf(pid: number): { pid: number; name: string }[] {
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return found.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
      return parent === pid
        ? [{ pid: Number(name), name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) }]
        : [];
    } catch {
      return []; // it has just ended
    }
  });
}

/** The outer bwrap of a process that was just started, and the first process of its pid namespace. */
function bwrapsOf(known: ReadonlySet<number>): { outer: number; inner: number } {
  const outer = childrenOf(process.pid).find(({ pid, name }) => name === 'bwrap' && !known.has(pid));
  const inner = childrenOf(outer?.pid ?? 0)[0];
  if (outer === undefined || inner === undefined) throw new Error('no bwrap of ours runs');
  return { outer: outer.pid, inner: inner.pid };
}

async function started(word: string): Promise<{ agent: SandboxProcess; outer: number; inner: number }> {
  const known = new Set(childrenOf(process.pid).map(({ pid }) => pid));
  const line = `trap "" TERM HUP; setsid sleep ${word} & (setsid sleep ${word} &); echo up; sleep ${word}`;
  const agent = await held.sandbox.start(shell(scene, line, { timeoutMs: 60_000 }));
  await once(agent.stdout, 'data');
  return { agent, ...bwrapsOf(known) };
}

describe('a part of a running sandbox that is killed from outside ends the command, and nothing survives', () => {
  it('bwrap itself', async () => {
    const word = `4721${process.pid}`;
    const { agent, outer } = await started(word);
    process.kill(outer, 'SIGKILL');
    await expect(agent.ended).rejects.toMatchObject({
      code: 'E_SANDBOX',
      message: 'The sandbox was ended from outside (signal SIGKILL)',
    });
    expect(processesWith(`sleep ${word}`)).toEqual([]);
  });

  it('the first process of its namespace, which collects the dead', async () => {
    const word = `4722${process.pid}`;
    const { agent, inner } = await started(word);
    process.kill(inner, 'SIGKILL');
    const end = await agent.ended.catch((error: unknown) => error);
    expect(end).not.toMatchObject({ exitCode: 0 });
    expect(processesWith(`sleep ${word}`)).toEqual([]);
  });

  it('bwrap that is stopped: the wall clock still ends it', async () => {
    const word = `4723${process.pid}`;
    const known = new Set(childrenOf(process.pid).map(({ pid }) => pid));
    const stop = new AbortController();
    const agent = await held.sandbox.start(
      shell(scene, `echo up; sleep ${word}`, { signal: stop.signal, timeoutMs: 60_000 }),
    );
    await once(agent.stdout, 'data');
    const { outer, inner } = bwrapsOf(known);
    for (const pid of [inner, outer]) process.kill(pid, 'SIGSTOP');
    stop.abort();
    expect(await agent.ended).toMatchObject({ ended: 'killed', exitCode: 137 });
    expect(processesWith(`sleep ${word}`)).toEqual([]);
  });
});

it('the wall clock kills at once, before any grace', async () => {
  const clock = new VirtualClock();
  const sandbox = await openSandbox(openOptions({ clock }));
  try {
    const word = `4724${process.pid}`;
    const agent = await sandbox.start(shell(scene, `echo up; sleep ${word}`, { timeoutMs: 1000 }));
    await once(agent.stdout, 'data');
    await clock.advance(1000);
    // Time stands still from here on: whatever waits for more of it never ends.
    expect(await agent.ended).toMatchObject({ ended: 'timed-out', exitCode: 124 });
    expect(processesWith(`sleep ${word}`)).toEqual([]);
  } finally {
    await sandbox.close();
  }
});

describe('what a command needs of the machine and does not get is a refusal, and nothing runs', () => {
  const touched = (): boolean => existsSync(join(scene.workspace, 'ran'));
  const request = (more: Parameters<typeof shell>[2] = {}) => shell(scene, 'echo ran > ran', more);

  it('its control group', async ({ skip }) => {
    const agent = await held.sandbox.start(shell(scene, 'cat'));
    const groups = controlGroupsOfThisProcess();
    agent.stdin.end();
    await agent.ended;
    const [group = ''] = groups;
    if (group === '') skip('this machine lets us make no control groups');
    const [, before = '', count = ''] = /^(.*-)(\d+)$/.exec(group) ?? [];
    // The next one is there already, and somebody else's.
    const taken = `${before}${Number(count) + 1}`;
    mkdirSync(taken);
    try {
      await expect(held.sandbox.run(request())).rejects.toMatchObject({
        code: 'E_SANDBOX',
        message: expect.stringContaining('control group of a command cannot be made') as string,
      });
      expect(touched()).toBe(false);
    } finally {
      rmdirSync(taken);
    }
    await expect.poll(controlGroupsOfThisProcess).toEqual([]);
    expect(await held.sandbox.run(request())).toMatchObject({ exitCode: 0 });
  });

  it('a temporary folder, for the sandbox and for a way to the network', async () => {
    const own = process.env['TMPDIR'];
    process.env['TMPDIR'] = join(scene.base, 'gone');
    try {
      await expect(openSandbox(openOptions())).rejects.toMatchObject({
        code: 'E_SANDBOX_UNAVAILABLE',
        message: expect.stringMatching(/Commands cannot be isolated: ENOENT/) as string,
      });
      await expect(held.sandbox.run(request({ network: { allow: ['example.org'] } }))).rejects.toMatchObject({
        code: 'E_SANDBOX',
        message: expect.stringMatching(/way to the network cannot be opened: ENOENT/) as string,
      });
      expect(touched()).toBe(false);
    } finally {
      if (own === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = own;
    }
  });
});

it('a process without descriptors for its work is told so by each snapshot and each command, and lives on', () => {
  const program = fileURLToPath(new URL('few-descriptors.ts', import.meta.url));
  const line = 'ulimit -n 300; exec "$0" --import tsx "$1"';
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line, process.execPath, program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 300_000,
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: '["E_IO","E_SANDBOX","done"]\n',
    stderr: '',
  });
});

it('a way to the network that is killed leads nowhere, and the command goes on', async () => {
  const script = `
import os, signal, socket
def reach():
    try: socket.create_connection(('127.0.0.1', 3128), 5); return 'open'
    except OSError as error: return error.strerror
print(reach())
for pid in filter(str.isdigit, os.listdir('/proc')):
    words = open(f'/proc/{pid}/cmdline').read()
    if 'forward.cjs' in words and 'python' not in words and int(pid) > 2: os.kill(int(pid), signal.SIGKILL); os.system('sleep 0.1')
print(reach())
try: socket.create_connection(('1.1.1.1', 443), 5); print('FREE')
except OSError: print('held')
`;
  const argv = ['python3', '-c', script];
  const { output } = await held.sandbox.run(shell(scene, '', { argv, network: { allow: ['example.org'] } }));
  expect(output.trimEnd().split('\n')).toEqual(['open', 'Connection refused', 'held']);
});

/** The folders of the groups of this process that exist now, in the tree that limits processes. */
function controlGroupsOfThisProcess(): string[] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n').filter(Boolean);
  const places = lines.flatMap((line) => {
    const [, names = '', path = '/'] = line.split(':');
    return names === '' || names === 'pids' ? [join('/sys/fs/cgroup', names, path)] : [];
  });
  const above = places.flatMap((place) => [place, dirname(place)]).filter(existsSync);
  return [...new Set(above)].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`switchyard-${process.pid}-`))
      .map((name) => join(folder, name)),
  );
}
