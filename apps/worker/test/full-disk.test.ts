import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WorkerBench } from './worker-bench.ts';

let sandbox: Sandbox;
let bench: WorkerBench;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
  bench = new WorkerBench(sandbox);
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
});
afterAll(async () => {
  await bench.close();
  await sandbox.close();
});

it('an attempt on a full disk fails as what is tried again, and the next one goes well once there is room', async (context) => {
  try {
    // Room for itself and for no other file.
    const options = ['-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs', bench.attempts];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    return context.skip();
  }
  try {
    const base = bench.objects.commit({ 'README.md': '# Demo\n' });
    bench.assign(base, ['echo x > docs/x']);
    const { failure } = (await bench.next('task-failed')).payload;

    expect(failure).toMatchObject({ code: 'E_DISK_FULL', class: 'io' });
    expect(failure.message).toMatch(/^the disk is full: ENOSPC.*mkdir/);
    execFileSync('mount', ['-o', 'remount,nr_inodes=10000', bench.attempts]);
    bench.assign(base, ['echo x > docs/x'], { attempt: 2, fence: 2 });
    await bench.next('task-completed');
    await bench.until(() => bench.leftAttempts().length === 0);
  } finally {
    execFileSync('umount', ['-l', bench.attempts]);
  }
});

it('a command that fills the disk is ended before others feel it, and what it wrote goes', async (context) => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', bench.attempts], { stdio: 'ignore' });
  } catch {
    return context.skip();
  }
  try {
    const base = bench.objects.commit({ 'README.md': '# Demo\n' });
    const fill = 'for i in 1 2 3 4 5; do head -c 9m /dev/zero > docs/$i; done; sleep 60';
    bench.assign(base, [fill], { attempt: 3, fence: 3 });
    const { failure } = (await bench.next('task-failed')).payload;
    expect(failure).toMatchObject({ code: 'E_DISK_FULL', class: 'io' });
    expect(failure.message).toMatch(/^a command was ended, since the disk .* has only \d+ MiB left$/);
    await bench.until(() => bench.leftAttempts().length === 0);
    expect(statfsSync(bench.attempts).bfree).toBeGreaterThan(0.9 * statfsSync(bench.attempts).blocks);
  } finally {
    execFileSync('umount', ['-l', bench.attempts]);
  }
});
