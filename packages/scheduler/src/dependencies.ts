import type { TaskId } from '@switchyard/protocol';
import { beginTask } from './begin-task.ts';
import type { Decision } from './decision.ts';
import type { TaskState } from './state.ts';

/** Looks at every task that may begin, or may never begin, since something it depends on has changed. */
export function settleDependants(decision: Decision): void {
  for (let id = decision.fresh.shift(); id !== undefined; id = decision.fresh.shift()) look(decision, id);
  for (let id = decision.settled.shift(); id !== undefined; id = decision.settled.shift())
    for (const dependant of decision.state.index.dependants.get(id) ?? []) look(decision, dependant);
}

/** Whether everything a task depends on is there. */
export function mayBegin(decision: Decision, task: Readonly<TaskState>): boolean {
  return task.task.dependsOn.every((id) => isThere(decision.task(id)));
}

/**
 * Whether dependants of a task may start: it is on the run branch, or on the candidate where verification comes at
 * the end, or it failed and its plan says that they go on.
 */
export function isThere(task: Readonly<TaskState>): boolean {
  const { phase } = task;
  if (phase.kind === 'verifying') return phase.onCandidate;
  return phase.kind === 'completed' || (phase.kind === 'failed' && task.task.onFailure === 'continue');
}

function look(decision: Decision, id: TaskId): void {
  if (decision.task(id).phase.kind === 'ready') waitAgain(decision, decision.task(id));
  const task = decision.task(id);
  if (task.phase.kind !== 'pending') return;
  const missing = task.task.dependsOn.find((dependency) => willNeverBeThere(decision.task(dependency)));
  if (missing !== undefined) skip(decision, id, missing);
  else if (mayBegin(decision, task)) beginTask(decision, id);
}

/**
 * Something it depends on was sent back while it was under way: it begins anew behind that, and lets go of its paths,
 * which that may need.
 */
function waitAgain(decision: Decision, { task }: Readonly<TaskState>): void {
  const because = task.dependsOn.find((id) => !isThere(decision.task(id)));
  if (because === undefined) return;
  const reason = `${because} was sent back`;
  decision.emit({ kind: 'task-reopened', taskId: task.id, because, reason });
}

function willNeverBeThere(task: Readonly<TaskState>): boolean {
  const { kind } = task.phase;
  return (
    kind === 'skipped' ||
    kind === 'cancelled' ||
    kind === 'rolled-back' ||
    (kind === 'failed' && !isThere(task))
  );
}

function skip(decision: Decision, taskId: TaskId, missing: TaskId): void {
  const { phase } = decision.task(missing);
  const because = phase.kind === 'skipped' ? phase.because : missing;
  const what = decision.task(because).phase.kind;
  const reason =
    because === missing ? `${because} ${verb(what)}` : `${because} ${verb(what)}, so ${missing} was skipped`;
  decision.emit({ kind: 'task-skipped', taskId, because, reason });
}

function verb(phase: TaskState['phase']['kind']): string {
  return phase === 'failed' ? 'failed' : `was ${phase.replace('-', ' ')}`;
}
