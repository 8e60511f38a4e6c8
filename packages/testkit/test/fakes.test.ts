import { runId, taskId } from '@switchyard/protocol';
import { openMemoryJournal } from '@switchyard/store';
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

const run = runId.parse('some-run');

describe('the virtual clock', () => {
  it('calls what is due in its order, each at its own time', async () => {
    const clock = new VirtualClock();
    const calls: string[] = [];
    const start = clock.monotonic();
    const note = (name: string) => () => calls.push(`${name} ${clock.monotonic() - start}`);
    clock.after(20, note('late'));
    clock.after(10, () => {
      note('early')();
      clock.after(5, note('between'));
    });
    clock.after(10, note('cancelled'))();
    await clock.advance(30);
    expect(calls).toEqual(['early 10', 'between 15', 'late 20']);
    expect(clock.monotonic() - start).toBe(30);
  });

  it('stands still: everything is due at once, afterwards', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const start = clock.monotonic();
    clock.after(10, () => times.push(clock.monotonic() - start));
    await clock.stall(1_000);
    expect(times).toEqual([1_000]);
  });
});

it('randomness from a seed is the same for the same seed alone', () => {
  expect(seededRandom(1).token(8)).toBe(seededRandom(1).token(8));
  expect(seededRandom(1).token(8)).not.toBe(seededRandom(2).token(8));
});

describe('a held journal', () => {
  const facts = [{ kind: 'x', version: 1, data: {} }];

  it('keeps nothing until it is released', async () => {
    const journal = new HeldJournal(openMemoryJournal());
    journal.hold();
    let last = 0;
    void journal.append('s', 1, facts).then((seq) => (last = seq));
    await settle();
    expect([last, [...journal.read()].length]).toEqual([0, 0]);
    journal.release();
    await settle();
    expect([last, [...journal.read()].length]).toEqual([1, 1]);
  });

  it('breaks, also for what waits, until it is mended', async () => {
    const journal = new HeldJournal(openMemoryJournal());
    journal.hold();
    const waiting = journal.append('s', 1, facts);
    journal.break(new Error('no'));
    journal.release();
    await expect(waiting).rejects.toThrow('no');
    await expect(journal.append('s', 1, facts)).rejects.toThrow('no');
    journal.break(undefined);
    expect(await journal.append('s', 1, facts)).toBe(1);
  });
});

describe('the memory repository', () => {
  it('integrates the same to the same, and moves branches by compare-and-swap', async () => {
    const repository = new MemoryRepository();
    const base = await repository.resolveBase();
    await repository.createRun(run, base);
    const commit = repository.handIn(base, ['a/x.ts']);
    const [task] = buildPlan([buildTask({ id: 'a' })]).tasks;
    const entry = {
      attempt: 1,
      fence: 1 as never,
      commit,
      base,
      workspace: task?.workspace ?? [],
      title: 'a',
    };
    const request = { run, parent: base, at: 1, entries: [{ ...entry, taskId: taskId.parse('a') }] };
    const first = await repository.integrate(request);
    expect(await repository.integrate(request)).toEqual(first);
    await repository.moveRun(run, base, first.tip);
    await repository.moveRun(run, base, first.tip);
    await expect(repository.moveRun(run, base, commit)).rejects.toMatchObject({ code: 'E_RUN_BRANCH_MOVED' });
    expect(repository.moves).toHaveLength(1);
  });

  it('judges an attempt by its commit alone', async () => {
    const repository = new MemoryRepository();
    const base = repository.head;
    const commit = repository.handIn(base, ['a/x.ts', 'b.ts', 'ab/y.ts']);
    const checked = await repository.checkAttempt({ commit, base, workspace: ['a'] });
    expect(checked.outside).toEqual(['b.ts', 'ab/y.ts']);
    await expect(repository.checkAttempt({ commit, base: commit, workspace: ['a'] })).rejects.toMatchObject({
      code: 'E_WORKSPACE_VIOLATION',
    });
  });
});
