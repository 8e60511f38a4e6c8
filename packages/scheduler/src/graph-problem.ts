import { dependenciesFirst, type PlanTask, type TaskId } from '@switchyard/protocol';

/** What makes these tasks no graph that could run: a double id, an unknown dependency, a circle; else undefined. */
export function graphProblem(tasks: readonly PlanTask[]): string | undefined {
  const ids = new Set<TaskId>();
  for (const { id } of tasks) {
    if (ids.has(id)) return `Task ${id} is there twice`;
    ids.add(id);
  }
  for (const { id, dependsOn } of tasks)
    for (const dependency of dependsOn)
      if (!ids.has(dependency)) return `Task ${id} depends on non-existent task ${dependency}`;
  const ordered = dependenciesFirst(tasks);
  if (ordered.length === tasks.length) return undefined;
  const done = new Set(ordered.map(({ id }) => id));
  return `Circular dependency detected: ${circleIn(tasks.filter(({ id }) => !done.has(id))).join(' → ')}`;
}

/** One circle among tasks that are all on one or behind one. */
function circleIn(tasks: readonly PlanTask[]): TaskId[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const path: TaskId[] = [];
  let task = tasks[0];
  while (task !== undefined && !path.includes(task.id)) {
    path.push(task.id);
    const next = task.dependsOn.find((id) => byId.has(id));
    task = next === undefined ? undefined : byId.get(next);
  }
  return task === undefined ? path : [...path.slice(path.indexOf(task.id)), task.id];
}
