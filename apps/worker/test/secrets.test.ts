import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerBench } from './worker-bench.ts';

const secret = 'tk-of-the-operator-1234';
/** Of no known value, and of the form of one. */
const form = `sk-${'live-0123456789abcdef'}`;

let sandbox: Sandbox;
let bench: WorkerBench;
let base: CommitId;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  bench = new WorkerBench(sandbox);
  bench.secrets.push(secret);
  base = bench.objects.commit({ 'words.txt': `token ${secret} and ${form}\n`, 'docs/a.md': 'a\n' });
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
});
afterEach(() => bench.close());

/** Everything that the orchestrator was told. */
const told = (): string => JSON.stringify(bench.received.map(({ type, payload }) => ({ type, payload })));

describe('what a worker tells of an attempt', () => {
  it('has no secret where a command fails, whoever printed it', async () => {
    bench.assign(base, ['cat words.txt; sleep 0.5; cat words.txt; exit 3']);
    const { payload } = await bench.next('task-failed');
    expect(payload.failure.outputTail).toContain('token [Redacted] and [Redacted]');
    expect(told()).not.toMatch(new RegExp(`${secret}|${form}`));
  });

  it('has none in receipts, in what it hands over, and in what it asks', async () => {
    bench.assign(
      base,
      [
        'cat words.txt > docs/b.md',
        `echo '{"blockers":["it needs ${secret}"]}' > "$SWITCHYARD_HANDOVER"; cat words.txt`,
      ],
      { acceptance: [{ kind: 'run', run: 'cat words.txt' }] },
    );
    const { payload } = await bench.next('task-completed');
    expect(payload.evidence).toMatchObject({
      outputTail: expect.stringContaining('token [Redacted]') as string,
      receipts: [{ outputTail: expect.stringContaining('token [Redacted]') as string }],
      handover: { blockers: ['it needs [Redacted]'] },
    });
    // What is the task's work stays as it is: reviewers look at that.
    expect(bench.objects.show(payload.evidence.commit ?? '', 'docs/b.md')).toContain(secret);
    bench.assign(base, [`echo '{"reason":"is ${secret} right?"}' > "$SWITCHYARD_ESCALATION"; exit 75`], {
      fence: 2,
      attempt: 2,
    });
    expect((await bench.next('escalation')).payload.reason).toBe('is [Redacted] right?');
    expect(told()).not.toMatch(new RegExp(`${secret}|${form}`));
  });
});
