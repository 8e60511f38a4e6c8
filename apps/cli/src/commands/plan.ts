import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError, exitCodes, messageOf, type Plan } from '@switchyard/protocol';
import { type ExpandedPipeline, isMarkdown, planJsonSchema, toDot, toMermaid } from '@switchyard/plan';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { checkLines, pipelineLines } from '../check-lines.ts';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { lookAtRun } from '../look-at-run.ts';
import { readAsYaml, readPlan } from '../plan-file.ts';
import { oneLine } from '../show-text.ts';
import { tickPlan } from '../tick-plan.ts';
import { addPlanDraft } from './plan-draft.ts';

/** `plan …`: nothing of it but `plan tick` needs a repository, and nothing a daemon. */
export function addPlan(program: Command, context: CommandContext): void {
  const plan = program.command('plan').helpCommand(false).description('check, draft, draw and tick plans');
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
    .command('import <file>')
    .description('write a Markdown plan as YAML, with comments that name its lines')
    .option('-o, --output <file>', 'where to write it; it must not be there yet (default: standard output)')
    .action((file: string, options: { output?: string }) => importFile(file, options.output, context));
  plan
    .command('tick <file> <run>')
    .description('tick the boxes of a Markdown plan whose tasks a run has completed')
    .action((file: string, name: string, _options, command: Command) =>
      tick(file, name, { context, options: commonOptions(command) }),
    );
  addPlanDraft(plan, context);
  plan
    .command('schema')
    .description('print the JSON Schema of plan files, for editors')
    .action(() => context.terminal.out(`${JSON.stringify(planJsonSchema(), undefined, 2)}\n`));
}

async function check(file: string, context: CommandContext): Promise<void> {
  let pipelines: readonly ExpandedPipeline[] = [];
  const plan = await readPlan(file, context, { onPipelines: (told) => (pipelines = told) });
  if (plan === undefined) return context.end(exitCodes.planInvalid.code);
  context.terminal.out(`${[...checkLines(plan), ...pipelines.flatMap(pipelineLines)].join('\n')}\n`);
}

async function importFile(file: string, output: string | undefined, context: CommandContext): Promise<void> {
  const yaml = await readAsYaml(file, context);
  if (yaml === undefined) return context.end(exitCodes.planInvalid.code);
  if (output === undefined) return context.terminal.out(yaml);
  try {
    await writeFile(resolve(context.cwd, output), yaml, { flag: 'wx' });
  } catch (cause) {
    const why = isThere(cause) ? 'there is a file already' : messageOf(cause);
    throw new AppError('E_USAGE', `${output} cannot be written: ${why}`, { cause });
  }
  context.terminal.out(`wrote ${output}\n`);
}

function isThere(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
}

interface Asked {
  readonly context: CommandContext;
  readonly options: CommonOptions;
}

async function tick(file: string, name: string, { context, options }: Asked): Promise<void> {
  if (!isMarkdown(file))
    throw new AppError('E_USAGE', `${file} is no Markdown file; only plans that end in .md have boxes`);
  const { view } = await lookAtRun(name, context, options);
  const completed = new Set<string>(
    view.tasks.filter(({ phase }) => phase === 'completed').map(({ id }) => id),
  );
  const { ticked } = await tickPlan(resolve(context.cwd, file), {
    shown: file,
    isCompleted: (task) => completed.has(task),
  });
  const lines = ticked.map((text) => `  ${oneLine(text)}`);
  context.terminal.out(`${[...lines, `ticked ${ticked.length} in ${file}`].join('\n')}\n`);
}

async function graph(file: string, format: string, context: CommandContext): Promise<void> {
  const plan = await readPlan(file, context, { isDraft: true });
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
