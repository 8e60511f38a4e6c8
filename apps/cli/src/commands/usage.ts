import { sumUsage, usdText, type RunView, type UsageRow } from '@switchyard/protocol';
import { Option, type Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { lookAtRun } from '../look-at-run.ts';
import { askOrRead } from '../ask-or-read.ts';
import { readViews } from '../offline.ts';
import { foldWidth, oneLine, tableText } from '../show-text.ts';

const groupings = ['task', 'attempt', 'agent', 'model'] as const;
type Grouping = (typeof groupings)[number];

interface UsageOptions extends CommonOptions {
  readonly by?: Grouping;
  readonly json?: boolean;
}

/** `usage [RUN]`: requests, tokens and money of runs, counted from what providers answered. */
export function addUsage(program: Command, context: CommandContext): void {
  program
    .command('usage [run]')
    .description('what runs used of models: requests, tokens, money')
    .addOption(new Option('--by <what>', 'a line for each').choices(groupings))
    .option('--json', 'as JSON: a row for each run, attempt and model')
    .action((name: string | undefined, options: UsageOptions, command: Command) =>
      showUsage(name, { ...commonOptions(command), ...options }, context),
    );
}

async function showUsage(
  name: string | undefined,
  options: UsageOptions,
  context: CommandContext,
): Promise<void> {
  const views =
    name === undefined ? await allViews(context, options) : [(await lookAtRun(name, context, options)).view];
  const rows = views.flatMap(({ run, usage = [] }) => usage.map((row) => ({ run, ...row })));
  const { out, paint } = context.terminal;
  if (options.json === true) return out(`${JSON.stringify(rows, undefined, 2)}\n`);
  if (rows.length === 0) return out('no model was asked for anything\n');
  const grouping = options.by ?? (name === undefined ? 'run' : 'task');
  const groups = new Map<string, UsageRow[]>();
  for (const row of rows) {
    const key = groupOf(row, grouping);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const [head = '', ...lines] = tableText(
    [
      [grouping, 'requests', 'read', 'cached', 'written', 'money'],
      ...[...groups].map(([key, some]) => cells(oneLine(key), some)),
      ...(groups.size > 1 ? [cells('all', rows)] : []),
    ],
    { width: foldWidth(context.terminal) },
  );
  const { pricesAsOf } = await import('@switchyard/agents');
  const foot = `money by list prices of ${pricesAsOf}, where the models file gives no others`;
  out(`${[paint.gray(head), ...lines, paint.gray(foot)].join('\n')}\n`);
}

function groupOf(row: UsageRow & { readonly run: string }, grouping: Grouping | 'run'): string {
  switch (grouping) {
    case 'run':
      return row.run;
    case 'task':
      return row.taskId;
    case 'attempt':
      return `${row.taskId} #${row.attempt}`;
    case 'agent':
      return row.agent;
    case 'model':
      return `${row.provider} ${row.model}`;
  }
}

function cells(name: string, rows: readonly UsageRow[]): string[] {
  const { requests, inputTokens, cachedTokens, outputTokens, microUsd } = sumUsage(rows);
  return [name, ...[requests, inputTokens, cachedTokens, outputTokens].map(String), usdText(microUsd)];
}

/** All runs, oldest first, from the orchestrator or from the journal. */
async function allViews(context: CommandContext, options: CommonOptions): Promise<readonly RunView[]> {
  return askOrRead<readonly RunView[]>(context, options, {
    ask: async ({ client }) => {
      const views: RunView[] = [];
      for (const { run } of await client.runs()) views.push(await client.run(run));
      return views;
    },
    read: readViews,
  });
}
