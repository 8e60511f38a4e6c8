import { addAll, addBit, emptyRow, type BitRow } from './bit-row.ts';

/** For each task, by number, the numbers of the tasks it depends on directly. */
export type Edges = readonly (readonly number[])[];

/**
 * The strongly connected components, dependencies before dependants: one task each, unless tasks depend on each
 * other in a circle. Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own
 * instead of recursion, since chains are thousands long.
 */
export function components(edges: Edges): number[][] {
  const count = edges.length;
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const open = new Uint8Array(count);
  const stack: number[] = [];
  const found: number[][] = [];
  let next = 0;
  const enter = (task: number): Frame => {
    order[task] = low[task] = next;
    next += 1;
    open[task] = 1;
    stack.push(task);
    return { task, edge: 0 };
  };
  for (let start = 0; start < count; start += 1) {
    if (order[start] !== -1) continue;
    const frames = [enter(start)];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const target = edges[frame.task]?.[frame.edge];
      frame.edge += 1;
      if (target === undefined) {
        frames.pop();
        lower(low, frames.at(-1)?.task, low[frame.task] ?? 0);
        if (low[frame.task] === order[frame.task]) found.push(closeComponent(stack, open, frame.task));
      } else if (order[target] === -1) frames.push(enter(target));
      else if (open[target] === 1) lower(low, frame.task, order[target] ?? 0);
    }
  }
  return found;
}

interface Frame {
  readonly task: number;
  edge: number;
}

function lower(low: Int32Array, task: number | undefined, value: number): void {
  if (task !== undefined) low[task] = Math.min(low[task] ?? value, value);
}

function closeComponent(stack: number[], open: Uint8Array, root: number): number[] {
  const members = stack.splice(stack.lastIndexOf(root));
  for (const member of members) open[member] = 0;
  return members.toSorted((a, b) => a - b);
}

/**
 * For each task, those that can never run at the same time as it: all it depends on and all that depend on it,
 * transitively, and itself. Tasks of one circle count as ordered (the circle is a problem of its own).
 */
export function orderedWith(edges: Edges, parts: readonly (readonly number[])[]): BitRow[] {
  const count = edges.length;
  const before: BitRow[] = [];
  const after: BitRow[] = [];
  for (const part of parts) {
    const row = emptyRow(count);
    const later = emptyRow(count);
    for (const task of part) addBit(row, task);
    for (const task of part) addBit(later, task);
    for (const task of part) {
      for (const dependency of edges[task] ?? []) addAll(row, before[dependency] ?? row);
      before[task] = row;
      after[task] = later;
    }
  }
  for (const part of parts.toReversed()) {
    for (const task of part) {
      for (const dependency of edges[task] ?? [])
        addAll(after[dependency] ?? emptyRow(count), after[task] ?? emptyRow(count));
    }
  }
  return before.map((row, task) => {
    const both = row.slice();
    addAll(both, after[task] ?? row);
    return both;
  });
}

/** The shortest circle through the first task of a component, as tasks in the order of dependence. */
export function circleIn(edges: Edges, part: readonly number[]): number[] | undefined {
  const [start] = part;
  if (start === undefined) return undefined;
  if (edges[start]?.includes(start) === true) return [start];
  if (part.length === 1) return undefined;
  const members = new Set(part);
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (const task of queue) {
    for (const target of edges[task] ?? []) {
      if (target === start) return pathTo(task, cameFrom);
      if (!members.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, task);
      queue.push(target);
    }
  }
  return undefined;
}

function pathTo(end: number, cameFrom: ReadonlyMap<number, number>): number[] {
  const path: number[] = [];
  for (let task: number | undefined = end; task !== undefined; task = cameFrom.get(task)) path.unshift(task);
  return path;
}
