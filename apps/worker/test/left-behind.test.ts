import { openSandbox, type Sandbox } from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerBench } from './worker-bench.ts';

let sandbox: Sandbox;
let bench: WorkerBench;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new WorkerBench(sandbox);
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
});
afterEach(() => bench.close());

/** Folders below the current one, deeper than a path may be long. */
const nest = (folder: string): string =>
  `cd "${folder}" && node -e "for (let i = 0; i < 60; i += 1) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }"`;

describe('folders that nobody can open by their path', () => {
  it('left by the work beside its files, and by the acceptance in its checkout, are no trouble and do not stay', async () => {
    const base = bench.objects.commit({ 'docs/old.md': 'old\n' });
    bench.assign(base, ['echo new > docs/new.md', nest('$(dirname $SWITCHYARD_HANDOVER)'), nest('.git')], {
      acceptance: [{ kind: 'run', run: nest('docs') }],
    });
    const { payload } = await bench.next('task-completed');
    expect(payload).toMatchObject({ testsPass: true, filesModified: ['docs/new.md'] });
    await bench.until(() => bench.leftAttempts().length === 0);
  });

  it('left in the workspace fail the attempt with their beginning, for no commit can have what is in them', async () => {
    const base = bench.objects.commit({ 'docs/old.md': 'old\n' });
    bench.assign(base, [nest('docs'), 'echo new > docs/new.md']);
    const { payload } = await bench.next('task-failed');
    expect(payload.failure).toMatchObject({ code: 'E_PATH_INVALID' });
    expect(payload.error).toContain(`docs/${'d'.repeat(100)}`);
    await bench.until(() => bench.leftAttempts().length === 0);
  });
});
