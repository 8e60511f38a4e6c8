import type { RunEvent, RunEventKind, RunPhase, RunView, TaskPhase, TaskView } from '@switchyard/protocol';

/** Where an event of this kind puts its task; absent: where it was. */
const taskPhaseOf: Partial<Record<RunEventKind, TaskPhase>> = {
  'task-ready': 'ready',
  'task-assigned': 'leased',
  'task-assign-failed': 'ready',
  'task-running': 'running',
  'task-submitted': 'submitted',
  'task-reviewing': 'reviewing',
  'task-rejected': 'ready',
  'task-retrying': 'ready',
  'task-waiting': 'waiting',
  'task-integrated': 'verifying',
  'task-completed': 'completed',
  'task-failed': 'failed',
  'task-skipped': 'skipped',
  'task-cancelled': 'cancelled',
};

const runPhaseOf: Partial<Record<RunEventKind, RunPhase>> = {
  started: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** The view after an event. Approximate between two answers of the orchestrator: an event does not carry all. */
export function evolveView(view: RunView, event: RunEvent): RunView {
  const phase = runPhaseOf[event.kind];
  const paused = event.kind === 'paused' || (view.paused && event.kind !== 'resumed');
  const ended = phase !== undefined && phase !== 'running';
  return {
    ...view,
    paused,
    progress: event.progress,
    ...(phase === undefined ? {} : { phase }),
    ...(event.kind === 'started' ? { startedAt: event.at } : {}),
    ...(ended ? { finishedAt: event.at, reason: event.text } : {}),
    tasks:
      event.taskId === undefined
        ? view.tasks
        : view.tasks.map((task) => (task.id === event.taskId ? evolveTask(task, event) : task)),
  };
}

function evolveTask(task: TaskView, event: RunEvent): TaskView {
  const phase = taskPhaseOf[event.kind];
  if (phase === undefined) return task;
  const { waiting, ...rest } = task;
  return {
    ...rest,
    phase,
    since: event.at,
    reason: event.text,
    ...(phase === 'waiting' && waiting !== undefined ? { waiting } : {}),
    ...(event.worker === undefined ? {} : { worker: event.worker }),
    ...(event.attempt === undefined ? {} : { attempt: event.attempt }),
    ...(event.kind === 'task-rejected' ? { round: task.round + 1 } : {}),
  };
}
