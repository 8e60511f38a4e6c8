import { exitCodes, type Plan } from '@switchyard/protocol';
import { analyzePlan, planJsonSchema, toDot, toMermaid } from '@switchyard/plan';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { readPlan } from '../plan-file.ts';
import { durationText } from '../show-text.ts';

/** `plan check`, `plan graph` and `plan schema`: nothing of them needs a daemon or a repository. */
export function addPlan(program: Command, context: CommandContext): void {
  const plan = program.command('plan').helpCommand(false).description('check and draw plans');
  plan
    .command('check <file>')
    .description('print all problems of a plan; without problems, what would run first and how')
    .action((file: string) => check(file, context));
  plan
    .command('graph <file>')
    .description('draw the tasks and what they wait for')
    .addOption(new Option('--format <format>', 'how').choices(['mermaid', 'dot', 'svg']).default('mermaid'))
    .action((file: string, options: { format: string }) => graph(file, options.format, context));
  plan
    .command('schema')
    .description('print the JSON Schema of plan files, for editors')
    .action(() => context.terminal.out(`${JSON.stringify(planJsonSchema(), undefined, 2)}\n`));
}

async function check(file: string, context: CommandContext): Promise<void> {
  const plan = await readPlan(file, context);
  if (plan === undefined) return context.end(exitCodes.planInvalid.code);
  context.terminal.out(`${checkLines(plan).join('\n')}\n`);
}

/** What is worth knowing of a plan before it runs. */
export function checkLines(plan: Plan): string[] {
  const analysis = analyzePlan(plan);
  const { strategy } = analysis;
  const asked = strategy.asked === 'auto' ? 'auto → ' : '';
  const hasEstimates = plan.tasks.some((task) => task.estimate.minutes !== undefined);
  const minutes = hasEstimates ? `, about ${durationText(analysis.criticalPathMinutes * 60_000)}` : '';
  return [
    `${plan.name}: ${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'}, no errors`,
    `ready at once (${analysis.ready.length}): ${listed(analysis.ready, ', ')}`,
    `critical path (${analysis.criticalPath.length}${minutes}): ${listed(analysis.criticalPath, ' → ')}`,
    `strategy: ${asked}${strategy.chosen}: ${strategy.reason}`,
    `at once: ${atOnce(analysis.width, plan.limits.workers)}`,
  ];
}

/** How many tasks the graph lets run at the same time, and whether the plan has the workers for them. */
function atOnce(width: number, workers: number): string {
  const most = `${width} ${width === 1 ? 'task' : 'tasks'} at most`;
  return workers < width ? `${most}, but limits.workers is ${workers}` : most;
}

function listed(ids: readonly string[], between: string): string {
  const shown = 20;
  const more = ids.length > shown ? `${between}… ${ids.length - shown} more` : '';
  return `${ids.slice(0, shown).join(between)}${more}`;
}

async function graph(file: string, format: string, context: CommandContext): Promise<void> {
  const plan = await readPlan(file, context);
  if (plan === undefined) return context.end(exitCodes.planInvalid.code);
  context.terminal.out(await drawing(plan, format));
}

async function drawing(plan: Plan, format: string): Promise<string> {
  switch (format) {
    case 'mermaid':
      return toMermaid(plan);
    case 'dot':
      return toDot(plan);
    case 'svg': {
      const { dotToSvg } = await import('@switchyard/report');
      return dotToSvg(toDot(plan));
    }
    default:
      throw new InvalidArgumentError(`no format ${format}`);
  }
}
