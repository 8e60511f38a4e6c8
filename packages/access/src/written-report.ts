import type { SwitchyardClient } from '@switchyard/client';
import type { PayloadOf } from '@switchyard/protocol';
import { sleep, type Clock } from '@switchyard/runtime';

/** How long an end is given to be kept; then what is there is answered. */
const patienceMs = 60_000;
const firstPollMs = 100;
const lastPollMs = 1_000;

/**
 * The report of a run that has ended, once its branch is in the user's repository and its files are written, which is a
 * moment after the end. Where neither comes about (a full disk), the report without its files. Throws AppError.
 */
export async function writtenReport(
  client: Pick<SwitchyardClient, 'report'>,
  run: string,
  clock: Clock,
): Promise<PayloadOf<'report-got'>> {
  const until = clock.monotonic() + patienceMs;
  for (let waitMs = firstPollMs; ; waitMs = Math.min(2 * waitMs, lastPollMs)) {
    const got = await client.report(run);
    if (got.files !== undefined || clock.monotonic() >= until) return got;
    await sleep(clock, waitMs);
  }
}
