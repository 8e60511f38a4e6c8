import {
  peerView,
  runEvent,
  runView,
  type RunEvent,
  type RunView,
  type TaskPhase,
} from '@switchyard/protocol';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { eventLine, isTold, withoutName } from '../src/event-text.ts';
import { barLine, liveLines, type LiveInput } from '../src/live-view.ts';

const paint = pc.createColors(false);
const commit = 'a'.repeat(40);

const view = (phases: readonly TaskPhase[], more: Partial<RunView> = {}): RunView =>
  runView.parse({
    run: 'demo-abc',
    name: 'demo',
    phase: 'running',
    paused: false,
    createdAt: 1000,
    startedAt: 1000,
    branch: 'switchyard/demo-abc',
    base: commit,
    tip: commit,
    progress: {
      total: phases.length,
      completed: 1,
      failed: 0,
      skipped: 0,
      cancelled: 0,
      running: 1,
      waiting: 0,
    },
    strategy: { asked: 'auto', chosen: 'max-parallel', reason: 'few' },
    tasks: phases.map((phase, at) => ({
      id: `task-${at}`,
      kind: 'implement',
      phase,
      dependsOn: [],
      workspace: ['w'],
      attempt: 1,
      round: 1,
      worker: phase === 'running' ? 'worker-1' : undefined,
      since: 2000,
    })),
    ...more,
  });
const event = (more: Partial<RunEvent>): RunEvent =>
  runEvent.parse({
    run: 'demo-abc',
    seq: 1,
    at: 3000,
    kind: 'task-assigned',
    text: 'goes to worker-1',
    progress: view([]).progress,
    ...more,
  });
const input = (more: Partial<LiveInput>): LiveInput => ({
  view: view(['completed', 'running', 'pending']),
  events: [],
  peers: [],
  now: 5000,
  columns: 80,
  rows: 24,
  paint,
  ...more,
});

describe('the live view', () => {
  it('names who is missed and who died lately, not who died long ago, and counts neither dead', () => {
    const told = (peer: string, liveness: 'alive' | 'unverifiable' | 'dead', agoMs: number) =>
      peerView.parse({
        ...{ peer, role: 'worker', host: 'h', pid: 1, version: '0', labels: [], slots: 1, local: false },
        ...{ state: liveness === 'alive' ? 'idle' : liveness, liveness, livenessSince: 900_000 - agoMs },
        ...{ busy: 0, since: 1 },
      });
    const peers = [
      told('worker-1', 'alive', 900_000),
      told('worker-2', 'unverifiable', 12_000),
      told('worker-3', 'dead', 61_000),
      told('worker-4', 'dead', 600_000),
    ];
    const [head] = liveLines(input({ peers, now: 900_000, columns: 120 }));
    expect(head).toContain('max-parallel, 2 workers, worker-2 unverifiable 12s, worker-3 dead 1m01s');
    expect(head).not.toContain('worker-4');
  });

  it('shows title, bar, each task with its sign, worker and time, the workers and the last events', () => {
    const peers = [
      {
        peer: 'worker-1',
        role: 'worker',
        state: 'busy',
        host: 'h',
        pid: 1,
        version: '1',
        labels: [],
        slots: 1,
        busy: 1,
        local: true,
        since: 0,
      },
    ] as unknown as LiveInput['peers'];
    const task = view([]).tasks[0]?.id ?? ('task-1' as RunEvent['taskId']);
    expect(liveLines(input({ events: [event({ taskId: task })], peers, notes: ['a word'] }))).toEqual([
      'demo-abc  running  4.0s  max-parallel, 1 worker (1 busy)',
      '██████████░░░░░░░░░░░░░░░░░░░░░░ 1/3  1 running',
      '',
      '✔ task-0  completed',
      '▶ task-1  running      3.0s  worker-1',
      '· task-2  pending',
      '',
      '  2.0s  ▶ task-1  goes to worker-1',
      'a word',
    ]);
  });

  it('says in few words why a task is where it is, and nothing that its phase says already', () => {
    const reasons = [
      'is at work',
      'failed: E_IO: disk',
      'is ready',
      'task-3 was not needed: so a person said',
    ];
    const phases: TaskPhase[] = ['running', 'failed', 'ready', 'ready'];
    const tasks = view(phases).tasks.map((task, at) => ({ ...task, reason: reasons[at] }));
    expect(liveLines(input({ view: view(phases, { tasks }) })).slice(3)).toEqual([
      '▶ task-0  running    3.0s  worker-1',
      '✖ task-1  failed           E_IO: disk',
      '○ task-2  ready',
      '○ task-3  ready            task-3 was not needed: so a person said',
    ]);
  });

  it('shows three notes at most', () => {
    const notes = ['one', 'two', 'three', 'four'];
    expect(liveLines(input({ notes })).slice(-3)).toEqual(['one', 'two', '… and 2 more']);
  });

  it('never has more lines than the screen, and keeps those tasks that something happens to', () => {
    const phases = Array.from({ length: 5000 }, (_, at): TaskPhase =>
      at === 4321 ? 'waiting' : at === 17 ? 'running' : 'pending',
    );
    const lines = liveLines(
      input({
        view: view(phases),
        rows: 20,
        events: Array.from({ length: 9 }, () => event({})),
        notes: ['x'],
      }),
    );
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.join('\n')).toMatch(/▶ task-17 [^]*\? task-4321 [^]*… 49\d\d more tasks/);
  });

  it('keeps to the width and lets no control characters of tasks through', () => {
    const tasks = view(['running']).tasks.map((task) => ({
      ...task,
      reason: `\u001B[2Jevil\n${'long '.repeat(100)}`,
    }));
    const lines = liveLines(
      input({
        view: view(['running'], { tasks }),
        columns: 60,
        events: [event({ text: `\u001B]0;title\u0007${'x'.repeat(200)}` })],
      }),
    );
    // oxlint-disable-next-line no-control-regex -- looks for exactly these
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f]/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('says that a run is paused, and stops its clock at the end', () => {
    expect(liveLines(input({ view: view([], { paused: true }) }))[0]).toContain('paused');
    expect(
      liveLines(input({ view: view([], { phase: 'completed', finishedAt: 2500 }), now: 99_000 }))[0],
    ).toBe('demo-abc  completed  1.5s  max-parallel, no workers yet');
  });
});

describe('the bar', () => {
  it('is as wide as asked, whatever the counts', () => {
    for (let total = 0; total < 30; total += 1) {
      for (let completed = 0; completed <= total; completed += 1) {
        const tasks = Array.from({ length: total }, (_, at) => ({
          phase:
            at < completed
              ? ('completed' as const)
              : at % 2 === 0
                ? ('failed' as const)
                : ('verifying' as const),
        }));
        expect(barLine(tasks, { width: 20, paint }).split(' ')[0]).toHaveLength(20);
      }
    }
  });

  it('tells what is merged but not yet verified from what is completed', () => {
    const phases = ['completed', 'verifying', 'failed', 'pending'] as const;
    expect(
      barLine(
        phases.map((phase) => ({ phase })),
        { width: 8, paint },
      ),
    ).toBe('██▒▒██░░ 1/4  1 verifying, 1 failed');
  });
});

describe('a line for output that is no screen', () => {
  it('has time, progress, sign, task and what happened to it', () => {
    const told = event({
      at: 75_000,
      kind: 'task-assigned',
      taskId: 'b' as RunEvent['taskId'],
      text: 'b goes to w2 (attempt 2)',
    });
    expect(eventLine(told, { startedAt: 1000, idWidth: 5, paint, hasCounts: true })).toBe(
      ' 1m14s  1/0  ▶ b      goes to w2 (attempt 2)',
    );
  });

  it('says that nobody is there to take a task, and leaves a lost attempt to what follows from it', () => {
    expect(isTold(event({ kind: 'task-assign-failed', worker: undefined }))).toBe(true);
    expect(isTold(event({ kind: 'task-assign-failed', worker: 'w1' as RunEvent['worker'] }))).toBe(false);
  });

  it.each([
    ['a: its attempt is lost', 'its attempt is lost'],
    ['a is ready', 'is ready'],
    ['ab is ready', 'ab is ready'],
    ['other', 'other'],
  ])('%j does not name its task twice', (text, words) => expect(withoutName(text, 'a')).toBe(words));
});
