import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isGone } from '../src/process-count.ts';
import { shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const held = useSandbox({ mode: 'off' });
const run = (line: string, more: Parameters<typeof shell>[2] = {}) =>
  held.sandbox.run(shell(scene, line, more));

describe('with the sandbox turned off in words', () => {
  it('says so', () => {
    expect(held.sandbox.tier).toBe('none');
    expect(held.sandbox.notes.join()).toContain('without a sandbox');
  });

  it('runs in the clean environment', async () => {
    const { output, exitCode } = await run('env; pwd', { env: { GIVEN: '1' } });
    expect(exitCode).toBe(0);
    expect(output).toContain('GIVEN=1');
    expect(output).toMatch(/^HOME=\S+switchyard-home-/m);
    expect(output).not.toContain('VITEST');
  });

  it('keeps the wall clock, and answers though a child in its own session holds the pipe', async () => {
    const result = await run('sleep 30', { timeoutMs: 200 });
    expect(result).toMatchObject({ ended: 'timed-out', exitCode: 124 });
    const left = await run('setsid env -i /bin/sleep 2 & echo done');
    expect(left).toMatchObject({ ended: 'exited', output: 'done\n' });
    expect(left.durationMs).toBeLessThan(1500);
  });

  it('ends what a command left behind in a session of its own', async () => {
    const { output } = await run('setsid sh -c "setsid sleep 60 & echo \\$!; exec sleep 60" & sleep 0.3');
    expect(isGone(Number(output))).toBe(true);
  });

  it('gives each command a home of its own, which goes with it', async () => {
    const { output } = await run(
      'echo "[alias]" > ~/.gitconfig; mkdir ~/closed; chmod 0 ~/closed; echo "$HOME"',
    );
    const next = await run('ls -A ~; echo "$HOME"');
    expect(next.output).toMatch(/^\S+switchyard-home-\S+\n$/);
    expect(next.output).not.toBe(output);
    expect(existsSync(output.trim())).toBe(false);
  });

  it('stands a link in for a mount at another place, while the command runs', async () => {
    const layer = join(scene.base, 'layer');
    mkdirSync(layer);
    writeFileSync(join(layer, 'dep'), 'DEP');
    const target = join(scene.workspace, 'node_modules');
    const mounts = [{ kind: 'read' as const, source: layer, target }];
    expect((await run('cat node_modules/dep', { mounts })).output).toBe('DEP');
    expect(existsSync(target)).toBe(false);
  });

  it('names a program that is not there', async () => {
    await expect(run('', { argv: ['no-such-program'] })).rejects.toMatchObject({ code: 'E_SPAWN' });
  });
});
