import { holdsPaths, type RunState } from '@switchyard/scheduler';

/** Cheaper than `expect`, for what is checked after every fact. */
export function must(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** A state or facts as text, maps and sets as lists, so that two can be compared. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    one instanceof Map || one instanceof Set ? [...one] : one,
  );
}

/** The index says what a search of all tasks would say. */
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
