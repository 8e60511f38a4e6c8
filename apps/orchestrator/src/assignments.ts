import { isAppError, type AttemptKey, type TaskId } from '@switchyard/protocol';
import type { Lease, Owed, TaskState } from '@switchyard/scheduler';
import { assignmentOf } from './assignment.ts';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import { PatientTimers } from './patient-timer.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

/** A worker that does not answer an assignment for so long has not got it. */
const acceptTimeoutMs = 30_000;
/** Beyond its own time limit an attempt may take this long to prepare, check and hand in. */
const attemptSlackMs = 15 * 60_000;

interface AssignmentContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly send: Send;
  /** For how long requests of an attempt to its model had to wait so far, in milliseconds. */
  readonly heldMs: (attempt: Pick<AttemptKey, 'run' | 'taskId' | 'fence'>) => number;
}

/** Between two looks at an attempt that is held at its limit. */
const leastMs = 10_000;

interface Limited {
  readonly keeper: RunKeeper;
  readonly taskId: TaskId;
  readonly lease: Lease;
  readonly limitMs: number;
  readonly begunAt: number;
}

interface Watched {
  /** The connection in which the worker was told. */
  session?: number;
  cancelAccept?: () => void;
  cancelLimit: () => void;
}

/**
 * Tells workers what to do, and watches what was given out: an assignment that nobody accepts, or an attempt that
 * nobody speaks of any more, does not hold its task for ever.
 */
export class Assignments {
  private readonly watched = new Map<string, Watched>();
  private readonly context: AssignmentContext;
  private readonly timers: PatientTimers;

  constructor(context: AssignmentContext) {
    this.context = context;
    this.timers = new PatientTimers(context.ports.clock);
  }

  /** Tells the worker of a lease, once in each of its connections. */
  tell(keeper: RunKeeper, { taskId, lease }: Owed & { kind: 'assign' }): void {
    const worker = this.context.fleet.get(lease.worker);
    const task = keeper.state.tasks.get(taskId);
    if (worker === undefined || task === undefined) return;
    const watched = this.watch(keeper, taskId, lease);
    if (watched.session === worker.session) return;
    try {
      const payload = assignmentOf(keeper, task, lease);
      const sent = this.context.send(lease.worker, 'task-assignment', payload, { fence: lease.fence });
      if (sent === undefined) return;
    } catch (error) {
      if (!isAppError(error)) throw error;
      this.refuse(keeper, taskId, { lease, why: error.message });
      return;
    }
    watched.session = worker.session;
    watched.cancelAccept?.();
    watched.cancelAccept = this.timers.after(acceptTimeoutMs, () => {
      if (keeper.state.tasks.get(taskId)?.phase.kind !== 'leased') return;
      const seconds = acceptTimeoutMs / 1000;
      this.lose(keeper, taskId, {
        lease,
        why: `${lease.worker} did not accept the assignment within ${seconds} s`,
      });
    });
  }

  /** Watches a lease that is out. */
  watch(keeper: RunKeeper, taskId: TaskId, lease: Lease): Watched {
    const key = keyOf(keeper, taskId, lease.fence);
    const known = this.watched.get(key);
    if (known !== undefined) return known;
    const limitMs = (keeper.state.tasks.get(taskId)?.task.timeoutMs ?? 0) * 2 + attemptSlackMs;
    const watched: Watched = { cancelLimit: () => undefined };
    this.watched.set(key, watched);
    this.limit(
      watched,
      { keeper, taskId, lease, limitMs, begunAt: this.context.ports.clock.monotonic() },
      limitMs,
    );
    return watched;
  }

  /** The limit does not count what the attempt was held for: by the quota or the budget, or by its question. */
  private limit(watched: Watched, limited: Limited, delayMs: number): void {
    const { keeper, taskId, lease, limitMs, begunAt } = limited;
    watched.cancelLimit = this.timers.after(delayMs, () => {
      const { clock } = this.context.ports;
      const heldMs = this.context.heldMs({ run: keeper.run, taskId, fence: lease.fence });
      const askedMs = askedFor(keeper.state.tasks.get(taskId), clock.now());
      const leftMs = begunAt + limitMs + heldMs + askedMs - clock.monotonic();
      if (leftMs > 0) return this.limit(watched, limited, Math.max(leastMs, leftMs));
      const why = `no result within ${Math.round(limitMs / 60_000)} minutes`;
      this.lose(keeper, taskId, { lease, why });
    });
  }

  /** The lease has ended. */
  unwatch(keeper: RunKeeper, taskId: TaskId, fence: number): void {
    const key = keyOf(keeper, taskId, fence);
    const watched = this.watched.get(key);
    watched?.cancelAccept?.();
    watched?.cancelLimit();
    this.watched.delete(key);
  }

  close(): void {
    this.timers.close();
    this.watched.clear();
  }

  private lose(keeper: RunKeeper, taskId: TaskId, { lease, why }: { lease: Lease; why: string }): void {
    const at = this.context.ports.clock.now();
    this.context.loop.input(keeper, { at, kind: 'lost', taskId, fence: lease.fence, reason: why });
  }

  /** An assignment that fits into no message will not fit the next time either. */
  private refuse(keeper: RunKeeper, taskId: TaskId, { lease, why }: { lease: Lease; why: string }): void {
    const at = this.context.ports.clock.now();
    const message = `the task cannot be told to a worker: ${why}`.slice(0, 4000);
    this.context.loop.input(keeper, {
      at,
      kind: 'attempt-failed',
      taskId,
      fence: lease.fence,
      failure: { class: 'logic', code: 'E_TOO_LARGE', message },
    });
  }
}

/** For how long the last attempt of a task has waited for answers, in milliseconds. */
function askedFor(task: TaskState | undefined, now: number): number {
  const questions = task?.history.at(-1)?.questions ?? [];
  return questions.reduce((sum, { since, answer }) => sum + ((answer?.at ?? now) - since), 0);
}

function keyOf(keeper: RunKeeper, taskId: TaskId, fence: number): string {
  return `${keeper.run}/${taskId}#${fence}`;
}
