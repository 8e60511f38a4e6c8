import type { TaskId } from './ids.ts';
import type { Plan, PlanTask, Strategy } from './plan-schema.ts';

/** What a task is expected to take where the plan says nothing. */
export const expectedOf = { minutes: 1, rpm: 15 } as const;

/** The numbers by which `auto` chooses (DESIGN.md section 6). */
const autoRule = { rpm: 3000, concurrent: 20, chain: 3, independent: 5 } as const;

export interface StrategyChoice {
  readonly asked: Strategy;
  /** Never `auto`. */
  readonly chosen: Strategy;
  /** For people: why. */
  readonly reason: string;
}

type GraphTask = Pick<PlanTask, 'id' | 'dependsOn' | 'estimate'>;

/** The strategy a plan runs with, and why; what `auto` takes is decided from the graph and its estimates. */
export function chooseStrategy(plan: Pick<Plan, 'strategy' | 'tasks'>): StrategyChoice {
  const asked = plan.strategy;
  if (asked !== 'auto') return { asked, chosen: asked, reason: 'the plan asks for it' };
  const { width, rpm } = widestLevel(plan.tasks);
  const chain = longestChain(plan.tasks);
  if (rpm > autoRule.rpm)
    return {
      asked,
      chosen: 'rate-aware',
      reason: `${rpm} requests a minute are expected, over ${autoRule.rpm}`,
    };
  if (width > autoRule.concurrent)
    return {
      asked,
      chosen: 'rate-aware',
      reason: `${width} tasks can run at once, over ${autoRule.concurrent}`,
    };
  if (chain > autoRule.chain)
    return {
      asked,
      chosen: 'critical-path',
      reason: `the longest chain has ${chain} tasks, over ${autoRule.chain}`,
    };
  const few = width <= autoRule.independent ? `at most ${autoRule.independent} ` : '';
  return {
    asked,
    chosen: 'max-parallel',
    reason: `${few}tasks can run at once (${width}) and no chain is over ${autoRule.chain}`,
  };
}

/** The ids along the longest path by estimated minutes, first to last; empty for no tasks. */
export function criticalPath(tasks: readonly GraphTask[]): TaskId[] {
  const length = remainingMinutes(tasks);
  const dependants = dependantsOf(tasks);
  const path: TaskId[] = [];
  let next = longestOf(
    tasks.filter((task) => task.dependsOn.length === 0).map((task) => task.id),
    length,
  );
  while (next !== undefined) {
    path.push(next);
    next = longestOf(dependants.get(next) ?? [], length);
  }
  return path;
}

/** How many tasks the longest chain of dependencies has. */
export function longestChain(tasks: readonly GraphTask[]): number {
  let longest = 0;
  for (const level of levelsOf(tasks).values()) longest = Math.max(longest, level + 1);
  return longest;
}

/** Task → minutes of the longest path that begins with it, itself included, by estimate. */
export function remainingMinutes(tasks: readonly GraphTask[]): Map<TaskId, number> {
  const dependants = dependantsOf(tasks);
  const remaining = new Map<TaskId, number>();
  for (const task of dependenciesFirst(tasks).reverse()) {
    let below = 0;
    for (const dependant of dependants.get(task.id) ?? [])
      below = Math.max(below, remaining.get(dependant) ?? 0);
    remaining.set(task.id, below + (task.estimate.minutes ?? expectedOf.minutes));
  }
  return remaining;
}

/** Task → the tasks that depend on it directly, in plan order. */
export function dependantsOf(tasks: readonly Pick<PlanTask, 'id' | 'dependsOn'>[]): Map<TaskId, TaskId[]> {
  const dependants = new Map<TaskId, TaskId[]>(tasks.map((task) => [task.id, []]));
  for (const task of tasks)
    for (const dependency of new Set(task.dependsOn)) dependants.get(dependency)?.push(task.id);
  return dependants;
}

/** The tasks, each after all it depends on; tasks of a cycle, or behind one, are left out. */
export function dependenciesFirst<T extends Pick<PlanTask, 'id' | 'dependsOn'>>(tasks: readonly T[]): T[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const dependants = dependantsOf(tasks);
  const missing = new Map<TaskId, number>();
  for (const task of tasks)
    missing.set(task.id, new Set(task.dependsOn.filter((dependency) => byId.has(dependency))).size);
  const ordered = tasks.filter((task) => missing.get(task.id) === 0);
  for (const done of ordered)
    for (const id of dependants.get(done.id) ?? []) {
      const left = (missing.get(id) ?? 0) - 1;
      missing.set(id, left);
      const task = byId.get(id);
      if (left === 0 && task !== undefined) ordered.push(task);
    }
  return ordered;
}

/** Task → how many tasks the longest chain before it has. */
function levelsOf(tasks: readonly GraphTask[]): Map<TaskId, number> {
  const levels = new Map<TaskId, number>();
  for (const task of dependenciesFirst(tasks)) {
    let level = 0;
    for (const dependency of task.dependsOn) level = Math.max(level, (levels.get(dependency) ?? -1) + 1);
    levels.set(task.id, level);
  }
  return levels;
}

function widestLevel(tasks: readonly GraphTask[]): { width: number; rpm: number } {
  const levels = levelsOf(tasks);
  const sums = new Map<number, { width: number; rpm: number }>();
  for (const task of tasks) {
    const level = levels.get(task.id) ?? 0;
    const sum = sums.get(level) ?? { width: 0, rpm: 0 };
    sum.width += 1;
    sum.rpm += task.estimate.rpm ?? expectedOf.rpm;
    sums.set(level, sum);
  }
  let widest = { width: 0, rpm: 0 };
  for (const sum of sums.values())
    widest = { width: Math.max(widest.width, sum.width), rpm: Math.max(widest.rpm, sum.rpm) };
  return widest;
}

function longestOf(ids: readonly TaskId[], length: ReadonlyMap<TaskId, number>): TaskId | undefined {
  let best: TaskId | undefined;
  for (const id of ids) if (best === undefined || (length.get(id) ?? 0) > (length.get(best) ?? 0)) best = id;
  return best;
}
