import { limits, type Plan, type PlanProblem, type PlanTask } from '@switchyard/protocol';
import { lintGraph, type GraphTask } from './graph-lint.ts';
import { inOrder, problemAt, type Place } from './problem.ts';
import type { AgentsByKind } from './file-tasks.ts';
import { checkPath } from './repository-path.ts';
import { unshownId } from './task-id.ts';
import { unknownAgent, unknownServer } from './unknown-names.ts';

/** What there is here; what is absent is not checked. */
export interface AddedOptions {
  readonly executors?: readonly string[];
  readonly agents?: AgentsByKind;
  readonly mcpServers?: readonly string[];
}

/**
 * Checks tasks that are to be added to a running plan: the checks of the whole graph, except that an overlap with a
 * task of the plan is a warning (the new one waits). The places are `added tasks:N`, N the number of the task.
 */
export function checkAddedTasks(
  plan: Plan,
  tasks: readonly PlanTask[],
  options: AddedOptions = {},
): PlanProblem[] {
  const total = plan.tasks.length + tasks.length;
  if (total > limits.planTasks) return [problemAt(placeOf(0), tooMany(total))];
  const settled = plan.tasks.map((task) => graphTaskOf(task, { file: plan.name, line: 1, column: 1 }, true));
  const added = tasks.map((task, number) => graphTaskOf(task, placeOf(number), false));
  return inOrder([
    ...tasks.flatMap((task, number) => [
      ...unshownId(task.id, placeOf(number)),
      ...ownProblems(task, placeOf(number), options.executors),
      ...nameProblems(task, placeOf(number), options),
    ]),
    ...lintGraph([...settled, ...added]),
  ]);
}

const placeOf = (number: number): Place => ({ file: 'added tasks', line: number + 1, column: 1 });

/** A task of a canonical plan for the checks of the graph. */
export function graphTaskOf(task: PlanTask, place: Place, settled: boolean): GraphTask {
  return {
    id: task.id,
    place,
    dependsOn: task.dependsOn.map((id) => ({ id, place })),
    workspace: task.workspace,
    workspacePlace: place,
    settled,
  };
}

function ownProblems(task: PlanTask, place: Place, executors: readonly string[] | undefined): PlanProblem[] {
  const problems = task.workspace.flatMap((path) => {
    const checked = checkPath(path, `Workspace of task ${task.id}:`);
    if (checked.kind === 'wrong') return problemAt(place, checked.text);
    if (checked.path === path) return [];
    return problemAt(place, {
      code: 'PLAN_PATH_INVALID',
      message: `Workspace of task ${task.id}: ${JSON.stringify(path)} is not normalized`,
      fix: `write ${JSON.stringify(checked.path)}`,
    });
  });
  if (task.kind !== 'implement') return problems;
  if (task.workspace.length === 0)
    problems.push(
      problemAt(place, {
        code: 'PLAN_NO_WORKSPACE',
        message: `Task ${task.id} has no workspace, so it may write nothing`,
        fix: 'name the folders or files it may write',
      }),
    );
  if (task.executor.kind === 'command' && task.executor.run.length === 0)
    problems.push(
      problemAt(place, {
        code: 'PLAN_NO_COMMAND',
        message: `Task ${task.id} has no command to run`,
        fix: 'give its executor something to run',
      }),
    );
  if (executors?.includes(task.executor.kind) === false)
    problems.push(
      problemAt(place, {
        code: 'PLAN_EXECUTOR_UNAVAILABLE',
        message: `Task ${task.id} needs an executor of kind ${task.executor.kind}, which is not available here`,
        fix: `use one of: ${executors.join(', ')}`,
      }),
    );
  return problems;
}

/** Agents and MCP servers that nobody knows would fail each attempt. */
function nameProblems(
  { id, executor, mcpServers }: PlanTask,
  place: Place,
  { agents, mcpServers: servers }: AddedOptions,
): PlanProblem[] {
  const problems = mcpServers
    .filter((server) => servers?.includes(server) === false)
    .map((server) => problemAt(place, unknownServer({ id, server, known: servers ?? [] })));
  if (executor.kind !== 'acp' && executor.kind !== 'cli') return problems;
  const { agent, kind } = executor;
  const known = agents?.[kind];
  if (known?.includes(agent) === false)
    problems.push(problemAt(place, unknownAgent({ id, agent, kind, known })));
  return problems;
}

function tooMany(total: number): Parameters<typeof problemAt>[1] {
  return {
    code: 'PLAN_TOO_LARGE',
    message: `The plan would have ${total} tasks, over the limit of ${limits.planTasks}`,
    fix: 'start another run for them',
  };
}
