import { limits } from '@switchyard/protocol';
import { eventsOf, nextDeadline, viewOf } from '@switchyard/scheduler';
import { describe, expect, it } from 'vitest';
import { plan, task, type TaskOptions } from './build-plan.ts';
import { World, type Worker } from './world.ts';

const linux = { labels: ['os:linux'] };
const gpu = { labels: ['os:linux', 'gpu'] };

let fleet: Worker[];

function started(...tasks: TaskOptions[]): World {
  fleet = [{ name: 'w1', labels: ['os:linux'], slots: 1 }];
  const world = new World(plan(tasks.map(task)), fleet);
  world.input({ kind: 'start' });
  return world;
}

function kinds(facts: ReturnType<World['input']>): string[] {
  if (typeof facts === 'string') throw new Error(facts);
  return facts.map(({ kind }) => kind);
}

/** The last word of the run to its watchers. */
function lastText(world: World): string | undefined {
  const fact = world.facts.at(-1);
  return fact === undefined ? undefined : eventsOf(world.state, fact, 1)[0]?.text;
}

function reasonOf(world: World, id: string): string | undefined {
  return viewOf(world.state).tasks.find((one) => one.id === id)?.reason;
}

describe('a ready task that nobody in the fleet can take', () => {
  it('says once what it waits for, in its view and in an event', () => {
    const world = started({ id: 'a', requires: ['gpu'] }, { id: 'b' });
    expect(kinds(world.input({ kind: 'fleet', workers: [linux] }))).toEqual(['task-unmatched']);
    expect(reasonOf(world, 'a')).toBe('waits for a worker with label gpu');
    expect(lastText(world)).toContain('a waits for a worker with label gpu');
    expect(kinds(world.input({ kind: 'fleet', workers: [linux] }))).toEqual([]);
    expect(kinds(world.input({ kind: 'fleet', workers: [] }))).toEqual(['task-unmatched']);
    expect(reasonOf(world, 'b')).toBe('waits for a worker; none is there');
  });

  it('is one whose agent no worker can drive so; it goes to one that can', () => {
    const world = new World(plan([{ ...task({ id: 'a' }), executor: { kind: 'cli', agent: 'codex' } }]), [
      { name: 'other', labels: ['agent:codex', 'agent:codex:acp'], slots: 5 },
      { name: 'right', labels: ['agent:codex:cli'], slots: 1 },
    ]);
    world.input({ kind: 'start' });
    world.input({ kind: 'fleet', workers: [{ labels: ['agent:codex:acp'] }] });
    expect(reasonOf(world, 'a')).toBe(
      'waits for a worker with the agent codex (cli); no worker that is here has it: `switchyard doctor` says how to install it',
    );
    world.offer();
    expect(world.task('a').phase).toMatchObject({ kind: 'leased', lease: { worker: 'right' } });
  });

  it('says why there are no more workers, where that is known', () => {
    const world = started({ id: 'a' });
    world.input({ kind: 'fleet', workers: [], note: 'local workers do not start: no sandbox' });
    expect(reasonOf(world, 'a')).toContain('(local workers do not start: no sandbox)');
  });

  it('is left alone while somebody may come whose labels nobody knows', () => {
    const world = started({ id: 'a', requires: ['gpu'] });
    expect(kinds(world.input({ kind: 'fleet', workers: [linux, {}] }))).toEqual([]);
  });

  it('is matched again when somebody comes, and leased', () => {
    const world = started({ id: 'a', requires: ['gpu'] });
    world.input({ kind: 'fleet', workers: [linux] });
    expect(kinds(world.input({ kind: 'fleet', workers: [linux, gpu] }))).toEqual(['task-matched']);
    expect(nextDeadline(world.state)).toBeUndefined();
    fleet.push({ name: 'w2', labels: gpu.labels, slots: 1 });
    expect(kinds(world.offer())).toEqual(['task-leased']);
  });

  it('fails with E_NO_WORKER when its wait is over, and its dependants are skipped', () => {
    const world = started({ id: 'a', requires: ['gpu'] }, { id: 'b', dependsOn: ['a'] });
    const at = world.now;
    world.input({ kind: 'fleet', workers: [linux] });
    expect(nextDeadline(world.state)).toBe(at + limits.noWorkerWaitMs);
    world.now = at + limits.noWorkerWaitMs - 1;
    expect(kinds(world.input({ kind: 'tick' }))).toEqual([]);
    world.now += 1;
    expect(kinds(world.input({ kind: 'tick' }))).toEqual(['task-failed', 'task-skipped', 'run-ended']);
    expect(reasonOf(world, 'a')).toMatch(/^E_NO_WORKER: no worker that offers gpu came for a within 30 min/);
  });

  it('does not wait while the run is paused; the wait begins anew afterwards', () => {
    const world = started({ id: 'a', requires: ['gpu'] });
    world.input({ kind: 'fleet', workers: [linux] });
    world.input({ kind: 'pause', reason: 'lunch' });
    expect(nextDeadline(world.state)).toBeUndefined();
    world.now += limits.noWorkerWaitMs * 2;
    world.input({ kind: 'tick' });
    expect(kinds(world.input({ kind: 'fleet', workers: [linux] }))).toEqual([]);
    world.input({ kind: 'resume' });
    expect(world.task('a').phase.kind).toBe('ready');
    expect(kinds(world.input({ kind: 'fleet', workers: [linux] }))).toEqual(['task-unmatched']);
    expect(nextDeadline(world.state)).toBe(world.now + limits.noWorkerWaitMs);
  });

  it('may be one of a type that the fleet has no worker for', () => {
    const world = started({ id: 'a', workerType: 'frontend' });
    expect(kinds(world.input({ kind: 'fleet', workers: [linux] }))).toEqual([]);
    world.input({ kind: 'fleet', workers: [{ labels: ['type:backend'] }] });
    expect(reasonOf(world, 'a')).toBe('waits for a worker with label type:frontend');
  });
});
