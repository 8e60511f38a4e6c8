import { runId } from '@switchyard/protocol';
import { createMetrics, silentLogger } from '@switchyard/runtime';
import { openMemoryJournal, type Journal } from '@switchyard/store';
import {
  buildPlan,
  buildTask,
  HeldJournal,
  MemoryRepository,
  seededRandom,
  settle,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Loop } from '../src/loop.ts';
import { PatientTimers, patientTimer } from '../src/patient-timer.ts';
import type { OrchestratorPorts } from '../src/ports.ts';
import { RunKeeper } from '../src/run-keeper.ts';
import { FakeInstances, FakeLogs, FakeVerifier, MemoryReports } from './fakes.ts';

const clock = new VirtualClock();

/** A loop alone, over a journal; tells when a run was performed whose facts the journal did not have. */
function loopOver(journal: Journal) {
  const fatal: unknown[] = [];
  const performed: boolean[] = [];
  /** What a turn did, and a microtask that its effects began. */
  const order: string[] = [];
  const ports: OrchestratorPorts = {
    clock,
    random: seededRandom(1),
    logger: silentLogger(),
    metrics: createMetrics(),
    journal,
    repository: new MemoryRepository(),
    verifier: new FakeVerifier(),
    instances: new FakeInstances(),
    reports: new MemoryReports(),
    logs: new FakeLogs(),
    door: {
      url: '',
      invite: () => ({ token: '', expiresAt: 0, url: '', fingerprint: '' }),
      revoke: () => false,
    },
    settings: {
      leaseGraceMs: 1,
      deadShownMs: 3_600_000,
      heartbeatIntervalMs: 1,
      ephemeral: false,
      version: '0',
      hubName: 'x',
      sandbox: 'none',
    },
    fatal: (error) => fatal.push(error),
    stop: () => undefined,
  };
  const loop = new Loop(ports, {
    dispatch: () => undefined,
    committed: () => undefined,
    heldReviews: () => new Map(),
    perform: (keeper) => {
      performed.push([...journal.read()].length === keeper.version);
      order.push('perform');
      queueMicrotask(() => order.push('leave'));
    },
    publish: () => order.push('publish'),
  });
  const keeper = new RunKeeper(runId.parse('some-run'));
  const plan = buildPlan([buildTask({ id: 'a' }), buildTask({ id: 'b' })]);
  keeper.input({ at: 1, kind: 'create', run: keeper.run, plan, base: new MemoryRepository().head });
  const pause = (): void => loop.input(keeper, { at: 2, kind: 'pause', reason: 'lunch' });
  const resume = (): void => loop.input(keeper, { at: 3, kind: 'resume' });
  return {
    loop,
    keeper,
    fatal,
    performed,
    order,
    pause,
    resume,
    start: () => keeper.input({ at: 1, kind: 'start' }),
  };
}

describe('the loop', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'performs nothing on what the journal does not have, when an input comes %i microtasks after an append',
    async (steps) => {
      const inner = openMemoryJournal();
      let isFirst = true;
      const journal: Journal = {
        append: async (...facts) => {
          const last = await inner.append(...facts);
          if (isFirst) after(steps, pause);
          isFirst = false;
          return last;
        },
        read: (options) => inner.read(options),
        streams: () => inner.streams(),
        close: () => inner.close(),
      };
      const { loop, keeper, performed, pause, start } = loopOver(journal);
      start();
      loop.add(keeper);
      for (let turn = 0; turn < 5; turn += 1) await settle();
      expect(keeper.state.paused).toBeDefined();
      expect(performed.length).toBeGreaterThan(0);
      expect(performed).not.toContain(false);
      await loop.stop();
    },
  );

  it('ends once, however many turns wait for the journal that fails', async () => {
    const journal = new HeldJournal(openMemoryJournal());
    const { loop, keeper, fatal, performed, pause, resume, start } = loopOver(journal);
    start();
    journal.hold();
    loop.add(keeper);
    await settle();
    pause();
    await settle();
    resume();
    await settle();
    const error = new Error('the disk is gone');
    journal.break(error);
    journal.release();
    await settle();
    expect(fatal).toEqual([error]);
    expect(performed).toEqual([]);
  });

  it('performs nothing after its end, and calls back for what was kept', async () => {
    const journal = new HeldJournal(openMemoryJournal());
    const { loop, keeper, performed, start } = loopOver(journal);
    start();
    let told = 0;
    journal.hold();
    loop.add(keeper);
    loop.afterCommit(() => (told += 1));
    await settle();
    const stopped = loop.stop();
    await settle();
    expect(told).toBe(0);
    journal.release();
    await stopped;
    await settle();
    expect(told).toBe(1);
    expect(performed).toEqual([]);
  });

  it('lets workers be told before those who look', async () => {
    const { loop, keeper, order, start } = loopOver(openMemoryJournal());
    start();
    loop.add(keeper);
    await settle();
    expect(order).toEqual(['perform', 'leave', 'publish']);
    await loop.stop();
  });

  it('ends on a bug, by name', async () => {
    const { loop, fatal } = loopOver(openMemoryJournal());
    loop.afterCommit(() => {
      throw new TypeError('x is not a function');
    });
    await settle();
    expect(fatal).toEqual([new TypeError('x is not a function')]);
  });
});

describe.each([
  { what: 'a patient timer', timerOf: () => patientTimer },
  {
    what: 'one of many patient timers',
    timerOf: () => {
      const timers = new PatientTimers(clock);
      const after = (_: typeof clock, delayMs: number, callback: () => void) =>
        timers.after(delayMs, callback);
      // Others, later and earlier, of which one is cancelled.
      after(clock, 5_000, () => undefined);
      after(clock, 1, () => undefined);
      after(clock, 2, () => undefined)();
      return after;
    },
  },
])('$what', ({ timerOf }) => {
  it('calls when it is time, unless it is cancelled', async () => {
    const timer = timerOf();
    let calls = 0;
    timer(clock, 1_000, () => (calls += 1));
    timer(clock, 1_000, () => (calls += 10))();
    await clock.advance(999);
    expect(calls).toBe(0);
    await clock.advance(1);
    expect(calls).toBe(1);
  });

  it('begins anew when it comes late, and can be cancelled then too', async () => {
    const timer = timerOf();
    let calls = 0;
    timer(clock, 1_000, () => (calls += 1));
    const cancel = timer(clock, 1_000, () => (calls += 10));
    await clock.stall(60_000);
    expect(calls).toBe(0);
    cancel();
    await clock.advance(1_000);
    expect(calls).toBe(1);
  });
});

describe('many patient timers', () => {
  it('call each at its time, behind one timer of the clock, and none when they are closed', async () => {
    const set: number[] = [];
    const counted = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (delayMs: number, callback: () => void) => {
        set.push(delayMs);
        return clock.after(delayMs, callback);
      },
    };
    const timers = new PatientTimers(counted);
    const called: number[] = [];
    for (let delayMs = 1_000; delayMs > 900; delayMs -= 10)
      for (let more = 0; more < 100; more += 1)
        timers.after(delayMs + 1_000 * more, () => called.push(delayMs + 1_000 * more));
    // One for each that is earlier than all before it.
    expect(set).toEqual([1_000, 990, 980, 970, 960, 950, 940, 930, 920, 910]);
    await clock.advance(2_000);
    expect(called).toEqual(
      [910, 920, 930, 940, 950, 960, 970, 980, 990, 1_000].concat([
        1_910, 1_920, 1_930, 1_940, 1_950, 1_960, 1_970, 1_980, 1_990, 2_000,
      ]),
    );
    timers.close();
    await clock.advance(100_000);
    expect(called).toHaveLength(20);
  });
});

function after(steps: number, work: () => void): void {
  if (steps === 0) work();
  else queueMicrotask(() => after(steps - 1, work));
}
