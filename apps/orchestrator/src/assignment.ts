import type { AcceptanceItem, PayloadInput, PlanTask } from '@switchyard/protocol';
import type { Lease, RunState, TaskState } from '@switchyard/scheduler';

/** The text of an acceptance item, as key of the criterion map and in lists for people. */
export function criterionOf(item: AcceptanceItem): string {
  return item.kind === 'text' ? item.text : (item.text ?? item.run);
}

export function criteriaOf(task: PlanTask): string[] {
  return task.acceptance.map(criterionOf);
}

/** What the worker is told; a function of the state, so that telling it twice says the same. */
export function assignmentOf(
  state: RunState,
  task: TaskState,
  lease: Lease,
): PayloadInput<'task-assignment'> {
  const { task: spec } = task;
  return {
    run: state.run,
    taskId: spec.id,
    attempt: lease.attempt,
    fence: lease.fence,
    instructions: spec.instructions,
    workspacePath: spec.workspace[0] ?? '',
    acceptanceCriteria: criteriaOf(spec),
    ...(spec.workerType === undefined ? {} : { workerType: spec.workerType }),
    kind: spec.kind,
    workspace: spec.workspace,
    reads: spec.reads,
    executor: spec.executor,
    acceptance: spec.acceptance,
    timeoutMs: spec.timeoutMs,
    base: lease.base,
    ...(task.continueFrom === undefined ? {} : { continueFrom: task.continueFrom }),
    ...(state.include === undefined ? {} : { include: state.include }),
    ...(state.plan.setup === undefined ? {} : { setup: state.plan.setup }),
    scratch: state.plan.scratch,
    round: Math.max(1, task.round),
    feedback: [...task.feedback],
    ...(task.answer === undefined ? {} : { answer: task.answer }),
  };
}
