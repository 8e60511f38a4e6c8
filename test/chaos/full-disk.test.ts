import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '@switchyard/protocol';
import { repositoryStateRoot } from '@switchyard/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { until, type Scenario } from '../scenarios/harness.ts';
import { chaosPlan } from './chaos-plan.ts';
import { Fleet } from './fleet.ts';
import { leftBehind } from './left-behind.ts';
import { judgeRun, readEvidence, reportFile } from './run-evidence.ts';

const waitMs = 10 * 60_000;
const mounted: string[] = [];
const fleets: Fleet[] = [];
afterEach(async () => {
  await Promise.all(fleets.map((fleet) => fleet.scenario.end()));
  // Lazily: this process itself may still map the journal that it has read as evidence.
  for (const place of mounted.splice(0)) execFileSync('umount', ['-l', place]);
  await Promise.all(fleets.splice(0).map((fleet) => fleet.scenario.close()));
});

/** Whether this user may mount a small disk; elsewhere the full disk is tried in packages/store with a limit. */
function mayMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'sy-mount-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', place]).status === 0;
  if (isMounted) execFileSync('umount', [place]);
  rmdirSync(place);
  return isMounted;
}

/** The state folder is a small disk of its own; what the peers and the logs write lies elsewhere. */
function smallDisk(scenario: Scenario): void {
  const state = repositoryStateRoot(scenario.stateRoot, join(scenario.repository, '.git'));
  mkdirSync(state, { recursive: true, mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'none', state]);
  mounted.push(state);
  for (const name of ['peers', 'logs']) {
    mkdirSync(join(scenario.folder, name));
    symlinkSync(join(scenario.folder, name), join(state, name));
  }
}

/** Writes until there is no room for one more byte. */
function fill(file: string): void {
  const fd = openSync(file, 'w');
  for (let bytes = 1024 * 1024; bytes > 0;) {
    try {
      if (writeSync(fd, Buffer.alloc(bytes)) < bytes) bytes = Math.floor(bytes / 2);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      bytes = Math.floor(bytes / 2);
    }
  }
  closeSync(fd);
}

describe('a disk that fills up in the middle of a run', () => {
  it.skipIf(!mayMount())(
    'ends the orchestrator with a clear word; emptied again, the run goes on and nothing is lost or done twice',
    async () => {
      const fleet = await Fleet.start({
        files: { 'readme.txt': 'a repository\n', 'plan.yaml': chaosPlan(6, 'batch') },
        prepare: smallDisk,
        finalCodes: [exitCodes.storage.code],
      });
      fleets.push(fleet);
      const { scenario } = fleet;
      const run = await fleet.submit('plan.yaml');
      await until(
        'the first completed task',
        async () => {
          const { tasks } = await scenario.api<{ tasks: { phase: string }[] }>(`/api/runs/${run}`);
          return tasks.some(({ phase }) => phase === 'completed') ? true : undefined;
        },
        waitMs,
      );
      const filler = join(scenario.state, 'filler');
      fill(filler);
      const orchestrator = fleet.member('orchestrator');
      expect(await orchestrator.ended()).toBe(exitCodes.storage.code);
      expect(readFileSync(join(scenario.folder, 'orchestrator.stderr'), 'utf8')).toContain(
        'error E_DISK_FULL',
      );
      // Nothing to stand on yet: it says so again.
      orchestrator.startAgain();
      expect(await orchestrator.ended()).toBe(exitCodes.storage.code);

      rmSync(filler);
      orchestrator.startAgain();
      const report = reportFile(scenario, run);
      await until('the end of the run', () => (existsSync(report) ? true : undefined), waitMs);
      await fleet.ready();
      await fleet.stop();
      const evidence = readEvidence(scenario, run);
      expect([
        ...judgeRun(scenario, evidence, undefined),
        ...fleet.surprises(),
        ...leftBehind(fleet).filter((line) => !line.endsWith('is still mounted')),
      ]).toEqual([]);
    },
    1_800_000,
  );
});
