import { holdsPaths, isHanding, type RunState } from '@switchyard/scheduler';
import { must } from './must.ts';

/** The index says what a search of all tasks would say. Throws an Error that names what differs. */
export function checkIndex(state: RunState): void {
  const { index } = state;
  const tasks = [...state.tasks.values()];
  const ids = (...kinds: string[]): string[] =>
    tasks.filter(({ phase }) => kinds.includes(phase.kind)).map(({ task }) => task.id);
  const same = (name: string, kept: Iterable<string>, searched: readonly string[]): void =>
    must([...kept].toSorted().join() === searched.toSorted().join(), `the index of ${name} is wrong`);
  for (const [kind, count] of Object.entries(index.counts))
    must(ids(kind).length === count, `the count of ${kind} is wrong`);
  same('active', index.active, ids('leased', 'preparing', 'running'));
  same('reviewing', index.reviewing, ids('reviewing'));
  same('waiting', index.waiting, ids('waiting'));
  same(
    'handing',
    index.handing,
    tasks.filter(isHanding).map(({ task }) => task.id),
  );
  same('ready', [...index.ready, ...index.delayed], ids('ready'));
  const lacking = tasks.filter(({ phase }) => phase.kind === 'ready' && phase.lack !== undefined);
  same(
    'unmatched',
    index.unmatched,
    lacking.map(({ task }) => task.id),
  );
  const held = tasks.filter(holdsPaths).flatMap(({ task }) => task.workspace);
  same(
    'paths',
    [...index.paths.held].flatMap(([path, count]) => Array<string>(count).fill(path)),
    held,
  );
  const ways = [...state.queue, ...state.suspects, ...state.deferred];
  must(ways.length === new Set(ways).size, 'a task is on two ways to the branch');
}
