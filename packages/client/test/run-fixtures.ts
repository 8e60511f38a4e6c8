import type { Progress, RunEvent, RunEventKind, RunView, TaskPhase } from '@switchyard/protocol';
import { runEvent, runView } from '@switchyard/protocol';

export function progressOf(completed: number): Progress {
  return { total: 2, completed, failed: 0, skipped: 0, cancelled: 0, running: 0, waiting: 0 };
}

export function viewOf(
  phase: RunView['phase'],
  over: { completed?: number; task?: TaskPhase } = {},
): RunView {
  const task = {
    kind: 'implement',
    phase: over.task ?? 'pending',
    dependsOn: [],
    workspace: ['src'],
    attempt: 0,
    round: 1,
    since: 1,
  };
  return runView.parse({
    run: 'run-1',
    name: 'a run',
    phase,
    paused: false,
    createdAt: 1,
    branch: 'switchyard/run-1',
    base: 'a'.repeat(40),
    tip: 'a'.repeat(40),
    progress: progressOf(over.completed ?? 0),
    strategy: { asked: 'auto', chosen: 'max-parallel', reason: 'few tasks' },
    tasks: [
      { id: 'A', ...task },
      { id: 'B', ...task },
    ],
  });
}

export function eventOf(seq: number, kind: RunEventKind, over: Record<string, unknown> = {}): RunEvent {
  return runEvent.parse({
    run: 'run-1',
    seq,
    at: 1_000 + seq,
    kind,
    text: `${kind} at ${seq}`,
    progress: progressOf(0),
    ...over,
  });
}
