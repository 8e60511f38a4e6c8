import { AppError } from '@switchyard/protocol';
import {
  createClient,
  type WatchOptions,
  type RunHandle,
  type RunHandleEvent,
  type RunProblem,
} from '@switchyard/client';
import { describe, expect, it } from 'vitest';
import { FakeLink, turn } from './fake-link.ts';
import { eventOf, progressOf, viewOf } from './run-fixtures.ts';

const names = [
  'started',
  'task-assigned',
  'task-assign-failed',
  'task-completed',
  'task-failed',
  'completed',
] as const;

function follow(options: WatchOptions = {}): { link: FakeLink; handle: RunHandle; told: string[] } {
  const link = new FakeLink();
  const handle = createClient(link).watch('run-1', options);
  const told: string[] = [];
  for (const name of names) handle.on(name, (event) => told.push(`${name} ${event.seq}`));
  handle.on('error', (problem) => told.push(`error ${problem.kind}`));
  return { link, handle, told };
}

async function opened(options: WatchOptions = {}) {
  const scene = follow(options);
  scene.link.settle('run-watched', { view: viewOf('running'), seq: 0 });
  await scene.handle.opened;
  return scene;
}

describe('a run handle', () => {
  it('asks for the whole history and tells its events by name', async () => {
    const { link, handle, told } = await opened();
    expect(link.asked).toMatchObject([{ type: 'run-watch', payload: { run: 'run-1', after: 0 } }]);
    const all: string[] = [];
    handle.on('event', (event) => all.push(event.kind));
    const kinds = [
      'started',
      'task-ready',
      'task-assigned',
      'task-assign-failed',
      'task-completed',
      'task-failed',
    ] as const;
    for (const [index, kind] of kinds.entries())
      link.push('run-event', eventOf(index + 1, kind, { taskId: 'A' }));
    expect(told).toEqual([
      'started 1',
      'task-assigned 3',
      'task-assign-failed 4',
      'task-completed 5',
      'task-failed 6',
    ]);
    expect(all).toEqual(kinds);
  });

  it('takes from an event what is said of its task, without its name in front', async () => {
    const { link, handle } = await opened();
    const text = 'A skipped: A person said so';
    link.push('run-event', eventOf(1, 'task-skipped', { taskId: 'A', text }));
    expect(handle.view()?.tasks[0]?.reason).toBe('skipped: A person said so');
    link.push('run-event', eventOf(2, 'task-ready', { taskId: 'B', text: 'Bees are ready' }));
    expect(handle.view()?.tasks[1]?.reason).toBe('Bees are ready');
  });

  it('tells only what happens from now on, and after a reconnect what came after that', async () => {
    const { link, told } = follow({ after: 'now' });
    link.push('run-event', eventOf(3, 'task-completed', { taskId: 'A' }));
    link.settle('run-watched', { view: viewOf('running'), seq: 5 });
    await turn();
    link.push('run-event', eventOf(5, 'task-completed', { taskId: 'A' }));
    link.push('run-event', eventOf(6, 'task-completed', { taskId: 'B' }));
    expect(told).toEqual(['task-completed 6']);
    link.connect();
    await turn();
    expect(link.asked.at(-1)).toMatchObject({ type: 'run-watch', payload: { after: 6 } });
  });

  it('loses nothing that comes together with the answer', async () => {
    const { link, told } = follow({ after: 'now' });
    link.settle('run-watched', { view: viewOf('running'), seq: 5 });
    link.push('run-event', eventOf(5, 'task-completed', { taskId: 'A' }));
    link.push('run-event', eventOf(6, 'task-completed', { taskId: 'B' }));
    await turn();
    expect(told).toEqual(['task-completed 6']);
  });

  it('keeps progress and view between answers', async () => {
    const { link, handle } = follow();
    expect(handle.getProgress()).toEqual({ ...progressOf(0), total: 0 });
    expect(handle.view()).toBeUndefined();
    link.settle('run-watched', { view: viewOf('planned'), seq: 3 });
    await handle.opened;
    link.push('run-event', eventOf(2, 'task-failed', { taskId: 'A', progress: progressOf(9) }));
    expect(handle.view()).toEqual(viewOf('planned'));
    link.push('run-event', eventOf(4, 'started'));
    link.push('run-event', eventOf(5, 'task-assigned', { taskId: 'A', worker: 'w', attempt: 1 }));
    link.push('run-event', eventOf(6, 'task-rejected', { taskId: 'A' }));
    link.push('run-event', eventOf(7, 'task-completed', { taskId: 'B', progress: progressOf(1) }));
    link.push('run-event', eventOf(8, 'paused', { progress: progressOf(1) }));
    expect(handle.getProgress()).toEqual(progressOf(1));
    expect(handle.view()).toMatchObject({
      phase: 'running',
      paused: true,
      startedAt: 1_004,
      tasks: [
        { id: 'A', phase: 'ready', worker: 'w', attempt: 1, round: 2 },
        { id: 'B', phase: 'completed' },
      ],
    });
    link.push('run-event', eventOf(9, 'resumed'));
    expect(handle.view()?.paused).toBe(false);
  });

  it('finishes with the exact last view', async () => {
    const { link, handle, told } = await opened();
    link.push('run-event', eventOf(1, 'completed', { progress: progressOf(2) }));
    expect(told).toEqual(['completed 1']);
    link.settle('run-got', { view: viewOf('completed', { completed: 2, task: 'completed' }) });
    expect((await handle.finished).tasks[0]?.phase).toBe('completed');
    expect(link.listeners).toBe(0);
  });

  it('finishes with its own view where the orchestrator has gone already', async () => {
    const { link, handle } = await opened();
    link.push('run-event', eventOf(1, 'completed', { progress: progressOf(2) }));
    link.lose();
    expect(await handle.finished).toMatchObject({
      phase: 'completed',
      finishedAt: 1_001,
      progress: progressOf(2),
    });
  });

  it.each(['failed', 'cancelled'] as const)('tells a run that %s as error, and finishes', async (kind) => {
    const { link, handle } = await opened();
    const problems: RunProblem[] = [];
    handle.on('error', (problem) => problems.push(problem));
    link.push('run-event', eventOf(1, kind));
    link.settle('run-got', { view: viewOf(kind) });
    expect((await handle.finished).phase).toBe(kind);
    expect(problems).toMatchObject([{ kind: 'run', text: `${kind} at 1` }]);
  });

  it('of a run that has ended tells its history first', async () => {
    const { link, handle, told } = follow();
    link.settle('run-watched', { view: viewOf('completed'), seq: 2 });
    await turn();
    link.push('run-event', eventOf(1, 'started'));
    link.push('run-event', eventOf(2, 'completed'));
    link.settle('run-got', { view: viewOf('completed') });
    link.settle('run-got', { view: viewOf('completed') });
    expect((await handle.finished).phase).toBe('completed');
    expect(told).toEqual(['started 1', 'completed 2']);
  });

  it('survives a reconnect: it asks for what came after its last event, and tells nothing twice', async () => {
    const { link, handle, told } = await opened();
    link.push('run-event', eventOf(1, 'started'));
    link.push('run-event', eventOf(2, 'task-assigned', { taskId: 'A' }));
    link.lose();
    link.connect();
    expect(link.asked.at(-1)).toMatchObject({ type: 'run-watch', payload: { after: 2 } });
    link.settle('run-watched', { view: viewOf('running', { completed: 1 }), seq: 3 });
    await turn();
    expect(handle.getProgress()).toEqual(progressOf(1));
    link.push('run-event', eventOf(2, 'task-assigned', { taskId: 'A' }));
    link.push('run-event', eventOf(3, 'task-completed', { taskId: 'A' }));
    expect(told).toEqual(['started 1', 'task-assigned 2', 'task-completed 3']);
  });

  it('survives losing the link while it asks', async () => {
    const { link, handle } = follow();
    link.lose();
    await turn();
    link.connect();
    link.lose();
    await turn();
    link.connect();
    expect(link.asked).toHaveLength(3);
    link.settle('run-watched', { view: viewOf('running'), seq: 0 });
    expect((await handle.opened).phase).toBe('running');
  });

  it('does not ask twice when the link comes up during its first request', async () => {
    const { link, handle } = follow();
    link.connect();
    link.settle('run-watched', { view: viewOf('running'), seq: 0 });
    await handle.opened;
    expect(link.asked).toHaveLength(1);
  });

  it('of a run that does not exist fails, once', async () => {
    const link = new FakeLink();
    link.answer = () => new AppError('E_RUN_UNKNOWN', 'no such run');
    const handle = createClient(link).watch('run-1');
    const problems: RunProblem[] = [];
    handle.on('error', (problem) => problems.push(problem));
    await expect(handle.opened).rejects.toMatchObject({ code: 'E_RUN_UNKNOWN' });
    await expect(handle.finished).rejects.toMatchObject({ code: 'E_RUN_UNKNOWN' });
    expect(problems).toMatchObject([{ kind: 'link', error: { code: 'E_RUN_UNKNOWN' } }]);
    expect(link.listeners).toBe(0);
  });

  it('gives up on an orchestrator that never answers', async () => {
    const link = new FakeLink();
    link.answer = () => new AppError('E_TIMEOUT', 'no answer');
    await expect(createClient(link).watch('run-1').finished).rejects.toMatchObject({ code: 'E_TIMEOUT' });
    expect(link.asked).toHaveLength(5);
  });

  it('starts after a position, minds its own run only, and stops when closed', async () => {
    const { link, handle, told } = await opened({ after: 7 });
    expect(link.asked[0]?.payload).toMatchObject({ after: 7 });
    link.push('run-event', eventOf(7, 'started'));
    link.push('run-event', { ...eventOf(8, 'started'), run: 'run-2' });
    link.push('run-event', eventOf(9, 'started'));
    expect(told).toEqual(['started 9']);
    handle.close();
    link.push('run-event', eventOf(10, 'started'));
    expect(told).toHaveLength(1);
    await expect(handle.finished).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  it('forgets a listener that was taken back', async () => {
    const { link, handle } = await opened();
    const seen: RunHandleEvent[] = [];
    const release = handle.on('started', () => seen.push('started'));
    release();
    link.push('run-event', eventOf(1, 'started'));
    expect(seen).toEqual([]);
  });

  it('looks again when tasks were added or wait for a person', async () => {
    const { link, handle } = await opened();
    link.push('run-event', eventOf(1, 'tasks-added'));
    link.settle('run-got', { view: viewOf('running', { task: 'waiting' }) });
    await turn();
    expect(handle.view()?.tasks[0]?.phase).toBe('waiting');
  });
});
