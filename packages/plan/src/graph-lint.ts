import { limits, nearest, type PlanProblem } from '@switchyard/protocol';
import { concurrentOverlaps } from './concurrent-overlap.ts';
import { contains, overlappingPaths } from './overlap.ts';
import { problemAt, type Place } from './problem.ts';
import { circleIn, components, orderedWith, type Edges } from './task-order.ts';

/** A task as the checks of the graph see it: from a file, or added to a running run. */
export interface GraphTask {
  readonly id: string;
  readonly place: Place;
  readonly dependsOn: readonly { readonly id: string; readonly place: Place }[];
  /** Normalized paths. */
  readonly workspace: readonly string[];
  readonly workspacePlace: Place;
  /** Stands already in a running plan: its own faults are not looked for again. */
  readonly settled?: boolean;
}

/** Everything wrong with the graph: double ids, dependencies on nothing, circles, overlaps of tasks that run at once. */
export function lintGraph(tasks: readonly GraphTask[]): PlanProblem[] {
  const numbers = new Map<string, number>();
  for (const [number, task] of tasks.entries()) if (!numbers.has(task.id)) numbers.set(task.id, number);
  const edges = edgesOf(tasks, numbers);
  const parts = components(edges);
  return [
    ...duplicateIds(tasks, numbers),
    ...badDependencies(tasks, numbers),
    ...circles(tasks, edges, parts),
    ...overlaps(tasks, edges, parts),
  ];
}

function edgesOf(tasks: readonly GraphTask[], numbers: ReadonlyMap<string, number>): Edges {
  return tasks.map((task) => [...new Set(task.dependsOn.flatMap(({ id }) => numbers.get(id) ?? []))]);
}

function duplicateIds(tasks: readonly GraphTask[], numbers: ReadonlyMap<string, number>): PlanProblem[] {
  return tasks.flatMap((task, number) => {
    const first = tasks[numbers.get(task.id) ?? number];
    if (first === undefined || first === task) return [];
    return problemAt(task.place, {
      code: 'PLAN_DUPLICATE_ID',
      message: `Task id ${task.id} is used twice; the first is ${first.settled === true ? 'in the running plan' : `at line ${first.place.line}`}`,
      fix: 'give each task an id of its own',
    });
  });
}

function badDependencies(tasks: readonly GraphTask[], numbers: ReadonlyMap<string, number>): PlanProblem[] {
  const problems: PlanProblem[] = [];
  for (const task of tasks) {
    const seen = new Set<string>();
    for (const { id, place } of task.dependsOn) {
      if (seen.has(id)) problems.push(repeated(task.id, id, place));
      else if (!numbers.has(id))
        problems.push(
          unknown(task.id, id, { place, numbers, suggest: problems.length <= limits.planProblemsShown }),
        );
      seen.add(id);
    }
  }
  return problems;
}

function repeated(task: string, dependency: string, place: Place): PlanProblem {
  return problemAt(place, {
    severity: 'warning',
    code: 'PLAN_DUPLICATE_DEPENDENCY',
    message: `Task ${task} names its dependency ${dependency} twice`,
    fix: 'keep one of them',
  });
}

/** Suggestions cost a comparison with every id, so only problems that will be shown get one. */
function unknown(
  task: string,
  dependency: string,
  how: { place: Place; numbers: ReadonlyMap<string, number>; suggest: boolean },
): PlanProblem {
  const name = how.suggest ? nearest(dependency, how.numbers.keys()) : undefined;
  return problemAt(how.place, {
    code: 'PLAN_UNKNOWN_DEPENDENCY',
    message: `Task ${task} depends on non-existent task ${dependency}`,
    fix: name === undefined ? 'add that task, or remove the dependency' : `did you mean ${name}?`,
  });
}

function circles(tasks: readonly GraphTask[], edges: Edges, parts: readonly number[][]): PlanProblem[] {
  return parts.flatMap((part) => {
    const circle = circleIn(edges, part);
    const names = circle?.map((number) => tasks[number]?.id ?? '') ?? [];
    const [first] = circle ?? [];
    const start = first === undefined ? undefined : tasks[first];
    if (start === undefined) return [];
    const target = names[1] ?? start.id;
    const place = start.dependsOn.find(({ id }) => id === target)?.place ?? start.place;
    return problemAt(place, {
      code: 'PLAN_CYCLE',
      message: `Circular dependency detected: ${[...names, start.id].join(' → ')}`,
      fix: 'remove one of these dependencies; each arrow reads "depends on"',
    });
  });
}

function overlaps(tasks: readonly GraphTask[], edges: Edges, parts: readonly number[][]): PlanProblem[] {
  const first = new Map(tasks.toReversed().map((task) => [task.id, task]));
  const workspaces = tasks.map((task) => (first.get(task.id) === task ? task.workspace : []));
  const pairs = concurrentOverlaps(workspaces, orderedWith(edges, parts), limits.planProblemsShown * 2);
  return pairs.flatMap(([first, second]) => {
    const [a, b] = [tasks[first], tasks[second]];
    if (a === undefined || b === undefined || (a.settled === true && b.settled === true)) return [];
    return overlapOf(a, b);
  });
}

function overlapOf(a: GraphTask, b: GraphTask): PlanProblem {
  const [left, right] = overlappingPaths(a.workspace, b.workspace) ?? ['.', '.'];
  const how =
    left === right
      ? `both write ${left}`
      : contains(left, right)
        ? `${right} of ${b.id} lies inside ${left} of ${a.id}`
        : `${left} of ${a.id} lies inside ${right} of ${b.id}`;
  const waits = a.settled === true;
  return problemAt(b.workspacePlace, {
    severity: waits ? 'warning' : 'error',
    code: 'PLAN_OVERLAP',
    message: `Tasks ${a.id} and ${b.id} can run at the same time, and ${how}`,
    fix: waits
      ? `nothing need be done: ${b.id} waits until ${a.id} lets go of it`
      : `give them separate workspaces, or add ${a.id} to dependsOn of ${b.id}`,
  });
}
