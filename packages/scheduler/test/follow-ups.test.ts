import { describe, expect, it } from 'vitest';
import { owed } from '@switchyard/scheduler';
import { id, plan, task } from './build-plan.ts';
import { World } from './world.ts';

const worker = { name: 'w', labels: [], slots: 5 };

function handedIn(followUps: 'ask' | 'add' | 'ignore', names: readonly string[]): World {
  const world = new World(plan([task({ id: 'a', followUps })], { verify: [] }), [worker]);
  world.input({ kind: 'start' });
  world.offer();
  world.submit(world.task('a'), { followUps: names });
  for (let step = 0; step < 4; step += 1) for (const effect of owed(world.state)) world.perform(effect);
  return world;
}

describe('follow-ups of a task', () => {
  it('are put before a gate, which adds them when it is approved', () => {
    const world = handedIn('ask', ['b', 'c']);
    expect(world.phases()).toEqual({ a: 'completed', 'a: follow-ups': 'waiting' });
    expect(world.task('a: follow-ups').phase).toMatchObject({
      wait: { text: expect.stringMatching(/a proposes follow-ups[^]*- b: do b[^]*- c: do c/) },
    });
    world.input({ kind: 'gate-answered', taskId: id('a: follow-ups'), approve: true, note: '' });
    expect(world.phases()).toEqual({ a: 'completed', 'a: follow-ups': 'completed', b: 'ready', c: 'ready' });
    world.finish();
    expect(world.state.phase.kind).toBe('completed');
    world.checkReplay();
  });

  it('that a person declines, or nobody answers for, leave the run as good as it was', () => {
    const declined = handedIn('ask', ['b']);
    declined.input({ kind: 'gate-answered', taskId: id('a: follow-ups'), approve: false, note: 'no' });
    expect(declined.state.phase.kind).toBe('completed');
    const late = handedIn('ask', ['b']);
    late.finish();
    expect(late.phases()).toEqual({ a: 'completed', 'a: follow-ups': 'completed' });
    expect(late.state.phase.kind).toBe('completed');
  });

  it('are added at once where the plan says so and they ask for no more than the task had', () => {
    const world = handedIn('add', ['b']);
    expect(world.phases()).toEqual({ a: 'completed', b: 'ready' });
    expect(world.task('b').task.followUps).toBe('ask');
    world.finish();
    expect(world.state.phase.kind).toBe('completed');
  });

  it('ask where they want more', () => {
    const world = new World(plan([task({ id: 'a', followUps: 'add' })], { verify: [] }), [worker]);
    world.input({ kind: 'start' });
    world.offer();
    world.submit(world.task('a'), { followUps: ['b'] });
    for (let step = 0; step < 4; step += 1)
      for (const effect of owed(world.state))
        if (effect.kind !== 'follow-ups') world.perform(effect);
        else {
          const wider = task({ id: 'b', dependsOn: ['a'], workspace: ['.'] });
          world.input({ kind: 'follow-ups', taskId: effect.taskId, fence: effect.fence, tasks: [wider] });
        }
    expect(world.phases()).toEqual({ a: 'completed', 'a: follow-ups': 'waiting' });
  });

  it('that are none are refused with the reason, once, and the run ends', () => {
    const world = handedIn('add', ['bad']);
    expect(world.state.phase.kind).toBe('completed');
    const settled = world.facts.filter(({ kind }) => kind === 'follow-ups-settled');
    expect(settled).toMatchObject([{ taskId: 'a', text: 'refused: no such thing' }]);
  });

  it('are left alone where the plan says so', () => {
    const world = handedIn('ignore', ['b']);
    expect(world.phases()).toEqual({ a: 'completed' });
    expect(world.state.phase.kind).toBe('completed');
  });
});
