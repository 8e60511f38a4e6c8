import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerBench, workerPeer } from './worker-bench.ts';

// Real sandboxes on a busy machine.
let sandbox: Sandbox;
let bench: WorkerBench;
let base: CommitId;
const files = { 'README.md': '# Demo\n', 'docs/old.md': 'old\n', 'src/a.txt': 'a\n' };
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  bench = new WorkerBench(sandbox);
  base = bench.objects.commit(files);
  bench.abortMs = 60_000;
});
afterEach(() => bench.close());

/** Starts the worker, which may have been told things. */
async function start(wipIntervalMs = 0): Promise<void> {
  bench.wipIntervalMs = wipIntervalMs;
  bench.reopen();
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
}

const half = 'echo half > docs/half.md && git add -A && git commit -qm half && echo more > docs/more.md';
const stays = 'touch src-stamp 2>/dev/null; rm docs/old.md; sleep 600';
/** An attempt that has done a part of its work and goes on for a long time. */
async function atWork(extra: object = {}) {
  const assigned = bench.assign(base, [half, stays], { timeoutMs: 600_000, ...extra });
  await bench.until(() => bench.leftAttempts().some(isAtWork), 60_000);
  const { run, taskId, attempt, fence } = assigned;
  return { run, taskId, attempt, fence };
}
const isAtWork = (folder: string): boolean => {
  const tree = join(bench.attempts, folder, 'clone/tree/docs');
  return existsSync(join(tree, 'more.md')) && !existsSync(join(tree, 'old.md'));
};

const contents = (wip: CommitId | undefined) => ({
  parents: bench.objects
    .git(['rev-list', '--parents', '-1', wip ?? ''])
    .split(' ')
    .slice(1),
  files: bench.objects.git(['ls-tree', '-r', '--name-only', wip ?? '']).split('\n'),
});
const expected = { files: ['README.md', 'docs/half.md', 'docs/more.md', 'src/a.txt'] };

describe('the work in progress of an attempt', () => {
  it('is handed over when its worker is stopped, which reports the attempt as lost', async () => {
    await start();
    const attempt = await atWork();
    await bench.daemon.drain('SIGTERM');
    const { payload } = await bench.next('task-lost');
    expect(payload).toMatchObject({ ...attempt, reason: 'the worker ends: SIGTERM' });
    expect(contents(payload.wip)).toEqual({ ...expected, parents: [base] });
    expect(bench.objects.refs()).toEqual([
      expect.stringMatching(`^refs/switchyard/uploads/demo-abc/write-docs-[0-9a-f]{8}/1/${payload.wip} `),
    ]);
    expect(bench.leftAttempts()).toEqual([]);
  });

  it('is told every so often, but only where something has changed', async () => {
    await start(300);
    await atWork();
    const { payload } = await bench.next('task-wip');
    let last = payload;
    await bench.until(() => {
      const next = bench.received.findLast(({ type }) => type === 'task-wip');
      if (next?.type === 'task-wip') last = next.payload;
      return (
        bench.objects.git(['ls-tree', '-r', '--name-only', last.commit]).includes('docs/more.md') &&
        !bench.objects.git(['ls-tree', '-r', '--name-only', last.commit]).includes('docs/old.md')
      );
    });
    expect(contents(last.commit)).toEqual({ ...expected, parents: [base] });
    await bench.daemon.drain('enough');
    expect((await bench.next('task-lost')).payload.wip).toBe(last.commit);
    const told = bench.received.flatMap((one) => (one.type === 'task-wip' ? [one.payload.commit] : []));
    expect(new Set(told).size).toBe(told.length);
  });

  it('is handed over when the attempt is cancelled or fenced at work; one that had done nothing says nothing', async () => {
    await start();
    const attempt = await atWork();
    bench.hub?.send(workerPeer, 'task-cancel', { ...attempt, reason: 'the attempt is not current any more' });
    const { payload } = await bench.next('task-lost');
    expect(contents(payload.wip)).toEqual({ ...expected, parents: [base] });
    await bench.until(() => bench.leftAttempts().length === 0);
  });

  it('comes with the report of an attempt that fails or asks', async () => {
    await start();
    bench.assign(base, ['echo half > docs/half.md', 'exit 3']);
    const failed = (await bench.next('task-failed')).payload;
    expect(bench.objects.show(failed.wip ?? '', 'docs/half.md')).toBe('half');
    const asks = `echo '{"reason":"two fit"}' > "$SWITCHYARD_ESCALATION"; exit 75`;
    bench.assign(base, ['echo half > docs/half.md', asks], { fence: 2 });
    const asked = (await bench.next('escalation')).payload;
    expect(bench.objects.show(asked.wip ?? '', 'docs/half.md')).toBe('half');
    bench.assign(base, ['exit 3'], { fence: 3 });
    expect((await bench.next('task-failed')).payload.wip).toBeUndefined();
  });

  it('holds no more than the policy lets the attempt write', async () => {
    await start();
    bench.assign(
      base,
      ['mkdir docs/dist && echo x > docs/dist/x; echo y > docs/y; ln -s /etc docs/out; exit 3'],
      {
        scratch: ['**/dist'],
      },
    );
    const { payload } = await bench.next('task-failed');
    expect(contents(payload.wip).files).toEqual(['README.md', 'docs/old.md', 'docs/y', 'src/a.txt']);
  });
});

describe('a worker that was killed', () => {
  it('reports at its next start what it held as lost, with what it had done, and until then holds it', async () => {
    await start();
    const attempt = await atWork();
    bench.acknowledges = false;
    await bench.killAndRestart();
    await bench.connected();
    expect(bench.hub?.peers()[0]?.hello.holding).toEqual([attempt]);
    const { payload } = await bench.next('task-lost');
    expect(payload).toMatchObject({ ...attempt, reason: 'the worker was restarted' });
    expect(contents(payload.wip)).toEqual({ ...expected, parents: [base] });
    await bench.until(() => bench.leftAttempts().length === 0);
  });

  it('tells nothing of an attempt whose report waits in its outbox', async () => {
    await start();
    bench.acknowledges = false;
    bench.assign(base, ['echo x > docs/x']);
    const { id } = await bench.next('task-completed');
    // A report leaves while the disk writes it; killed before, the worker would tell the attempt lost.
    await bench.until(() => bench.outboxHolds(id));
    await bench.killAndRestart();
    expect((await bench.next('task-completed')).id).toBe(id);
    await bench.until(() => bench.leftAttempts().length === 0);
    expect(bench.received.some(({ type }) => type === 'task-lost')).toBe(false);
  });

  it('hands over at its next start what it could not while the orchestrator was away', async () => {
    await start();
    const attempt = await atWork();
    const { hub } = bench;
    bench.hub = undefined;
    bench.objects.isAway = true;
    await hub?.close();
    await bench.daemon.drain('both end');
    const [folder = ''] = bench.leftAttempts();
    expect(existsSync(join(bench.attempts, folder, 'clone'))).toBe(false);
    bench.received.length = 0;
    bench.objects.isAway = false;
    bench.openHub();
    await bench.restart();
    await bench.until(
      () => bench.received.some(({ type, payload }) => type === 'task-lost' && 'wip' in payload),
      60_000,
    );
    const lost = bench.received.findLast(({ type }) => type === 'task-lost');
    expect(lost?.payload).toMatchObject(attempt);
    await bench.until(() => bench.leftAttempts().length === 0);
  });
});

describe('an attempt that goes on from work in progress', () => {
  it('has it in its tree, uncommitted, on its own base', async () => {
    await start();
    const wip = bench.objects.commit(
      { ...files, 'docs/half.md': 'half\n', 'src/a.txt': 'not its own' },
      base,
    );
    const moved = bench.objects.commit({ ...files, 'README.md': '# Moved\n' }, base);
    bench.assign(
      moved,
      ['git status --porcelain > "$TMPDIR/s"; cat "$TMPDIR/s" README.md src/a.txt docs/half.md > docs/n'],
      {
        resumeFrom: { kind: 'wip', commit: wip, attempt: 1 },
      },
    );
    const { payload } = await bench.next('task-completed');
    expect(payload.filesModified).toEqual(['docs/half.md', 'docs/n']);
    const commit = payload.evidence.commit ?? '';
    expect(bench.objects.show(commit, 'docs/n')).toBe('?? docs/half.md\n# Moved\na\nhalf');
    expect(contents(payload.evidence.commit).parents).toEqual([moved]);
  });
});
