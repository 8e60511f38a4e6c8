import type { SwitchyardClient } from '@switchyard/client';
import { writtenReport } from '@switchyard/access';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';

type Got = Awaited<ReturnType<SwitchyardClient['report']>>;

/** A run whose files are written when it was asked for so often. */
function endedRun(asksUntilWritten: number) {
  const report = {} as Got['report'];
  const client = {
    asked: 0,
    report(): Promise<Got> {
      client.asked += 1;
      const files = { markdown: 'report.md', html: 'report.html', json: 'report.json' };
      return Promise.resolve(client.asked > asksUntilWritten ? { report, files } : { report });
    },
  };
  return client;
}

describe('the report of a run that has ended', () => {
  it('is that which is written', async () => {
    const clock = new VirtualClock();
    const run = endedRun(3);
    const got = writtenReport(run, 'run-1', clock);
    await clock.advance(10_000);
    expect((await got).files?.html).toBe('report.html');
    expect(run.asked).toBe(4);
  });

  it('comes without files where none are written, after a minute', async () => {
    const clock = new VirtualClock();
    const got = writtenReport(endedRun(Infinity), 'run-1', clock);
    await clock.advance(62_000);
    expect((await got).files).toBeUndefined();
  });
});
