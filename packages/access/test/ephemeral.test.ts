import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStateFolder, processStart } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEphemeral, type EphemeralStart } from '../src/ephemeral.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-ephemeral-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a small program as the orchestrator; `announce(pid)` in it writes the state file. */
function start(text: string): Promise<EphemeralStart> {
  const state = openStateFolder(join(folder, 'state'));
  const head = `
    const fs = require('fs');
    const announce = (pid) => {
      const ticks = Number(fs.readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')[19]);
      const file = { pid, startedTicks: ticks, url: 'ws://127.0.0.1:1/hub', httpUrl: 'http://127.0.0.1:1', version: '1', startedAt: 1 };
      fs.writeFileSync(${JSON.stringify(state.orchestratorFile)}, JSON.stringify(file));
    };`;
  return startEphemeral({ workTree: folder, folder: state }, [], {
    env: { PATH: process.env['PATH'] },
    command: (flags) => ({ program: process.execPath, args: ['-e', head + text, '--', ...flags] }),
  });
}

describe('an orchestrator for one command', () => {
  it('is there when it has told its address, and leaves nothing behind', async () => {
    const started = await start(
      `announce(process.pid); require('child_process').spawn('sleep', ['600']); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`,
    );
    if (started.kind !== 'started') throw new Error('another one');
    const { pid } = started.orchestrator.file;
    expect(processStart(pid)).toBeDefined();
    started.orchestrator.kill();
    await started.orchestrator.ended();
    await vi.waitFor(() => expect(processStart(pid)).toBeUndefined(), { timeout: 60_000 });
  });

  it('that dies at its start hands on its own words and code', async () => {
    const dying = start(
      `process.stderr.write('error E_SANDBOX_UNAVAILABLE: install bubblewrap\\n'); process.exit(4)`,
    );
    await expect(dying).rejects.toMatchObject({
      code: 'E_SANDBOX_UNAVAILABLE',
      message: 'install bubblewrap',
      exitCode: 4,
    });
  });

  it('that dies without words is told with the end of what it printed', async () => {
    await expect(start(`console.error('boom'); process.exit(9)`)).rejects.toMatchObject({
      code: 'E_SPAWN',
      message: 'the orchestrator ended at its start (exit code 9): boom',
    });
  });

  it('that dies while it works tells what of', async () => {
    const started = await start(
      `announce(process.pid); setTimeout(() => { process.stderr.write('error E_DISK_FULL: make room\\n'); process.exit(8); }, 200)`,
    );
    if (started.kind !== 'started') throw new Error('another one');
    expect(started.orchestrator.death()).toBeUndefined();
    await started.orchestrator.ended();
    expect(started.orchestrator.death()).toMatchObject({ code: 'E_DISK_FULL', message: 'make room' });
  });

  it('that dies without a word on a full disk is told as that', async (context) => {
    const disk = join(folder, 'state');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk]);
    if (mounted.status !== 0) context.skip('no small disk can be mounted here');
    try {
      const file = JSON.stringify(join(disk, 'fill'));
      const dying = start(
        `try { for (;;) fs.appendFileSync(${file}, Buffer.alloc(4096)); } catch { process.exit(8); }`,
      );
      await expect(dying).rejects.toMatchObject({ code: 'E_DISK_FULL', exitCode: 8 });
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('gives way to one that somebody else started at the same time', async () => {
    const started = await start(`announce(process.ppid); process.exit(7)`);
    expect(started).toMatchObject({ kind: 'other', file: { pid: process.pid } });
  });

  it('gives way to one that has the lock and tells its address only later', async () => {
    const started = await start(`
      const script = 'const fs = require("fs"); const announce = ' + announce +
        '; setTimeout(() => announce(process.pid), 300); setTimeout(() => {}, 60_000);';
      const other = require('child_process').spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' });
      other.unref();
      process.stderr.write('error E_STATE_LOCKED: process ' + other.pid + ' has it\\n', () => process.exit(7));`);
    if (started.kind !== 'other') throw new Error('it is our own');
    expect(processStart(started.file.pid)).toBeDefined();
    process.kill(started.file.pid, 'SIGKILL');
  });
});
