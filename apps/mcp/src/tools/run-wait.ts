import { writtenReport } from '@switchyard/access';
import type { RunHandle, SwitchyardClient } from '@switchyard/client';
import {
  isAppError,
  unknownTask,
  type RunEvent,
  type RunEventKind,
  type RunView,
} from '@switchyard/protocol';
import { systemClock } from '@switchyard/runtime';
import { z } from 'zod';
import { runArgument, taskArgument, workerArgument } from '../arguments.ts';
import { openProgress, type Progress } from '../progress.ts';
import { runShape, shapeOfRun, textOfRun } from '../run-shape.ts';
import { defineTool } from '../tool.ts';
import { taskOfWorkerId } from '@switchyard/protocol';

const outcomes = ['ended', 'task-settled', 'attention', 'timeout'] as const;
type Outcome = (typeof outcomes)[number];

/** Steps that a person following the run would want to hear of. */
const told: ReadonlySet<RunEventKind> = new Set([
  ...(['task-assigned', 'task-rejected', 'task-retrying', 'task-waiting', 'task-completed'] as const),
  ...(['task-asks', 'task-answered', 'task-assign-failed'] as const),
  ...(['task-failed', 'task-skipped', 'task-cancelled', 'tasks-added', 'verifying', 'verified'] as const),
  ...(['verify-failed', 'worker-unverifiable', 'paused', 'resumed', 'error'] as const),
]);
const settled: ReadonlySet<string> = new Set(['completed', 'failed', 'skipped', 'cancelled']);

/** Waits for a run without asking again and again. */
export const runWait = defineTool({
  name: 'run_wait',
  title: 'Wait for a run',
  description:
    'Waits until a run has ended, a task asks something, or the named task has ended, and tells progress meanwhile. Answers with where the run stands and why it came back: ended, task-settled, attention (a task waits for gate_approve, gate_reject or answer_escalation) or timeout (call it again). Clients that cut calls off after a minute need timeoutSeconds below that.',
  input: z.object({
    run: runArgument,
    taskId: taskArgument,
    workerId: workerArgument,
    timeoutSeconds: z.number().min(0).max(3600).default(50).describe('How long to wait at most.'),
    untilAttention: z.boolean().default(true).describe('Also come back when a task waits for an answer.'),
  }),
  output: z.object({ outcome: z.enum(outcomes), status: runShape }),
  changes: false,
  run: (args, { desk, context }) =>
    desk.station.ask(async (client) => {
      const run = await desk.run(client, args);
      const handle = client.watch(run, { after: 'now' });
      const progress = openProgress(context);
      try {
        const { outcome, view } = await waitFor(handle, {
          taskId: args.taskId ?? taskOfWorkerId(args.workerId)?.taskId,
          untilAttention: args.untilAttention,
          timeoutMs: args.timeoutSeconds * 1000,
          signal: context.mcpReq.signal,
          progress,
        });
        if (outcome === 'ended') await untilKept(client, run);
        const status = shapeOfRun(view);
        return { structured: { outcome, status }, text: `${outcome}: ${textOfRun(status)}` };
      } finally {
        progress.close();
        handle.close();
      }
    }),
});

/** What is said next looks at the branch, which comes into the user's repository a moment after the end. */
async function untilKept(client: SwitchyardClient, run: string): Promise<void> {
  try {
    await writtenReport(client, run, systemClock);
  } catch (error) {
    // The orchestrator has gone, which it does when all is kept; that the run has ended is known.
    if (!isAppError(error)) throw error;
  }
}

function requireTask({ run, tasks }: RunView, taskId: string | undefined): void {
  if (taskId !== undefined && !tasks.some(({ id }) => id === taskId))
    throw unknownTask(
      run,
      taskId,
      tasks.map(({ id }) => id),
    );
}

/** It waits, or its agent asks while it works. */
function asksSomething({ phase, waiting }: RunView['tasks'][number]): boolean {
  return phase === 'waiting' || waiting !== undefined;
}

interface Wait {
  readonly taskId: string | undefined;
  readonly untilAttention: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function waitFor(
  handle: RunHandle,
  { taskId, untilAttention, timeoutMs, signal, progress }: Wait,
): Promise<{ outcome: Outcome; view: RunView }> {
  const tell = (event: RunEvent): void => {
    const { completed, total } = event.progress;
    if (told.has(event.kind)) progress.tell(`${completed}/${total}: ${event.text}`);
  };
  const reasonIn = (view: RunView | undefined): Outcome | undefined => {
    const task = view?.tasks.find(({ id }) => id === taskId);
    if (task !== undefined && settled.has(task.phase)) return 'task-settled';
    return untilAttention && view?.tasks.some(asksSomething) === true ? 'attention' : undefined;
  };
  // From the start: events may come in the frame of the answer that opens it.
  const came = new Promise<Outcome>((resolve) =>
    handle.on('event', (event) => {
      tell(event);
      const outcome = reasonIn(handle.view());
      if (outcome !== undefined) resolve(outcome);
    }),
  );
  const first = await handle.opened;
  requireTask(first, taskId);
  const now = reasonIn(first);
  if (now !== undefined) return { outcome: now, view: first };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => (timer = setTimeout(resolve, timeoutMs, 'timeout')));
  // The client has gone or has cancelled: `finished` rejects.
  signal.addEventListener('abort', () => handle.close(), { once: true });
  if (signal.aborted) handle.close();
  try {
    const ended = handle.finished.then((): Outcome => 'ended');
    const outcome = await Promise.race([came, ended, late]);
    return { outcome, view: handle.view() ?? first };
  } finally {
    clearTimeout(timer);
  }
}
