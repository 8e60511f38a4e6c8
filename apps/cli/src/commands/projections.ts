import { existsSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { findRepository } from '@switchyard/access';
import { oneLine, tableText } from '../show-text.ts';

/** `projections query SQL`, `projections rebuild`: the tables that are made from the journal for people. */
export function addProjections(program: Command, context: CommandContext): void {
  const group = program
    .command('projections')
    .description('ask what runs did in SQL; `switchyard help tables` lists tables and columns');
  group
    .command('query <sql>')
    .description('answer a select over runs, tasks, attempts, reviews and more')
    .option('--json', 'as JSON, an object a row')
    .action((sql: string, options: { json?: boolean }, command: Command) =>
      query(sql, { ...commonOptions(command), ...options }, context),
    );
  group
    .command('rebuild')
    .description('make the tables anew from the journal, also while an orchestrator runs')
    .action((_options, command: Command) => rebuild(commonOptions(command), context));
}

async function query(
  sql: string,
  options: CommonOptions & { json?: boolean },
  context: CommandContext,
): Promise<void> {
  const { folder } = await findRepository(context, options);
  if (!existsSync(folder.projectionsFile))
    throw new AppError(
      'E_NOT_FOUND',
      `there are no tables yet (${folder.projectionsFile}); \`switchyard projections rebuild\` makes them`,
    );
  const { queryTables } = await import('@switchyard/store');
  const { columns, rows } = queryTables(folder.projectionsFile, sql);
  const { out } = context.terminal;
  if (options.json === true) {
    const objects = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
    return out(`${JSON.stringify(objects, undefined, 2)}\n`);
  }
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell ?? ''))));
  out(`${tableText([columns, ...cells]).join('\n')}\n`);
}

async function rebuild(options: CommonOptions, context: CommandContext): Promise<void> {
  const { folder } = await findRepository(context, options);
  const { openJournalReader } = await import('@switchyard/store');
  const { rebuildProjections } = await import('@switchyard/history');
  const open = () => {
    const reader = openJournalReader(folder.journalFile);
    if (reader === undefined)
      throw new AppError(
        'E_NOT_FOUND',
        `there is no journal yet (${folder.journalFile}); the first run makes it`,
      );
    return reader;
  };
  const reader = open();
  const { name } = reader;
  reader.close();
  const { runs, facts, rows, reason } = rebuildProjections(folder.projectionsFile, name, open);
  const before = reason === undefined ? '' : ` (what was there could not be used: ${reason})`;
  context.terminal.out(`${rows} rows of ${runs} runs, made from ${facts} facts${before}\n`);
}
