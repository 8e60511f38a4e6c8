import { AppError, unknownTask } from '@switchyard/protocol';
import { findRepository } from '@switchyard/access';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { lookAtRun, lookAtTasks } from '../look-at-run.ts';
import { publishedPlace } from '../published-place.ts';
import { foldWidth, oneLine } from '../show-text.ts';
import { viewLines } from '../view-text.ts';

interface ShowOptions extends CommonOptions {
  readonly json?: boolean;
  readonly task?: string;
  readonly todos?: boolean;
}

/** `run show RUN`: where a run stands, or what was tried with one of its tasks. */
export function addRunShow(run: Command, context: CommandContext): void {
  run
    .command('show <run>')
    .description('print where a run stands')
    .option('--task <task>', 'what was tried with one task: its output, acceptance commands and reviews')
    .option('--todos', 'as todo lists, one for each item of its pipelines')
    .option('--json', 'as JSON')
    .action((name: string, options: ShowOptions, command: Command) =>
      show(name, { ...commonOptions(command), ...options }, context),
    );
}

async function show(name: string, options: ShowOptions, context: CommandContext): Promise<void> {
  const { json = false, task, todos = false } = options;
  const { terminal } = context;
  if (task !== undefined && todos)
    throw new AppError('E_USAGE', '--task is about one task, --todos about all; leave one out');
  if (task !== undefined) return showTask(name, task, { options, context });
  const { view, isServed, unpublished } = await lookAtRun(name, context, options);
  if (todos) {
    const { runTodos, todoLines } = await import('../run-todos.ts');
    const lists = runTodos(view);
    const lines = todoLines(lists, terminal.paint).join('\n');
    return terminal.out(`${json ? JSON.stringify(lists, undefined, 2) : lines}\n`);
  }
  const stateFolder = await stateFolderOf(context, options);
  const isPlaced = view.finishedAt !== undefined && view.tip !== view.base && unpublished === undefined;
  const published = isPlaced ? await publishedPlace(view, context, options) : undefined;
  const text = json
    ? JSON.stringify({ ...view, ...(unpublished !== undefined && { unpublished }) }, undefined, 2)
    : viewLines(view, {
        ...{ paint: terminal.paint, isServed, unpublished, published, stateFolder },
        width: foldWidth(terminal),
      }).join('\n');
  terminal.out(`${text}\n`);
}

/** Where the state lies; undefined: on another machine. */
async function stateFolderOf(context: CommandContext, options: CommonOptions): Promise<string | undefined> {
  if ((options.hub ?? context.environment.hub) !== undefined) return undefined;
  return (await findRepository(context, options)).folder.root;
}

async function showTask(
  name: string,
  taskId: string,
  { options, context }: { options: ShowOptions; context: CommandContext },
): Promise<void> {
  const { terminal } = context;
  const { view, tasks } = await lookAtTasks(name, context, options);
  const task = view.tasks.find(({ id }) => id === taskId);
  const tried = tasks.find(({ id }) => id === taskId);
  if (task === undefined || tried === undefined)
    throw unknownTask(
      view.run,
      oneLine(taskId),
      view.tasks.map(({ id }) => oneLine(id)),
    );
  if (options.json === true) return terminal.out(`${JSON.stringify({ ...task, ...tried }, undefined, 2)}\n`);
  const { taskLines } = await import('../task-text.ts');
  const lines = taskLines(
    { run: view.run, task, tried },
    { paint: terminal.paint, width: foldWidth(terminal) },
  );
  terminal.out(`${lines.join('\n')}\n`);
}
