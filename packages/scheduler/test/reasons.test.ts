import type { PlanTask } from '@switchyard/protocol';
import { owed, viewOf } from '@switchyard/scheduler';
import { describe, expect, it } from 'vitest';
import { id, plan, task, type PlanOptions } from './build-plan.ts';
import { World } from './world.ts';

const worker = { name: 'w1', labels: [], slots: 10 };

function started(tasks: readonly PlanTask[], options: PlanOptions = {}): World {
  const world = new World(plan(tasks, options), [worker]);
  world.input({ kind: 'start' });
  return world;
}

function reasonOf(world: World, name: string): string | undefined {
  return viewOf(world.state).tasks.find((one) => one.id === name)?.reason;
}

describe('what a person sees of an attempt whose worker is not heard', () => {
  it('that it is unverifiable, told once, until it is heard again or another attempt follows', () => {
    const world = started([task({ id: 'a' })]);
    world.offer();
    const said = (isHeard: boolean, staleBy?: number) => world.hear(world.task('a'), isHeard, staleBy);
    expect(said(true)).toEqual([]);
    expect(said(false, 1)).toEqual([]);
    expect(said(false)).toMatchObject([{ kind: 'attempt-contact', isHeard: false, worker: 'w1' }]);
    expect(said(false)).toEqual([]);
    expect(reasonOf(world, 'a')).toContain('w1 is unverifiable');
    expect(said(true)).toMatchObject([{ kind: 'attempt-contact', isHeard: true }]);
    expect(reasonOf(world, 'a')).toBe('waits for w1 to begin');
    said(false);
    world.lose(world.task('a'));
    world.offer();
    expect(reasonOf(world, 'a')).toBe('waits for w1 to begin');
    expect(world.task('a').phase).toMatchObject({ lease: { attempt: 2 } });
    world.checkReplay();
  });
});

describe('what a person sees a task wait for', () => {
  it('the tasks that it depends on and that are not there yet', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const tasks = [...names.map((name) => task({ id: name })), task({ id: 'last', dependsOn: names })];
    const world = started(tasks, { verify: [] });
    expect(reasonOf(world, 'last')).toBe('waits for a, b, c, d, e and 1 more');
    world.offer();
    world.submit(world.task('a'));
    for (const effect of owed(world.state)) if (effect.kind === 'integrate') world.perform(effect);
    expect(reasonOf(world, 'a')).toBe('merged; is put on the run branch');
    for (const effect of owed(world.state)) if (effect.kind === 'move') world.perform(effect);
    expect(reasonOf(world, 'a')).toBeUndefined();
    expect(reasonOf(world, 'last')).toBe('waits for b, c, d, e, f');
  });

  it('a worker, a place of the run, a path, or the end of a pause', () => {
    const inner = task({ id: 'inner', workspace: ['src/a/inner'] });
    const world = started([task({ id: 'a' }), inner, task({ id: 'b' })], { workers: 2 });
    expect(reasonOf(world, 'a')).toBe('waits for a free worker');
    world.offer();
    expect(reasonOf(world, 'a')).toBe('waits for w1 to begin');
    expect(reasonOf(world, 'inner')).toBe('waits for the task that works in its paths');
    const narrow = started([task({ id: 'a' }), task({ id: 'b' })], { workers: 1 });
    narrow.offer();
    expect(reasonOf(narrow, 'b')).toBe('waits for one of the 1 places of the run');
    narrow.input({ kind: 'pause', reason: 'lunch' });
    expect(reasonOf(narrow, 'b')).toBe('waits for the run to be resumed');
    expect(viewOf(narrow.state).reason).toBe('lunch');
  });

  it('its reviewers, its merge, and the verification of the result', () => {
    const world = started([task({ id: 'a', review: 'required' }), task({ id: 'b' })], {
      verify: ['npm test'],
    });
    world.offer();
    world.submit(world.task('a'));
    expect(reasonOf(world, 'a')).toBe('waits for its reviewers');
    world.submit(world.task('b'));
    expect(reasonOf(world, 'b')).toBe('is being merged');
    world.input({
      kind: 'reviewed',
      taskId: id('a'),
      fence: 1,
      outcome: 'approved',
      findings: [],
      text: 'fine',
    });
    expect(reasonOf(world, 'a')).toBe('waits for its turn to be merged');
    for (const effect of owed(world.state)) if (effect.kind === 'integrate') world.perform(effect);
    expect(reasonOf(world, 'b')).toBe('merged; waits for the verification of the result');
  });
});
