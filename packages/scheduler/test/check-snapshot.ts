import type { TaskId } from '@switchyard/protocol';
import {
  evolve,
  restoreRun,
  runHead,
  snapshotRun,
  touchedBy,
  type RunFact,
  type RunSnapshot,
  type RunState,
} from '@switchyard/scheduler';
import { checkIndex, must } from '@switchyard/testkit';

/** As text that does not depend on the order in which sets, maps of the index and fields came to be. */
function sorted(state: unknown): string {
  return JSON.stringify(state, (key, one: unknown) => {
    if (one instanceof Set) return [...(one as Set<string>)].toSorted();
    if (one instanceof Map) {
      const entries = [...(one as Map<string, unknown>)];
      return key === 'tasks' ? entries : entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
    }
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * A snapshot taken after `place` facts, through JSON, and the rest of the facts give what all facts give; and copies of
 * tasks that are renewed only where `touchedBy` says so are those of the last state.
 */
export function checkSnapshot(facts: readonly RunFact[], place: number): void {
  let whole: RunState | undefined;
  let restored: RunState | undefined;
  const copies = new Map<TaskId, string>();
  for (const [index, fact] of facts.entries()) {
    whole = evolve(whole, fact);
    for (const id of touchedBy(whole, fact)) {
      const task = whole.tasks.get(id);
      if (task !== undefined) copies.set(id, JSON.stringify(task));
    }
    if (restored !== undefined) restored = evolve(restored, structuredClone(fact));
    if (index + 1 !== place) continue;
    restored = restoreRun(JSON.parse(JSON.stringify(snapshotRun(whole))) as RunSnapshot);
    checkIndex(restored);
    must(sorted(restored) === sorted(whole), 'a snapshot loses something');
    must([...restored.index.ready].join() === [...whole.index.ready].join(), 'ready tasks in another order');
  }
  if (whole === undefined || restored === undefined) throw new Error(`no fact ${place}`);
  must(sorted(restored) === sorted(whole), `a snapshot after ${place} facts goes another way`);
  const { tasks } = snapshotRun(whole);
  const ids = [...whole.tasks.keys()];
  for (const [index, task] of tasks.entries())
    must(copies.get(ids[index] as TaskId) === JSON.stringify(task), `${ids[index]} changed untold`);
  for (const part of ['tasks', 'verifications', 'index'])
    must(!(part in runHead(whole)), `a head holds ${part}`);
}
