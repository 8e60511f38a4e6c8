import {
  progress,
  runPhases,
  taskKinds,
  taskPhases,
  type RunView,
  type TaskView,
} from '@switchyard/protocol';
import { z } from 'zod';
import { workerIdOf } from '@switchyard/protocol';

/** Tasks shown of one run; a larger one shows those that something happens to first. */
const tasksShown = 200;

const waiting = z.object({
  kind: z.enum(['gate', 'escalation', 'question']),
  text: z.string(),
  asked: z.number().describe('Names this asking for the tools that answer: another asking has another.'),
  deadline: z.string().describe('When the default is taken, as an ISO time.'),
  default: z.string().describe('What happens at the deadline.'),
  inputs: z.array(z.string()).optional().describe('Values that a gate asks for.'),
});

const taskShape = z.object({
  taskId: z.string(),
  workerId: z.string(),
  kind: z.enum(taskKinds),
  phase: z.enum(taskPhases),
  workspace: z.array(z.string()),
  dependsOn: z.array(z.string()),
  attempt: z.number(),
  round: z.number(),
  worker: z.string().optional().describe('The process that has its attempt.'),
  reason: z.string().optional(),
  waiting: waiting.optional(),
});

/** Where a run stands, for an agent. */
export const runShape = z.object({
  run: z.string(),
  name: z.string(),
  phase: z.enum(runPhases),
  paused: z.boolean(),
  branch: z.string().describe('Where integrated results are.'),
  strategy: z.string(),
  reason: z.string().optional(),
  progress,
  tasks: z.array(taskShape),
  tasksLeftOut: z.number(),
});
export type RunShape = z.infer<typeof runShape>;

/** The view of a run as tools show it. */
export function shapeOfRun(view: RunView): RunShape {
  const tasks = view.tasks.toSorted((a, b) => interest(b) - interest(a)).slice(0, tasksShown);
  return {
    run: view.run,
    name: view.name,
    phase: view.phase,
    paused: view.paused,
    branch: view.branch,
    strategy: `${view.strategy.chosen}: ${view.strategy.reason}`,
    ...(view.reason !== undefined && { reason: view.reason }),
    progress: view.progress,
    tasks: tasks.map((task) => shapeOfTask(view.run, task)),
    tasksLeftOut: view.tasks.length - tasks.length,
  };
}

function interest({ phase, waiting: wait }: TaskView): number {
  if (phase === 'waiting' || wait !== undefined) return 4;
  if (phase === 'failed') return 3;
  if (phase === 'completed' || phase === 'skipped' || phase === 'cancelled') return 0;
  return phase === 'pending' ? 1 : 2;
}

function shapeOfTask(run: string, task: TaskView): RunShape['tasks'][number] {
  return {
    taskId: task.id,
    workerId: workerIdOf(run, task.id),
    kind: task.kind,
    phase: task.phase,
    workspace: task.workspace,
    dependsOn: task.dependsOn,
    attempt: task.attempt,
    round: task.round,
    ...(task.worker !== undefined && { worker: task.worker }),
    ...(task.reason !== undefined && { reason: task.reason }),
    ...(task.waiting !== undefined && { waiting: shapeOfWait(task.waiting) }),
  };
}

function shapeOfWait(wait: NonNullable<TaskView['waiting']>): z.infer<typeof waiting> {
  return {
    kind: wait.kind,
    text: wait.text,
    asked: wait.since,
    deadline: new Date(wait.deadline).toISOString(),
    default: wait.default,
    ...(wait.inputs !== undefined && { inputs: wait.inputs.map(({ name }) => name) }),
  };
}

/** One line on a run and one on each task that is not done, for reading. */
export function textOfRun(shape: RunShape): string {
  const { progress: counts } = shape;
  const head = `run ${shape.run} is ${shape.phase}${shape.paused ? ' (paused)' : ''}: ${counts.completed} of ${counts.total} tasks completed, ${counts.running} running, ${counts.waiting} waiting for a person, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.cancelled} cancelled${shape.reason === undefined ? '' : `; ${shape.reason}`}`;
  const lines = shape.tasks.map(
    ({ taskId, phase, reason, waiting: wait }) =>
      `- ${taskId}: ${phase}${reason === undefined ? '' : ` (${reason})`}${wait === undefined ? '' : `; asks: ${wait.text}`}`,
  );
  const more = shape.tasksLeftOut > 0 ? [`- … ${shape.tasksLeftOut} more`] : [];
  return [head, ...lines, ...more].join('\n');
}
