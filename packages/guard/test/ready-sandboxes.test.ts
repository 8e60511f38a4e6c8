/** Sandboxes that wait for their command: a row of commands gets them, and no command can tell the difference. */
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openSandbox, type Sandbox, type SandboxRequest } from '@switchyard/guard';
import { systemClock, type Clock } from '@switchyard/runtime';
import { isGone } from '../src/process-count.ts';
import { openOptions, processesWith, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
/** What is to be called when a sandbox has waited long enough. */
const expiries = new Set<() => void>();
const clock: Clock = {
  ...systemClock,
  after: (delayMs, callback) => {
    if (delayMs !== 5_000) return systemClock.after(delayMs, callback);
    expiries.add(callback);
    return () => expiries.delete(callback);
  },
};
const prepared = useSandbox({ clock });
const unprepared = useSandbox({ ahead: 'off' });

afterEach(async () => {
  await until(() => {
    expire();
    return allReady().length === 0;
  });
});

function expire(): void {
  for (const callback of expiries) callback();
}

const ws = (name: string): string => join(scene.workspace, name);
const run = async (line: string, more: Partial<SandboxRequest> = {}): Promise<string> =>
  (await prepared.sandbox.run(asked(line, more))).output;
/** A command of which there are many. */
const asked = (line: string, more: Partial<SandboxRequest> = {}): SandboxRequest =>
  shell(scene, line, { isOneOfMany: true, ...more });

/** Namespaces of the sandboxes that wait in this workspace. */
const waiting = (): string[] => processesWith('sh -s').filter(isShell).flatMap(namespaceHere);
/** And of those that are on their way to it. */
const allReady = (): string[] => processesWith('echo ready').flatMap(namespaceHere);

/** And no program that is about to start one. */
function isShell(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sh\0-s\0';
  } catch {
    return false; // it has ended
  }
}

function namespaceHere(pid: string): string[] {
  try {
    const isHere = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(scene.workspace);
    return isHere ? [readlinkSync(`/proc/${pid}/ns/pid`)] : [];
  } catch {
    return []; // it has ended
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (holds()) return;
    await pause(10);
  }
  throw new Error('it did not come to that in five seconds');
}

const itself = 'readlink /proc/self/ns/pid';

/** Two commands make a row; the answer is the namespace of what waits for the third. */
async function aRow(more: Partial<SandboxRequest> = {}): Promise<string> {
  await run('true', more);
  await run('true', more);
  await until(() => waiting().length > 0);
  const [namespace = ''] = waiting();
  return namespace;
}

describe('a row of commands', () => {
  it('finds a sandbox set up from the third on, a new one each time', async () => {
    await run('true');
    await pause(200);
    expect(waiting()).toEqual([]);
    const third = await aRow();
    expect(await run(itself)).toBe(`${third}\n`);
    await until(() => waiting().length > 0 && waiting()[0] !== third);
    const [fourth = ''] = waiting();
    expect(await run(itself)).toBe(`${fourth}\n`);
  });

  it('is no row where a sandbox has waited too long: it ends, and another is made', async () => {
    await aRow();
    expire();
    await until(() => waiting().length === 0);
    expect(await run('echo here')).toBe('here\n');
    await until(() => waiting().length > 0);
  });

  it('shares nothing: neither files, nor variables, nor processes', async () => {
    const dirt =
      'echo x > /tmp/left; echo x > ~/left; echo x > /dev/shm/left; (setsid sleep 600 >/dev/null 2>&1 &); export LEFT=x; umask 077';
    await run(dirt, { env: { GIVEN: 'first' } });
    await run(dirt, { env: { GIVEN: 'second' } });
    const third = await aRow({ env: { GIVEN: 'second' } });
    const look = `${itself}; ls ~ /dev/shm; ls /tmp/left; env | grep -c -e LEFT -e GIVEN; umask; ps -e | grep -c sleep`;
    expect(await run(look)).toBe(
      `${third}\n/dev/shm:\n\n/home/agent:\nls: cannot access '/tmp/left': No such file or directory\n0\n0022\n0\n`,
    );
  });

  it('gives each of two commands at once a sandbox of its own', async () => {
    await aRow();
    // Each waits for the other: numbers of namespaces that are gone are given again.
    const line = (name: string): string =>
      `${itself}; touch ${name}; until [ -e one ] && [ -e two ]; do sleep 0.05; done`;
    const both = await Promise.all([run(line('one')), run(line('two'))]);
    expect(new Set(both).size).toBe(2);
  });

  it('is not looked ahead of while a command runs that could plant a link where mounts are made', async () => {
    const nested = { mounts: shell(scene, '').mounts.concat({ kind: 'scratch', target: ws('inside') }) };
    await run('true', nested);
    await run('true', nested);
    const other = run('sleep 0.5');
    await pause(300);
    const follows = prepared.sandbox.notes.some((note) => note.includes('CVE-2026-87766'));
    expect(allReady().length > 0).toBe(!follows);
    await other;
  });

  it('is none where nobody says that more commands come', async () => {
    for (let turn = 0; turn < 3; turn += 1) await run('true', { isOneOfMany: false });
    await pause(200);
    await until(() => allReady().length === 0);
  });

  it('ends when its folder is forgotten, whether one waits, is set up or is only wanted', async () => {
    for (const moment of [async () => undefined, () => pause(1), () => until(() => waiting().length > 0)]) {
      for (let turn = 0; turn < 3; turn += 1) await run('true');
      await moment();
      await prepared.sandbox.forget(scene.workspace);
      await until(() => allReady().length === 0);
    }
    await pause(200);
    await until(() => allReady().length === 0);
  });

  it('makes nothing in the tree behind the answer', async () => {
    const mounts = asked('').mounts.concat({ kind: 'scratch', target: ws('in/side') });
    await run('true', { mounts });
    await run('true', { mounts });
    // The row goes on, and what its mounts need is gone.
    await run('true', { mounts });
    rmSync(ws('in'), { recursive: true });
    await pause(300);
    expect(readdirSync(scene.workspace)).toEqual([]);
  });

  it('ends with the sandbox: nothing waits on', async () => {
    const sandbox = await openSandbox(openOptions());
    for (let turn = 0; turn < 3; turn += 1) await sandbox.run(asked('true'));
    await pause(1); // it is being set up now
    await sandbox.close();
    await until(() => allReady().length === 0);
  });

  it('goes on where somebody kills what waits', async () => {
    await aRow();
    const killed = processesWith('echo ready').filter((pid) => namespaceHere(pid).length > 0);
    for (const pid of killed) process.kill(Number(pid), 'SIGKILL');
    // A process that ends has lost its words before its mounts.
    await until(() => killed.every((pid) => isGone(Number(pid))));
    expect(await run('echo here')).toBe('here\n');
  });

  it('is killed at its time as any other', async () => {
    const third = await aRow();
    const line = `${itself}; trap "" TERM; setsid sleep 601 & sleep 601`;
    const { ended, output } = await prepared.sandbox.run(shell(scene, line, { timeoutMs: 300 }));
    expect({ ended, output }).toEqual({ ended: 'timed-out', output: `${third}\n` });
    expect(processesWith('sleep 601')).toEqual([]);
  });
});

describe('a command that is announced', () => {
  it('finds its sandbox set up, also the first', async () => {
    const { argv: _, env: __, ...announced } = shell(scene, '');
    prepared.sandbox.prepare(announced);
    prepared.sandbox.prepare(announced);
    await until(() => waiting().length > 0);
    const [namespace = '', ...more] = waiting();
    expect(more).toEqual([]);
    expect(await run(itself, { env: { ANY: 'x' } })).toBe(`${namespace}\n`);
  });

  it('waits for one that is on its way', async () => {
    prepared.sandbox.prepare(shell(scene, ''));
    expect(await run('sleep 0.1; echo "$0"')).toBe('/bin/sh\n');
    await until(() => allReady().length === 0);
  });

  it('is none where its mounts are not there: the command itself says so', async () => {
    const mounts: SandboxRequest['mounts'] = [{ kind: 'write', source: ws('nowhere') }];
    prepared.sandbox.prepare(shell(scene, '', { mounts }));
    await expect(run('true', { mounts })).rejects.toMatchObject({ code: 'E_SANDBOX' });
  });

  it('leaves nothing that waits when it never comes, nor when the sandbox is closed at once', async () => {
    const sandbox = await openSandbox(openOptions());
    sandbox.prepare(shell(scene, ''));
    await sandbox.close();
    await until(() => allReady().length === 0);
    sandbox.prepare(shell(scene, ''));
    await until(() => allReady().length === 0);
    prepared.sandbox.prepare(shell(scene, ''));
    await until(() => waiting().length > 0);
    expire();
    await until(() => allReady().length === 0);
  });
});

describe('a sandbox is taken only by a command that would get the very same', () => {
  const held = (): Partial<SandboxRequest> => ({
    mounts: [
      { kind: 'write', source: scene.workspace },
      { kind: 'read', source: ws('kept') },
    ],
  });

  it('not with other limits, other mounts, or a way out', async () => {
    const waits = await aRow();
    const others: Partial<SandboxRequest>[] = [
      { limits: { processes: 100 } },
      { limits: { tmpBytes: 1024 * 1024 } },
      { mounts: [{ kind: 'write', source: scene.workspace }] },
      { network: { allow: ['example.org'] } },
      { stdin: Buffer.from('x') },
      { cwd: '/' },
    ];
    for (const other of others) expect(await run(itself, other)).not.toBe(`${waits}\n`);
    expect(await run(itself)).toBe(`${waits}\n`);
  });

  it('not when a folder was made anew', async () => {
    await aRow();
    rmSync(scene.workspace, { recursive: true });
    mkdirSync(scene.workspace);
    writeFileSync(ws('new'), 'here');
    expect(await run('cat new')).toBe('here');
  });

  it('not when a mount went away with a name, though the same file stands there again', async () => {
    writeFileSync(ws('kept'), 'kept');
    await aRow(held());
    linkSync(ws('kept'), ws('other'));
    rmSync(ws('kept'));
    renameSync(ws('other'), ws('kept'));
    expect(await run('echo x > kept', held())).toContain('Read-only file system');
    expect(readFileSync(ws('kept'), 'utf8')).toBe('kept');
  });

  it('nor when one went away while it was set up', async () => {
    writeFileSync(ws('kept'), 'kept');
    await run('true', held());
    await run('true', held());
    await until(() => allReady().length > 0);
    linkSync(ws('kept'), ws('other'));
    rmSync(ws('kept'));
    renameSync(ws('other'), ws('kept'));
    expect(await run('echo x > kept', held())).toContain('Read-only file system');
  });

  it('nor one with a variable that a shell keeps for itself or cannot name', async () => {
    const waits = await aRow();
    const env = { IFS: 'x', 'a-b': '1', PPID: '7', PWD: '/nowhere', 'x.y()': '2' };
    for (const [name, value] of Object.entries(env))
      expect(await run(itself, { env: { [name]: value } })).not.toBe(`${waits}\n`);
  });
});

describe('a command cannot tell', () => {
  const facts = [
    'cat /proc/self/limits',
    'grep -e ^Cap -e ^NoNew -e ^Seccomp -e ^Sig -e ^Groups /proc/self/status',
    "sed 's/^[0-9]* [0-9]* [0-9:]*//; s/ master:[0-9]*//; s/switchyard-[^/]*//' /proc/self/mountinfo | sort",
    'env | sort',
    'pwd; id; umask; tty; hostname; echo $0 $# $-',
    'ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; ls -A /tmp ~ /dev; ls -l /etc',
    'ps -eo ppid,sid,pgid,args | wc -l; cat /proc/self/oom_score_adj',
  ].join('; ');

  it('by anything that it sees', async () => {
    const fresh = await unprepared.sandbox.run(shell(scene, facts));
    await aRow();
    expect(await run(facts)).toBe(fresh.output);
  });

  it('by how many processes it may have', async () => {
    const limits = { processes: 12 };
    // They are all there at once, however slow the machine is, and nobody waits for them.
    const each = 'sleep 600 >/dev/null 2>&1 & i=$((i + 1))';
    const line = `i=0; while [ $i -lt 30 ]; do ${each}; done 2>&1 | grep -ic fork; true`;
    const fresh = await unprepared.sandbox.run(shell(scene, line, { limits }));
    await aRow({ limits });
    const told = await run(line, { limits });
    expect(Number(told) > 0).toBe(Number(fresh.output) > 0);
  });

  it.each([
    ['a program that is not there', ['no-such-program', 'a']],
    ['a file that is no program', ['/etc/passwd']],
    ['a folder', ['/tmp']],
    ['a line with arguments', ['sh', '-c', 'echo "$0" "$@"', 'zero', 'one two', '']],
    ['a signal', ['sh', '-c', 'kill -TERM $$']],
  ])('%s', async (_what, argv) => {
    const command = asked('', { argv });
    const { durationMs: _, ...fresh } = await unprepared.sandbox.run(command);
    await aRow();
    const { durationMs: __, ...told } = await prepared.sandbox.run(command);
    expect(told).toEqual(fresh);
  });

  it('a line that is none, though a shell may say where it stands', async () => {
    const command = asked('echo (');
    const fresh = await unprepared.sandbox.run(command);
    await aRow();
    const told = await prepared.sandbox.run(command);
    expect(told.exitCode).toBe(fresh.exitCode);
    for (const { output } of [fresh, told]) expect(output).toMatch(/syntax error/i);
  });

  it('whatever its words and its variables are', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0'));
    const odd = fc.oneof(text, fc.constantFrom("'", '\\', '$(id)', '`id`', '\n', '\r', '!', '~', '\x81\x88'));
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{3,9}$/).map((rest) => `V${rest}`);
    await aRow();
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { maxLength: 4 }), fc.dictionary(name, odd), async (words, env) => {
        const argv = ['sh', '-c', 'printf "%s|" "$@"; env -0 | sort -z', 'sh', ...words];
        const request = asked('', { argv, env, separateStreams: true });
        const fresh = await unprepared.sandbox.run(request);
        await until(() => waiting().length > 0);
        const told = await prepared.sandbox.run(request);
        expect(told.stdout).toEqual(fresh.stdout);
        expect(told.stderr).toEqual(fresh.stderr);
      }),
      { numRuns: 20 },
    );
  });

  it('nor by a long line', async () => {
    await aRow();
    const env = { LONG: 'ä'.repeat(10_000) };
    expect((await run(`echo "$LONG"${'x'.repeat(10_000)}`, { env })).length).toBe(20_001);
  });

  it('nor by one that is too long for the system', async () => {
    const line = `echo ${'x'.repeat(200_000)}`;
    const refused = (sandbox: Sandbox): Promise<unknown> =>
      sandbox.run(asked(line)).catch((error: unknown) => String(error));
    await aRow();
    expect(await refused(prepared.sandbox)).toEqual(await refused(unprepared.sandbox));
  });
});

it('says nothing of what it waits for in the list of processes', async () => {
  await aRow();
  const env = { SECRET: 'said-to-nobody' };
  const ended = run('sleep 0.3', { env });
  await pause(100);
  expect(processesWith('said-to-nobody')).toEqual([]);
  await ended;
  expect(readdirSync(scene.workspace)).toEqual([]);
});
