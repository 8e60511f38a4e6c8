import type { Plan, PlanTask, Strategy, TaskId } from '@switchyard/protocol';
import { components, type Edges } from './task-order.ts';

/** Requests a minute that a task with a model makes when its plan does not say (DESIGN.md section 6). */
const taskRpm = 15;

/** What can be told of a plan before it runs. */
export interface PlanAnalysis {
  /** Tasks that can start at once, in the order of the file. */
  readonly ready: readonly TaskId[];
  /** The longest chain by estimated minutes (a task without an estimate counts as the mean of the others, or 1). */
  readonly criticalPath: readonly TaskId[];
  readonly criticalPathMinutes: number;
  /** Tasks in the longest chain. */
  readonly chainLength: number;
  /** Tasks of the widest level: how many could run at once if there were workers for all. */
  readonly width: number;
  /** Requests a minute to models when as much runs at once as the limits allow. */
  readonly expectedRpm: number;
  readonly strategy: { readonly asked: Strategy; readonly chosen: Strategy; readonly reason: string };
}

/** Analyzes a plan that has no problems: its dependencies exist and are without circles. */
export function analyzePlan(plan: Plan): PlanAnalysis {
  const edges = edgesOf(plan.tasks);
  const order = components(edges).flat();
  const levels = levelsOf(edges, order);
  const path = longestPath(plan.tasks, edges, order);
  const width = Math.max(0, ...countBy(levels));
  const shape = { chainLength: Math.max(0, ...levels) + 1, width, expectedRpm: expectedRpm(plan, levels) };
  return {
    ready: plan.tasks.filter((task) => task.dependsOn.length === 0).map((task) => task.id),
    criticalPath: path.tasks.flatMap((number) => plan.tasks[number]?.id ?? []),
    criticalPathMinutes: path.minutes,
    ...shape,
    strategy: chooseStrategy(plan, shape),
  };
}

function edgesOf(tasks: readonly PlanTask[]): Edges {
  const numbers = new Map(tasks.map((task, number) => [task.id, number]));
  return tasks.map((task) => task.dependsOn.flatMap((id) => numbers.get(id) ?? []));
}

/** For each task the length of the longest chain before it. */
function levelsOf(edges: Edges, order: readonly number[]): number[] {
  const levels = edges.map(() => 0);
  for (const task of order) {
    for (const dependency of edges[task] ?? [])
      levels[task] = Math.max(levels[task] ?? 0, (levels[dependency] ?? 0) + 1);
  }
  return levels;
}

function countBy(levels: readonly number[]): number[] {
  const counts: number[] = [];
  for (const level of levels) counts[level] = (counts[level] ?? 0) + 1;
  return counts;
}

interface Chain {
  readonly minutes: number;
  readonly length: number;
  readonly last: number;
  readonly before?: Chain;
}

/** Of chains of equal minutes, the one with more tasks. */
function longestPath(
  tasks: readonly PlanTask[],
  edges: Edges,
  order: readonly number[],
): { tasks: number[]; minutes: number } {
  const weights = weightsOf(tasks);
  const chains: Chain[] = [];
  let longest: Chain | undefined;
  for (const task of order) {
    let before: Chain | undefined;
    for (const dependency of edges[task] ?? []) before = longer(before, chains[dependency]);
    const minutes = (before?.minutes ?? 0) + (weights[task] ?? 0);
    const chain: Chain = {
      minutes,
      length: (before?.length ?? 0) + 1,
      last: task,
      ...(before && { before }),
    };
    chains[task] = chain;
    longest = longer(longest, chain);
  }
  const path: number[] = [];
  for (let chain = longest; chain !== undefined; chain = chain.before) path.unshift(chain.last);
  return { tasks: path, minutes: longest?.minutes ?? 0 };
}

function longer(a: Chain | undefined, b: Chain | undefined): Chain | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.minutes > a.minutes || (b.minutes === a.minutes && b.length > a.length) ? b : a;
}

function weightsOf(tasks: readonly PlanTask[]): number[] {
  const known = tasks.flatMap((task) => task.estimate.minutes ?? []);
  const mean = known.length === 0 ? 1 : known.reduce((sum, minutes) => sum + minutes, 0) / known.length;
  return tasks.map((task) => task.estimate.minutes ?? mean);
}

/** The level that asks most, of which no more run at once than there are workers, the most demanding first. */
function expectedRpm(plan: Plan, levels: readonly number[]): number {
  const byLevel = new Map<number, number[]>();
  for (const [number, task] of plan.tasks.entries()) {
    const rate = task.estimate.rpm ?? (task.executor.kind === 'command' ? 0 : taskRpm);
    const level = levels[number] ?? 0;
    const rates = byLevel.get(level) ?? [];
    rates.push(rate);
    byLevel.set(level, rates);
  }
  const sums = [...byLevel.values()].map((rates) =>
    rates
      .toSorted((a, b) => b - a)
      .slice(0, plan.limits.workers)
      .reduce((sum, rate) => sum + rate, 0),
  );
  return Math.max(0, ...sums);
}

interface Shape {
  readonly chainLength: number;
  readonly width: number;
  readonly expectedRpm: number;
}

/** The rule of DESIGN.md section 6, in its order; the last line is the case it leaves open. */
function chooseStrategy(plan: Plan, shape: Shape): PlanAnalysis['strategy'] {
  const asked = plan.strategy;
  if (asked !== 'auto') return { asked, chosen: asked, reason: 'the plan asks for it' };
  const atOnce = Math.min(shape.width, plan.limits.workers);
  const choose = (chosen: Strategy, reason: string) => ({ asked, chosen, reason });
  if (shape.expectedRpm > 3000)
    return choose(
      'rate-aware',
      `about ${Math.round(shape.expectedRpm)} requests a minute are expected, over 3000`,
    );
  if (atOnce > 20) return choose('rate-aware', `${atOnce} tasks can run at once, over 20`);
  if (shape.chainLength > 3)
    return choose('critical-path', `the longest chain has ${shape.chainLength} tasks, over 3`);
  if (shape.width <= 5)
    return choose('max-parallel', `their dependencies let at most ${shape.width} run at once, not over 5`);
  return choose(
    'max-parallel',
    `${shape.width} tasks are independent of each other in chains of at most ${shape.chainLength}: their order matters little`,
  );
}
