import { runEvent, runReport, runSummary, runView } from '@switchyard/protocol';
import {
  decide,
  evolve,
  eventsOf,
  isRunFactKind,
  owed,
  progressOf,
  reportAttempts,
  summaryOf,
  viewOf,
} from '@switchyard/scheduler';
import { describe, expect, it } from 'vitest';
import { base, id, plan, run, task } from './build-plan.ts';
import { World } from './world.ts';

const worker = { name: 'w1', labels: [], slots: 10 };

function started(): World {
  const tasks = [
    task({ id: 'a', review: 'required' }),
    task({ id: 'b', dependsOn: ['a'], requires: ['gpu'] }),
    task({ id: 'gate', kind: 'manual' }),
  ];
  const world = new World(plan(tasks), [worker]);
  world.input({ kind: 'start' });
  return world;
}

describe('requests that cannot be met', () => {
  it.each([
    ['a double id', [task({ id: 'a' }), task({ id: 'a' })], 'Task a is there twice'],
    ['an unknown dependency', [task({ id: 'a', dependsOn: ['x'] })], 'Task a depends on non-existent task x'],
    [
      'a circle',
      [
        task({ id: 'a', dependsOn: ['b'] }),
        task({ id: 'b', dependsOn: ['a'] }),
        task({ id: 'c', dependsOn: ['b'] }),
      ],
      'Circular dependency detected: a → b → a',
    ],
  ])('a plan with %s', (_name, tasks, message) => {
    expect(() => decide(undefined, { kind: 'create', at: 1, run, plan: plan(tasks), base })).toThrow(message);
    const world = new World(plan([task({ id: 'old' })]), [worker]);
    expect(world.input({ kind: 'add-tasks', tasks })).toBe('E_PLAN_INVALID');
  });

  it('speak of tasks and runs that are not there, or have ended', () => {
    const world = started();
    expect(world.input({ kind: 'cancel', taskId: id('x'), reason: '' })).toBe('E_TASK_UNKNOWN');
    world.input({ kind: 'cancel', reason: '' });
    expect(world.state.phase.kind).toBe('cancelled');
    for (const kind of ['start', 'resume'] as const) expect(world.input({ kind })).toBe('E_RUN_STATE');
    expect(world.input({ kind: 'pause', reason: '' })).toBe('E_RUN_STATE');
    expect(world.input({ kind: 'cancel', reason: '' })).toBe('E_RUN_STATE');
    expect(world.input({ kind: 'add-tasks', tasks: [task({ id: 'n' })] })).toBe('E_RUN_STATE');
  });

  it('asked twice, pause, resume and start do nothing the second time', () => {
    const world = started();
    expect(world.input({ kind: 'start' })).toEqual([]);
    world.input({ kind: 'pause', reason: 'x' });
    expect(world.input({ kind: 'pause', reason: 'y' })).toEqual([]);
    world.input({ kind: 'resume' });
    expect(world.input({ kind: 'resume' })).toEqual([]);
  });
});

describe('what is owed', () => {
  it('is the same list until something is done about it', () => {
    const world = started();
    world.offer();
    expect(owed(world.state)).toEqual(owed(world.state));
    expect(owed(world.state).map(({ kind }) => kind)).toEqual(['assign']);
    world.submit(world.task('a'));
    expect(owed(world.state)).toMatchObject([
      { kind: 'review', taskId: 'a', round: 1, files: [{ path: 'src/a.ts' }] },
    ]);
    world.input({ kind: 'cancel', reason: '' });
    expect(owed(world.state).map(({ kind }) => kind)).toEqual(['finish']);
  });
});

describe('a task of kind review', () => {
  it('reviews the run as it stands against its base', () => {
    const tasks = [task({ id: 'a' }), task({ id: 'look', kind: 'review', dependsOn: ['a'] })];
    const world = new World(plan(tasks), [worker]);
    world.input({ kind: 'start' });
    world.offer();
    world.submit(world.task('a'));
    while (world.task('a').phase.kind !== 'completed')
      for (const effect of owed(world.state)) world.perform(effect);
    const [review] = owed(world.state);
    expect(review).toMatchObject({
      kind: 'review',
      taskId: 'look',
      submitted: { commit: world.state.tip, base, fence: 1 },
    });
    if (review !== undefined) world.perform(review);
    expect(world.state.phase.kind).toBe('completed');
  });
});

describe('what people see', () => {
  it('views, summaries, events and reports are what the protocol says', () => {
    const world = started();
    const check = (): void => {
      runView.parse(viewOf(world.state));
      runSummary.parse(summaryOf(world.state));
      const { tasks, verification, sandbox } = reportAttempts(world.state);
      runReport.parse({
        view: viewOf(world.state),
        plan: world.state.plan,
        tasks: tasks.map((one) => ({ ...one, attempts: one.attempts.map((a) => ({ ...a, reviews: [] })) })),
        verification,
        sandbox,
        events: [],
      });
    };
    check();
    expect(viewOf(world.state).tasks.find((one) => one.id === 'gate')?.waiting).toMatchObject({
      kind: 'gate',
      default: 'fail',
    });
    world.offer();
    world.submit(world.task('a'));
    check();
    world.perform(owed(world.state)[0] ?? { kind: 'finish', id: '' });
    while (world.task('a').phase.kind !== 'completed')
      for (const effect of owed(world.state)) world.perform(effect);
    expect(viewOf(world.state).tasks[1]).toMatchObject({
      phase: 'ready',
      reason: 'needs a free worker that offers gpu',
    });
    world.input({ kind: 'cancel', reason: '' });
    check();
    const [attempt] = reportAttempts(world.state).tasks[0]?.attempts ?? [];
    expect(attempt).toMatchObject({ outcome: 'accepted', worker: 'w1' });
    expect(reportAttempts(world.state).tasks[0]?.mergeCommit).toBe(world.state.tip);
    let again: typeof world.state | undefined;
    for (const [place, fact] of world.facts.entries()) {
      again = evolve(again, fact);
      expect(isRunFactKind(fact.kind)).toBe(true);
      for (const event of eventsOf(again, fact, place)) runEvent.parse(event);
    }
  });

  it('progress counts every task once', () => {
    const world = started();
    world.offer();
    expect(progressOf(world.state)).toEqual({
      total: 3,
      completed: 0,
      failed: 0,
      skipped: 0,
      cancelled: 0,
      running: 1,
      waiting: 1,
    });
  });
});
