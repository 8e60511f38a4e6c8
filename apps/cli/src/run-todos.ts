import type { RunView, TaskView } from '@switchyard/protocol';
import { oneLine } from './show-text.ts';
import type { Painter } from './terminal.ts';

/** One thing to do, in the form that agents keep their own lists in. */
export interface RunTodo {
  readonly content: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
  /** What is being done, while it is. */
  readonly activeForm: string;
  readonly priority: 'high' | 'medium' | 'low';
}

/** What is to be done for one item of a pipeline, or for what no pipeline holds. */
export interface TodoList {
  readonly item: string;
  readonly todos: readonly RunTodo[];
}

const words: Readonly<Record<TaskView['kind'], readonly [todo: string, active: string]>> = {
  implement: ['Do', 'Doing'],
  review: ['Review', 'Reviewing'],
  verify: ['Verify', 'Verifying'],
  manual: ['Have a person answer', 'Waiting for a person at'],
};

/** The todo lists of a run: one for each item of its pipelines, and one for everything else, in the order of the plan. */
export function runTodos({ name, tasks }: Pick<RunView, 'name' | 'tasks'>): TodoList[] {
  const awaited = new Map<string, number>();
  for (const id of tasks.flatMap(({ dependsOn }) => dependsOn)) awaited.set(id, (awaited.get(id) ?? 0) + 1);
  const lists = new Map<string, RunTodo[]>();
  for (const task of tasks) {
    const { item, step } = placeOf(task.id, name);
    const list = lists.get(item) ?? [];
    lists.set(item, list);
    list.push(todoOf(task, step, awaited.get(task.id) ?? 0));
  }
  return [...lists].map(([item, todos]) => ({ item, todos }));
}

/** `change/users/deploy` is the step deploy of the item change/users. */
function placeOf(id: string, run: string): { readonly item: string; readonly step: string } {
  const [, item, step] = /^([^/]+\/.+)\/([^/]+)$/.exec(id) ?? [];
  return item === undefined || step === undefined ? { item: run, step: id } : { item, step };
}

function todoOf({ kind, phase, reason }: TaskView, step: string, awaited: number): RunTodo {
  const [todo, active] = words[kind];
  const isOff = phase === 'failed' || phase === 'skipped' || phase === 'cancelled' || phase === 'rolled-back';
  const why = isOff ? ` (${phase}${reason === undefined ? '' : `: ${oneLine(reason)}`})` : '';
  return {
    content: `${todo} ${step}${why}`,
    status: statusOf(phase),
    activeForm: `${active} ${step}`,
    priority: awaited > 1 ? 'high' : awaited === 1 ? 'medium' : 'low',
  };
}

/** What came to nothing is still to be done. */
function statusOf(phase: TaskView['phase']): RunTodo['status'] {
  switch (phase) {
    case 'completed':
      return 'completed';
    case 'pending':
    case 'ready':
    case 'failed':
    case 'skipped':
    case 'cancelled':
    case 'rolled-back':
      return 'pending';
    default:
      return 'in_progress';
  }
}

/** The lists for people. */
export function todoLines(lists: readonly TodoList[], paint: Painter): string[] {
  return lists.flatMap(({ item, todos }) => {
    const done = todos.filter(({ status }) => status === 'completed').length;
    return [
      `${paint.bold(oneLine(item))} ${done}/${todos.length}`,
      ...todos.map(({ content, activeForm, status }) => {
        const sign = { completed: paint.green('✓'), in_progress: paint.yellow('▸'), pending: '·' }[status];
        return `  ${sign} ${oneLine(status === 'in_progress' ? activeForm : content)}`;
      }),
    ];
  });
}
