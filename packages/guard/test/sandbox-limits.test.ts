import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSandbox } from '@switchyard/guard';
import { openOptions, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const tiers = {
  'with control groups, where this machine has them': useSandbox(),
  'without control groups': useSandbox({ controlGroups: 'off' }),
};
const forkBomb = `python3 -c "
import os
while True:
  try: os.fork()
  except OSError: pass"`;

/** Processes of the host with this word in their command line. */
function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(word));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
  } catch {
    return ''; // it has just ended
  }
}

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
  }, 30_000);

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
  }, 60_000);

  it('limits memory, files and private folders', async () => {
    const limits = { memoryBytes: 200_000_000, fileBytes: 1_000_000, tmpBytes: 500_000 };
    const memory = await run('python3 -c "x = bytearray(400000000)" && echo GOT', { limits });
    expect(memory.output).not.toContain('GOT');
    expect((await run('head -c 2000000 /dev/zero > f; stat -c %s f', { limits })).output).toMatch(
      /1000000\n$/,
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
    expect((await run('ulimit -c')).output).toBe('0\n');
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
