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
import { patientTimer } from '../src/patient-timer.ts';
import type { OrchestratorPorts } from '../src/ports.ts';
import { RunKeeper } from '../src/run-keeper.ts';
import { FakeInstances, FakeLogs, FakeVerifier, MemoryReports } from './fakes.ts';

const clock = new VirtualClock();

/** A loop alone, over a journal; tells when a run was performed whose facts the journal did not have. */
function loopOver(journal: Journal) {
  const fatal: unknown[] = [];
  const performed: boolean[] = [];
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
    door: { url: '', invite: () => ({ token: '', expiresAt: 0, url: '', fingerprint: '' }) },
    settings: {
      leaseGraceMs: 1,
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
    perform: (keeper) => performed.push([...journal.read()].length === keeper.version),
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

  it('ends on a bug, by name', async () => {
    const { loop, fatal } = loopOver(openMemoryJournal());
    loop.afterCommit(() => {
      throw new TypeError('x is not a function');
    });
    await settle();
    expect(fatal).toEqual([new TypeError('x is not a function')]);
  });
});

describe('a patient timer', () => {
  it('calls when it is time, unless it is cancelled', async () => {
    let calls = 0;
    patientTimer(clock, 1_000, () => (calls += 1));
    patientTimer(clock, 1_000, () => (calls += 10))();
    await clock.advance(999);
    expect(calls).toBe(0);
    await clock.advance(1);
    expect(calls).toBe(1);
  });

  it('begins anew when it comes late, and can be cancelled then too', async () => {
    let calls = 0;
    patientTimer(clock, 1_000, () => (calls += 1));
    const cancel = patientTimer(clock, 1_000, () => (calls += 10));
    await clock.stall(60_000);
    expect(calls).toBe(0);
    cancel();
    await clock.advance(1_000);
    expect(calls).toBe(1);
  });
});

function after(steps: number, work: () => void): void {
  if (steps === 0) work();
  else queueMicrotask(() => after(steps - 1, work));
}
