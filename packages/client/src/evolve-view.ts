import {
  limits,
  type RunEvent,
  type RunEventKind,
  type RunPhase,
  type RunView,
  type TaskPhase,
  type TaskView,
} from '@switchyard/protocol';

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
  'task-sent-back': 'pending',
  'task-rolled-back': 'rolled-back',
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
  const { pausedUntil, ...rest } = view;
  // Only an answer of the orchestrator says until when a new pause lasts.
  const isSame = paused && event.kind !== 'paused' && pausedUntil !== undefined;
  return {
    ...rest,
    paused,
    ...(isSame ? { pausedUntil } : {}),
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

/** What an event tells of a question; the next answer of the orchestrator has its whole text and its exact end. */
function askedBy({ text, at }: RunEvent): NonNullable<TaskView['waiting']> {
  return { kind: 'question', text, since: at, deadline: at + limits.questionWaitMs, default: 'escalate' };
}

/** What is said of its task: the text of an event names it first, the reason of a view does not. */
function reasonIn({ taskId, text }: RunEvent): string {
  if (taskId === undefined || !text.startsWith(taskId)) return text;
  const rest = text.slice(taskId.length);
  return /^:? \S/.test(rest) ? rest.replace(/^:? /, '') : text;
}

function evolveTask(task: TaskView, event: RunEvent): TaskView {
  const phase = taskPhaseOf[event.kind];
  const reason = reasonIn(event);
  if (event.kind === 'worker-unverifiable') return { ...task, reason };
  if (event.kind === 'worker-alive') return { ...task, reason: undefined };
  const { waiting, ...rest } = task;
  if (event.kind === 'task-asks') return { ...rest, waiting: askedBy(event), reason };
  if (event.kind === 'task-answered') return { ...rest, reason };
  if (phase === undefined) return task;
  return {
    ...rest,
    phase,
    since: event.at,
    reason,
    ...(phase === 'waiting' && waiting !== undefined ? { waiting } : {}),
    ...(event.worker === undefined ? {} : { worker: event.worker }),
    ...(event.attempt === undefined ? {} : { attempt: event.attempt }),
    ...(event.kind === 'task-rejected' ? { round: task.round + 1 } : {}),
  };
}
