import { describe, expect, it } from 'vitest';
import { tasksBefore } from '@switchyard/scheduler';
import { id, plan, task } from './build-plan.ts';
import { World } from './world.ts';

const namesBefore = (
  tasks: readonly ReturnType<typeof task>[],
  name: string,
  counts: Parameters<typeof tasksBefore>[2] = () => true,
): string[] => {
  const { state } = new World(plan(tasks, { verify: [] }), []);
  return tasksBefore(state, id(name), counts).map((found) => found.task.id);
};

describe('what a task builds on', () => {
  it('is the nearest work, also behind what judges it, in the order of the plan', () => {
    const tasks = [
      task({ id: 'far' }),
      task({ id: 'near', dependsOn: ['far'] }),
      task({ id: 'beside' }),
      task({ id: 'check', kind: 'verify', dependsOn: ['near'] }),
      task({ id: 'last', dependsOn: ['check', 'beside'] }),
    ];
    expect(namesBefore(tasks, 'last')).toEqual(['near', 'beside', 'check']);
    expect(namesBefore(tasks, 'far')).toEqual([]);
    expect(namesBefore(tasks, 'last', (found) => found.task.kind === 'implement')).toEqual([
      'near',
      'beside',
    ]);
  });

  it('has a task once to which several ways lead', () => {
    const tasks = [
      task({ id: 'work' }),
      task({ id: 'build', kind: 'verify', dependsOn: ['work'] }),
      task({ id: 'left', kind: 'verify', dependsOn: ['build'] }),
      task({ id: 'right', kind: 'verify', dependsOn: ['build', 'work'] }),
      task({ id: 'both', kind: 'verify', dependsOn: ['left', 'right'] }),
      task({ id: 'last', kind: 'verify', dependsOn: ['both'] }),
    ];
    expect(namesBefore(tasks, 'last')).toEqual(['work', 'build', 'left', 'right', 'both']);
  });

  it('is the nearest twenty of a long chain, and the nearest hundred of many', () => {
    const many = Array.from({ length: 120 }, (_, at) => task({ id: `m${at}` }));
    const last = task({ id: 'last', dependsOn: many.map((each) => each.id) });
    expect(namesBefore([...many, last], 'last')).toEqual(many.slice(0, 100).map((each) => each.id));
    const tasks = Array.from({ length: 300 }, (_, at) =>
      task({ id: `t${at}`, kind: 'verify', dependsOn: at === 0 ? [] : [`t${at - 1}`] }),
    );
    expect(namesBefore(tasks, 't299')).toEqual(tasks.slice(279, 299).map((each) => each.id));
  });
});
