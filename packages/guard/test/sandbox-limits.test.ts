import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSandbox } from '@switchyard/guard';
import { openOptions, processesWith, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const tiers = {
  'with control groups, where this machine has them': useSandbox(),
  'without control groups': useSandbox({ controlGroups: 'off' }),
};
/** Doubles until it is held; where nothing holds it, it ends at 2,048 processes, so that the machine outlives the test. */
const forkBomb = `python3 -c "
import os, signal
doubled = 0
while doubled < 11:
  try:
    os.fork()
    doubled += 1
  except OSError: pass
signal.pause()"`;

describe.each(Object.entries(tiers))('limits %s', (_, held) => {
  const run = (line: string, more: Parameters<typeof shell>[2] = {}) =>
    held.sandbox.run(shell(scene, line, more));

  it('ends a command that hangs, with all it started', async () => {
    const word = `4711${process.pid}`;
    const result = await run(
      `trap "" TERM INT HUP; setsid sleep ${word} & (setsid nohup sleep ${word} >/dev/null 2>&1 &); sleep ${word}`,
      { timeoutMs: 400 },
    );
    expect(result).toMatchObject({ ended: 'timed-out', exitCode: 124, reason: 'it ran longer than 400 ms' });
    expect(result.durationMs).toBeLessThan(1500);
    expect(processesWith(`sleep ${word}`)).toEqual([]);
  });

  it('ends what a finished command left behind', async () => {
    const word = `4712${process.pid}`;
    await run(`setsid sleep ${word} & (setsid nohup sleep ${word} >/dev/null 2>&1 &); sleep 0.05`);
    expect(processesWith(`sleep ${word}`)).toEqual([]);
  });

  it('ends a fork bomb within seconds and says why', async () => {
    const result = await run(forkBomb, { timeoutMs: 20_000, limits: { processes: 64 } });
    expect(result).toMatchObject({ ended: 'killed', exitCode: 137 });
    expect(result.reason).toContain('limit of 64 processes');
    expect(result.durationMs).toBeLessThan(10_000);
  });

  it('kills on abort', async () => {
    const stop = new AbortController();
    const result = run('sleep 30', { signal: stop.signal, onOutput: () => undefined });
    setTimeout(() => stop.abort(), 50);
    expect(await result).toMatchObject({ ended: 'killed', reason: 'it was cancelled' });
  });

  it('keeps head and tail of 1 GB of output and counts it', async () => {
    const result = await run('echo first; head -c 1000000000 /dev/zero; echo last', {
      timeoutMs: 60_000,
      limits: { outputBytes: 100 },
    });
    expect(result).toMatchObject({ ended: 'exited', truncated: true, outputBytes: 1_000_000_011 });
    expect(result.output).toMatch(
      /^first\n[\s\S]*\[\.\.\. 999999911 bytes left out \.\.\.\]\n[\s\S]*last\n$/,
    );
  });

  it('limits memory, files and private folders', async () => {
    const limits = { memoryBytes: 200_000_000, fileBytes: 1_000_000, tmpBytes: 500_000 };
    const memory = await run('python3 -c "x = bytearray(400000000)" && echo GOT', { limits });
    expect(memory.output).not.toContain('GOT');
    const { output } = await run('head -c 2000000 /dev/zero > f; stat -c %s f', { limits });
    // A shell counts in blocks of 512 bytes.
    expect(Number(output.trim().split('\n').at(-1))).toSatisfy(
      (bytes) => bytes > 999_000 && bytes <= 1_000_000,
    );
    for (const folder of ['/tmp', '/dev/shm', '~'])
      expect(
        (
          await run(
            `head -c 900000 /dev/zero > ${folder}/f; [ $(stat -c %s ${folder}/f) -lt 900000 ] && echo HELD`,
            { limits },
          )
        ).output,
      ).toMatch(/HELD\n$/);
  });
});

const setters = {
  'by the shell': tiers['without control groups'],
  'by prlimit': useSandbox({ limitsBy: 'prlimit' }),
};

describe.each(Object.entries(setters))('limits that are set %s', (_, held) => {
  it('are what the request asks for, and cannot be raised again', async () => {
    const line = 'ulimit -f unlimited 2>/dev/null; cat /proc/self/limits';
    const limits = { processes: 33, fileBytes: 1_000_000, memoryBytes: 200_000_000 };
    const { output } = await held.sandbox.run(shell(scene, line, { limits }));
    const found = [
      ...output.matchAll(/^Max (file size|data size|core file size|processes|open files) +(\d+) +(\d+)/gm),
    ];
    expect(
      Object.fromEntries(found.map(([, name, soft, hard]) => [name, soft === hard && Number(soft)])),
    ).toEqual({
      'file size': expect.closeTo(1_000_000, -3) as number,
      'data size': expect.closeTo(200_000_000, -4) as number,
      'core file size': 0,
      processes: 33,
      'open files': 4096,
    });
  });
});

const entries = {
  'by the shell of a command': useSandbox(),
  'before the limits of prlimit': useSandbox({ limitsBy: 'prlimit' }),
  'before the sandbox exists': useSandbox({ groupEntry: 'outside' }),
};

describe.each(Object.entries(entries))('control groups that are entered %s', (_, held) => {
  it('hold the command from its first step, which has no door of theirs', async ({ skip }) => {
    if (!held.sandbox.notes.some((note) => note.includes('limited by a control group')))
      skip('this machine lets us make no control groups');
    const word = `4713${process.pid}`;
    const started = await held.sandbox.start(shell(scene, `sleep ${word} & ls -l /proc/self/fd; cat`));
    const seen = await once(started.stdout, 'data');
    const groupOfSleep = (): string[] =>
      processesWith(`sleep ${word}`)
        .filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n')
        .map((pid) => readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    await expect.poll(groupOfSleep).toHaveLength(1);
    expect(groupOfSleep()[0]).toContain(`/switchyard-${process.pid}-`);
    expect(String(seen)).not.toContain('switchyard-');
    started.kill('seen');
    await started.ended;
  });
});

describe('closing', () => {
  it('kills what runs, refuses what comes, and leaves no control group', async () => {
    const sandbox = await openSandbox(openOptions());
    const result = sandbox.run(shell(scene, 'sleep 30'));
    await sandbox.close();
    await sandbox.close();
    expect((await result).ended).toBe('killed');
    await expect(sandbox.run(shell(scene, 'true'))).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
