import { AppError, limits, taskId as taskIdOf, type PlanTask, type TaskId } from '@switchyard/protocol';
import type { Decision } from './decision.ts';
import { graphProblem } from './graph-problem.ts';
import type { RunInput } from './input.ts';
import { isHanding } from './run-index.ts';

type FollowUps = RunInput & { readonly kind: 'follow-ups' };

/**
 * A completed task has handed in follow-ups. They are added where its plan says `add` and they ask for nothing that the
 * task was not given itself; else a gate asks a person. Follow-ups of follow-ups always ask, so that they have an end.
 */
export function decideFollowUps(decision: Decision, input: FollowUps): void {
  const { taskId, fence, tasks, problem } = input;
  if (!decision.state.tasks.has(taskId)) return;
  const from = decision.task(taskId);
  if (!isHanding(from) || from.history.at(-1)?.fence !== fence) return;
  const fault = problem ?? growthProblem(decision, tasks);
  if (fault !== undefined) {
    decision.emit({ kind: 'follow-ups-settled', taskId, fence, text: `refused: ${fault}`.slice(0, 4000) });
    return;
  }
  const next = tasks.map((task): PlanTask => ({
    ...task,
    followUps: task.followUps === 'ignore' ? 'ignore' : 'ask',
  }));
  const names = next.map(({ id }) => id).join(', ');
  if (from.task.followUps === 'add' && next.every((task) => isWithin(task, from.task))) {
    decision.emit({ kind: 'tasks-added', tasks: next });
    decision.emit({ kind: 'follow-ups-settled', taskId, fence, text: `added: ${names}`.slice(0, 4000) });
    return;
  }
  const gate = gateFor(decision, from.task, next);
  const behind = next.map((task): PlanTask => ({
    ...task,
    dependsOn: [...new Set([...task.dependsOn, gate.id])],
  }));
  const text = `proposed: ${names}; gate ${gate.id} asks`.slice(0, 4000);
  decision.emit({ kind: 'tasks-added', tasks: [gate] });
  decision.emit({ kind: 'follow-ups-settled', taskId, fence, text, gate: gate.id, proposed: behind });
}

/** A person lets proposed tasks in. Throws AppError E_PLAN_INVALID when they do not fit any more. */
export function addProposed(decision: Decision, tasks: readonly PlanTask[]): void {
  const fault = growthProblem(decision, tasks);
  if (fault !== undefined)
    throw new AppError(
      'E_PLAN_INVALID',
      `the follow-ups cannot be added any more: ${fault}; reject the gate`,
    );
  decision.emit({ kind: 'tasks-added', tasks });
}

function growthProblem({ state }: Decision, tasks: readonly PlanTask[]): string | undefined {
  const grown = [...state.plan.tasks, ...tasks];
  if (grown.length > limits.planTasks)
    return `the run would have ${grown.length} tasks, over ${limits.planTasks}`;
  return graphProblem(grown);
}

/** It writes, reads, runs and is reviewed as the task that hands it in, or less. */
function isWithin(task: PlanTask, from: PlanTask): boolean {
  const inside = (path: string): boolean =>
    from.workspace.some((place) => place === '.' || path === place || path.startsWith(`${place}/`));
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  return (
    task.kind === 'implement' &&
    task.workspace.every(inside) &&
    same(task.reads, from.reads) &&
    same(task.executor, from.executor) &&
    same(task.review, from.review) &&
    same(task.requires, from.requires) &&
    task.acceptance.every(({ kind }) => kind === 'text') &&
    task.mcpServers.every((server) => from.mcpServers.includes(server)) &&
    task.timeoutMs <= from.timeoutMs
  );
}

function gateFor({ state }: Decision, from: PlanTask, tasks: readonly PlanTask[]): PlanTask {
  const lines = tasks.map(({ id, instructions, workspace, executor }) => {
    const what = instructions.split('\n', 1)[0] ?? '';
    const runs = executor.kind === 'command' ? `; runs ${executor.run.join('; ')}` : `; by ${executor.kind}`;
    return `- ${id}: ${what.slice(0, 200)} (writes ${workspace.join(', ')}${runs.slice(0, 300)})`;
  });
  const text = [`${from.id} proposes follow-ups. Approve to add them to the run:`, ...lines].join('\n');
  const { gate: _gate, workerType: _type, ...rest } = from;
  return {
    ...rest,
    ...{
      id: freeName(state.tasks, `${from.id}: follow-ups`),
      kind: 'manual',
      instructions: text.slice(0, 4000),
    },
    ...{ workspace: [], dependsOn: [from.id], acceptance: [], requires: [], mcpServers: [], estimate: {} },
    ...{ executor: { kind: 'command', run: [] }, onFailure: 'skip-dependents', followUps: 'ignore' },
  };
}

function freeName(taken: ReadonlyMap<TaskId, unknown>, name: string): TaskId {
  for (let number = 1; ; number += 1) {
    const free = taskIdOf.parse(`${name.slice(0, 190)}${number === 1 ? '' : ` ${number}`}`);
    if (!taken.has(free)) return free;
  }
}
