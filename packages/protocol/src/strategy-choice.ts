import type { TaskId } from './ids.ts';
import type { Plan, PlanTask, Strategy } from './plan-schema.ts';

/** Requests a minute that a task with a model makes when its plan does not say (DESIGN.md section 6). */
const modelRpm = 15;

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

/** Requests a minute to models that a task is expected to make; commands make none unless the plan says so. */
export function expectedRpm(task: Pick<PlanTask, 'estimate' | 'executor'>): number {
  return task.estimate.rpm ?? (task.executor.kind === 'command' ? 0 : modelRpm);
}

/** The strategy a plan runs with, and why; `auto` is decided from the graph, its estimates and its limits. */
export function chooseStrategy(plan: Pick<Plan, 'strategy' | 'tasks' | 'limits'>): StrategyChoice {
  const asked = plan.strategy;
  if (asked !== 'auto') return { asked, chosen: asked, reason: 'the plan asks for it' };
  const choose = (chosen: Strategy, reason: string): StrategyChoice => ({ asked, chosen, reason });
  const { width, expectedRpm: rpm, chainLength: chain } = planShape(plan);
  const atOnce = Math.min(width, plan.limits.workers);
  if (rpm > autoRule.rpm)
    return choose(
      'rate-aware',
      `about ${Math.round(rpm)} requests a minute are expected, over ${autoRule.rpm}`,
    );
  if (atOnce > autoRule.concurrent)
    return choose('rate-aware', `${atOnce} tasks can run at once, over ${autoRule.concurrent}`);
  if (chain > autoRule.chain)
    return choose('critical-path', `the longest chain has ${chain} tasks, over ${autoRule.chain}`);
  if (width <= autoRule.independent)
    return choose(
      'max-parallel',
      `their dependencies let at most ${width} run at once, not over ${autoRule.independent}`,
    );
  return choose(
    'max-parallel',
    `${width} tasks are independent of each other in chains of at most ${chain}: their order matters little`,
  );
}

/** The ids along the longest path by estimated minutes, first to last; empty for no tasks. */
export function criticalPath(tasks: readonly GraphTask[]): TaskId[] {
  const dependants = dependantsOf(tasks);
  const length = remainingMinutes(tasks, dependants);
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

/** The numbers that `auto` chooses by. */
export interface PlanShape {
  /** Tasks in the longest chain of dependencies. */
  readonly chainLength: number;
  /** Tasks of the widest level: how many could run at once if there were workers for all. */
  readonly width: number;
  /** Requests a minute to models when as much runs at once as the limits allow. */
  readonly expectedRpm: number;
}

/** Measures the graph of a plan without circles. */
export function planShape(plan: Pick<Plan, 'tasks' | 'limits'>): PlanShape {
  const levels = levelsOf(plan.tasks);
  const rates: number[][] = [];
  for (const task of plan.tasks) (rates[levels.get(task.id) ?? 0] ??= []).push(expectedRpm(task));
  const atOnce = rates.map((row) => sum(row.toSorted((a, b) => b - a).slice(0, plan.limits.workers)));
  return {
    chainLength: rates.length,
    width: Math.max(0, ...rates.map((row) => row.length)),
    expectedRpm: Math.max(0, ...atOnce),
  };
}

/**
 * Task → minutes of the longest path that begins with it, itself included, by estimate; a task without one counts as
 * the mean of the others, or 1.
 * @param dependants what `dependantsOf` says of the tasks
 */
export function remainingMinutes(
  tasks: readonly GraphTask[],
  dependants: ReadonlyMap<TaskId, readonly TaskId[]> = dependantsOf(tasks),
): Map<TaskId, number> {
  const unknown = meanMinutes(tasks);
  const remaining = new Map<TaskId, number>();
  for (const task of dependenciesFirst(tasks, dependants).reverse()) {
    let below = 0;
    for (const dependant of dependants.get(task.id) ?? [])
      below = Math.max(below, remaining.get(dependant) ?? 0);
    remaining.set(task.id, below + (task.estimate.minutes ?? unknown));
  }
  return remaining;
}

/** Task → the tasks that depend on it directly, in plan order. */
export function dependantsOf(tasks: readonly Pick<PlanTask, 'id' | 'dependsOn'>[]): Map<TaskId, TaskId[]> {
  const dependants = new Map<TaskId, TaskId[]>();
  for (const { id } of tasks) dependants.set(id, []);
  for (const task of tasks)
    for (const dependency of distinct(task.dependsOn)) dependants.get(dependency)?.push(task.id);
  return dependants;
}

/**
 * The tasks, each after all it depends on; tasks of a cycle, or behind one, are left out.
 * @param dependants what `dependantsOf` says of the tasks
 */
export function dependenciesFirst<T extends Pick<PlanTask, 'id' | 'dependsOn'>>(
  tasks: readonly T[],
  dependants: ReadonlyMap<TaskId, readonly TaskId[]> = dependantsOf(tasks),
): T[] {
  const byId = new Map<TaskId, T>();
  for (const task of tasks) byId.set(task.id, task);
  const missing = new Map<TaskId, number>();
  for (const { id, dependsOn } of tasks) {
    let known = 0;
    for (const dependency of distinct(dependsOn)) if (byId.has(dependency)) known += 1;
    missing.set(id, known);
  }
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

/** Most tasks depend on one or none: no set for each of them. */
function distinct(ids: readonly TaskId[]): Iterable<TaskId> {
  return ids.length < 2 ? ids : new Set(ids);
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

function longestOf(ids: readonly TaskId[], length: ReadonlyMap<TaskId, number>): TaskId | undefined {
  let best: TaskId | undefined;
  for (const id of ids) if (best === undefined || (length.get(id) ?? 0) > (length.get(best) ?? 0)) best = id;
  return best;
}

function meanMinutes(tasks: readonly GraphTask[]): number {
  const known = tasks.flatMap((task) => task.estimate.minutes ?? []);
  return known.length === 0 ? 1 : sum(known) / known.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
