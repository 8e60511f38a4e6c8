import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@switchyard/protocol';
import { openStateFolder, type StateFolder } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OrchestratorPresence } from '../src/orchestrator-presence.ts';

let folder: StateFolder;
beforeEach(
  () => (folder = openStateFolder(join(mkdtempSync(join(tmpdir(), 'switchyard-presence-')), 'state'))),
);
afterEach(() => rmSync(join(folder.root, '..'), { recursive: true, force: true }));

const deadPid = 2 ** 22 + 1;

/** Writes the file by which an orchestrator is found. */
function announce(pid: number, startedTicks: number): void {
  const file = { pid, startedTicks, url: 'ws://127.0.0.1:1/hub', httpUrl: 'http://127.0.0.1:1' };
  writeFileSync(folder.orchestratorFile, JSON.stringify({ ...file, version: '1', startedAt: 1 }));
}
const ownTicks = (): number =>
  Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[19] ?? 0);

describe('an orchestrator that does not answer', () => {
  it('is gone at once when it took its file with it', async () => {
    const presence = new OrchestratorPresence(folder);
    presence.lost();
    expect(await presence.gone).toMatchObject({
      code: 'E_UNREACHABLE',
      message: 'the orchestrator was ended',
    });
  });

  it('that died is waited for, since a supervisor may start it again', async () => {
    announce(deadPid, 1);
    const patient = new OrchestratorPresence(folder, 60_000);
    const hasty = new OrchestratorPresence(folder, 0);
    patient.lost();
    hasty.lost();
    const first = await Promise.race([patient.gone.then(() => 'patient'), hasty.gone.then(() => 'hasty')]);
    patient.found();
    expect(first).toBe('hasty');
  });

  it('is told by what it died of, where that is known', async () => {
    announce(deadPid, 1);
    const cause = new AppError('E_DISK_FULL', 'make room');
    const presence = new OrchestratorPresence(folder, 0, () => cause);
    presence.lost();
    expect(await presence.gone).toBe(cause);
  });

  it('is not given up while its process is there', async () => {
    announce(process.pid, ownTicks());
    const presence = new OrchestratorPresence(folder, 0);
    presence.lost();
    const later = new Promise((resolve) => setTimeout(resolve, 700, 'there'));
    expect(await Promise.race([presence.gone, later])).toBe('there');
    presence.found();
  });
});
