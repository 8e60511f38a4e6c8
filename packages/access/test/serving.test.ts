import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStateFolder, processStart, type StateFolder } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { servingOrchestrator } from '../src/serving.ts';

let folder: StateFolder;
beforeEach(
  () => (folder = openStateFolder(join(mkdtempSync(join(tmpdir(), 'switchyard-serving-')), 'state'))),
);
afterEach(() => rmSync(join(folder.root, '..'), { recursive: true, force: true }));

/** Writes the file by which an orchestrator is found. */
function announce(pid: number, draining?: boolean, looking?: boolean): void {
  const startedTicks = processStart(pid);
  const file = {
    pid,
    startedTicks,
    url: 'ws://127.0.0.1:1/hub',
    httpUrl: 'http://127.0.0.1:1',
    draining,
    looking,
  };
  writeFileSync(folder.orchestratorFile, JSON.stringify({ ...file, version: '1', startedAt: 1 }));
}

describe('the orchestrator that takes work', () => {
  it('is none, or the one that runs', async () => {
    expect(await servingOrchestrator(folder)).toBeUndefined();
    announce(process.pid);
    expect(await servingOrchestrator(folder)).toMatchObject({ pid: process.pid, draining: false });
  });

  it('is not the one that is ending: its end is waited for, however it ends', async () => {
    const ending = spawn('sleep', ['600'], { stdio: 'ignore' });
    if (ending.pid === undefined) throw new Error('it did not start');
    announce(ending.pid, true);
    const asked = servingOrchestrator(folder);
    const early = new Promise((resolve) => setTimeout(resolve, 200, 'still waiting'));
    expect(await Promise.race([asked, early])).toBe('still waiting');
    ending.kill('SIGKILL');
    expect(await asked).toBeUndefined();
  });

  it('is one that was started to look only for who looks; who works is told of the wait, and waits for its end', async () => {
    const looking = spawn('sleep', ['600'], { stdio: 'ignore' });
    if (looking.pid === undefined) throw new Error('it did not start');
    announce(looking.pid, false, true);
    expect(await servingOrchestrator(folder)).toMatchObject({ pid: looking.pid });
    const told = new Promise<string>((waiting) => {
      void servingOrchestrator(folder, { toWork: true, waiting }).then((found) =>
        waiting(`found ${found?.pid}`),
      );
    });
    expect(await told).toBe(
      `waiting for process ${looking.pid}, the orchestrator that another command has started for itself alone, to end`,
    );
    const asked = servingOrchestrator(folder, { toWork: true });
    looking.kill('SIGKILL');
    expect(await asked).toBeUndefined();
  });

  it('may be the next one, that was started meanwhile', async () => {
    announce(process.pid, true);
    const asked = servingOrchestrator(folder);
    announce(process.pid);
    expect(await asked).toMatchObject({ draining: false });
  });
});
