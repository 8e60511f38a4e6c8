import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { followRun } from '../follow-run.ts';
import { leftOutText } from '../left-out.ts';
import { requireAgents } from '../missing-agents.ts';
import { isMarkdown } from '@switchyard/plan';
import { PlanTicker } from '../plan-ticker.ts';
import { readPlan } from '../plan-file.ts';
import { meantRun, openSession, stoppedHint, withSession } from '../session.ts';
import { AppError, exitCodes } from '@switchyard/protocol';
import { addRunShow } from './run-show.ts';

export interface RunOptions extends CommonOptions {
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly progress?: string;
  /** commander's name for `--no-tick`. */
  readonly tick: boolean;
  /** commander's name for `--no-sandbox`. */
  readonly sandbox: boolean;
}

/** `run PLAN`, and what can be done with runs: `run show|cancel|pause|resume|add`. */
export function addRun(program: Command, context: CommandContext): void {
  const run = program
    .command('run [plan]')
    .helpCommand(false)
    .description('run a plan and follow it; with a word below, do something with a run')
    .option('--detach', 'start the run and go')
    .option('--json', 'print one event a line, as JSON')
    .option('--progress <file>', 'keep a progress document up to date meanwhile; what you write in it stays')
    .option(
      '--no-tick',
      'leave the boxes of a Markdown plan as they are; `switchyard plan tick` ticks them later',
    )
    .option(
      '--no-sandbox',
      'let commands run without isolation (an orchestrator that runs already keeps its own setting)',
    )
    .action((plan: string | undefined, _options, command: Command) =>
      runPlan(plan, command.optsWithGlobals<RunOptions>(), context),
    );
  addRunShow(run, context);
  addOrders(run, context);
}

/** Runs a plan file and follows it. */
export async function runPlan(
  file: string | undefined,
  options: RunOptions,
  context: CommandContext,
): Promise<void> {
  if (file === undefined)
    throw new AppError(
      'E_USAGE',
      'which plan? `switchyard run PLAN` runs a file; `switchyard help run` shows the rest',
    );
  if (options.progress !== undefined && options.detach === true)
    throw new AppError(
      'E_USAGE',
      'with --detach nobody is there to keep a progress document; `switchyard progress RUN FILE --follow` does',
    );
  const plan = await readPlan(file, context);
  if (plan === undefined) return context.end(exitCodes.planInvalid.code);
  const { terminal } = context;
  const say = options.json === true ? terminal.err : terminal.out;
  const leftOut = await leftOutText({ file, plan }, context, options);
  if (leftOut !== undefined) terminal.err(`${leftOut}\n`);
  const flags = options.sandbox ? [] : ['--sandbox', 'off'];
  const session = await openSession(context, options, { kind: 'work', flags });
  if (!options.sandbox && session.own === undefined)
    terminal.err(
      'an orchestrator runs already and keeps its own sandbox setting; --no-sandbox changed nothing\n',
    );
  let run: string;
  try {
    if (session.own !== undefined) await requireAgents(plan, context);
    run = await session.client.submit(plan, file);
  } catch (error) {
    await session.stop('the plan was refused');
    throw error;
  }
  const count = `${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'}`;
  const where = session.own === undefined ? `, on the orchestrator at ${session.url}` : '';
  // The live view begins with it, too.
  if (!terminal.isScreen || options.detach === true) say(`run ${run}: ${count}${where}\n`);
  if (options.detach === true) {
    say(`to follow it: switchyard resume ${run}\n`);
    if (isMarkdown(file)) say(`to tick what it has completed: switchyard plan tick ${file} ${run}\n`);
    return session.detach();
  }
  const { json = false, progress } = options;
  const ticker = options.tick ? new PlanTicker(file, context) : undefined;
  context.end(await followRun({ context, options, session, run, json, progress, ticker }));
}

function addOrders(run: Command, context: CommandContext): void {
  run
    .command('cancel <run> [task]')
    .description('cancel a run, or one of its tasks')
    .option('--reason <text>', 'why', 'asked by a person')
    .action(
      async (name: string, taskId: string | undefined, { reason }: { reason: string }, command: Command) => {
        await order(command, context, name, (client, id) =>
          client.cancel(id, taskId === undefined ? { reason } : { taskId, reason }),
        );
        context.terminal.out(`cancelled ${taskId ?? name}\n`);
      },
    );
  run
    .command('pause <run>')
    .description('start no more tasks until it is resumed')
    .option('--reason <text>', 'why')
    .action(async (name: string, { reason }: { reason?: string }, command: Command) => {
      await order(command, context, name, (client, id) => client.pause(id, reason));
      context.terminal.out(`paused ${name}\n`);
    });
  run
    .command('resume <run>')
    .description('let a paused run go on (`switchyard resume` also follows it)')
    .action(async (name: string, _options, command: Command) => {
      const hint = await order(command, context, name, (client, id) => client.resume(id));
      context.terminal.out(`resumed ${name}${hint}\n`);
    });
  run
    .command('add <run> <file>')
    .description('add the tasks of a plan file to a run; they may depend on tasks of the run')
    .action((name: string, file: string, _options, command: Command) =>
      add(name, file, { options: commonOptions(command), context }),
    );
}

type Client = Parameters<Parameters<typeof withSession>[1]>[0]['client'];

/** One order to one run. A run that stands in the journal only goes on while its order is carried out. */
async function order(
  command: Command,
  context: CommandContext,
  name: string,
  tell: (client: Client, run: string) => Promise<void>,
): Promise<string> {
  const open = { context, options: commonOptions(command), mode: { kind: 'look' } as const };
  return withSession(open, async (session) => {
    const run = await meantRun(session.client, name);
    await tell(session.client, run);
    return stoppedHint(session, run);
  });
}

async function add(
  name: string,
  file: string,
  { options, context }: { options: CommonOptions; context: CommandContext },
): Promise<void> {
  const added = await withSession({ context, options, mode: { kind: 'look' } }, async ({ client }) => {
    const run = await meantRun(client, name);
    const { report } = await client.report(run);
    const plan = await readPlan(file, context, { addTo: report.plan });
    if (plan !== undefined) await client.addTasks(run, plan.tasks);
    return plan?.tasks.length;
  });
  if (added === undefined) return context.end(exitCodes.planInvalid.code);
  context.terminal.out(`added ${added} ${added === 1 ? 'task' : 'tasks'} to ${name}\n`);
}
