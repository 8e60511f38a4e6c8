import type { AcceptanceItem, PayloadInput, PlanTask } from '@switchyard/protocol';
import { valuesBefore, type Lease, type TaskState } from '@switchyard/scheduler';
import type { RunKeeper } from './run-keeper.ts';
import { upstreamOf } from './upstream.ts';

/** The text of an acceptance item, as key of the criterion map and in lists for people. */
export function criterionOf(item: AcceptanceItem): string {
  return item.kind === 'text' ? item.text : (item.text ?? item.run);
}

export function criteriaOf(task: PlanTask): string[] {
  return task.acceptance.map(criterionOf);
}

/** What the worker is told; a function of the state, so that telling it twice says the same. */
export function assignmentOf(
  { state, reviews }: Pick<RunKeeper, 'state' | 'reviews'>,
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
    ...(lease.resumeFrom === undefined ? {} : { resumeFrom: lease.resumeFrom }),
    ...(task.continueFrom === undefined || lease.resumeFrom !== undefined
      ? {}
      : { continueFrom: task.continueFrom }),
    ...(state.include === undefined ? {} : { include: state.include }),
    ...(state.plan.setup === undefined ? {} : { setup: state.plan.setup }),
    scratch: state.plan.scratch,
    round: Math.max(1, task.round),
    feedback: [...task.feedback],
    ...(task.answer === undefined ? {} : { answer: task.answer }),
    inputs: valuesBefore(state, spec),
    upstream: upstreamOf({ state, reviews }, spec.id),
    mcpServers: spec.mcpServers,
    ...(spec.draft === undefined ? {} : { draft: spec.draft }),
  };
}
