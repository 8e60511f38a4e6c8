import { WorkTime } from '@switchyard/agents';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';

describe('a limit of time', () => {
  it('stands still while its owner is kept from working, and is over once', async () => {
    const clock = new VirtualClock();
    let pausedMs = 500;
    let over = 0;
    const time = new WorkTime({
      clock,
      limitMs: 60_000,
      pausedMs: () => pausedMs,
      over: () => (over += 1),
    });
    await clock.advance(30_000);
    expect(time.leftMs()).toBe(30_000);
    pausedMs += 3_600_000;
    await clock.advance(3_600_000);
    expect([time.leftMs(), over]).toEqual([30_000, 0]);
    await clock.advance(30_000);
    expect([time.leftMs(), over]).toEqual([0, 1]);
    await clock.advance(3_600_000);
    expect(over).toBe(1);
  });

  it('is looked at now and then while its last moment is held, and not once it is closed', async () => {
    const clock = new VirtualClock();
    let looks = 0;
    let over = 0;
    const began = clock.monotonic();
    const time = new WorkTime({
      clock,
      limitMs: 10_000,
      // Held since a millisecond before its end.
      pausedMs: () => ((looks += 1), Math.max(0, clock.monotonic() - began - 9_999)),
      over: () => (over += 1),
    });
    await clock.advance(70_000);
    expect(over).toBe(0);
    expect(looks).toBeLessThan(500);
    time.close();
    await clock.advance(3_600_000);
    expect(over).toBe(0);
  });
});
