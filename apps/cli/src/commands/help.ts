import { AppError, closeCodes, errorTable, exitCodes, registry, type ErrorCode } from '@switchyard/protocol';
import { logFieldTable, metricTable } from '@switchyard/runtime';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { isHostedName, runHostedHere } from '../daemon-process.ts';
import { foldWidth, tableText, type TableOptions } from '../show-text.ts';

/** Lists of what is API, made from the tables that the program itself uses. */
const topics: Readonly<Record<string, (screen: TableOptions) => string[] | Promise<string[]>>> = {
  tables: tablesText,
  'exit-codes': (screen) =>
    tableText(
      Object.values(exitCodes).map(({ code, text }) => [String(code).padStart(3), text]),
      screen,
    ),
  errors: (screen) =>
    tableText(
      Object.entries(errorTable).map(([code, { exit, text }]) => [
        code,
        `exit ${exitCodes[exit].code}`,
        text,
      ]),
      screen,
    ),
  metrics: (screen) => tableText(Object.entries(metricTable), screen),
  'log-fields': (screen) => tableText(Object.entries(logFieldTable), screen),
  messages: (screen) =>
    tableText(
      Object.entries(registry).map(([type, { from, to, lane, answers, durable }]) => [
        type,
        `${from.join(', ')} → ${to.join(', ')}`,
        [
          lane,
          ...(durable ? ['kept until acknowledged'] : []),
          ...answers.map((answer: string) => `answer ${answer}`),
        ].join('; '),
      ]),
      screen,
    ),
  'close-codes': (screen) =>
    tableText(
      Object.values(closeCodes).map(({ code, text, reconnect }) => [
        String(code),
        reconnect ? 'comes back' : 'stays away',
        text,
      ]),
      screen,
    ),
};

/** `help`, `help COMMAND…`, `help TOPIC` and `help E_CODE`. */
export function addHelp(program: Command, context: CommandContext): void {
  program
    .command('help [words...]')
    .description(`help on a command, or on ${Object.keys(topics).join(', ')}`)
    .action((words: string[]): void | Promise<void> => {
      const topic =
        words.length === 1 && Object.hasOwn(topics, words[0] ?? '') ? topics[words[0] ?? ''] : undefined;
      if (topic !== undefined) return printTopic(topic, context);
      const [name = ''] = words;
      if (words.length === 1 && isErrorCode(name)) return printTopic(() => errorLines(name), context);
      if (isHostedName(name)) return runHostedHere(name, ['--help']);
      commandOf(program, words).outputHelp();
    });
}

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorTable, name);
}

function errorLines(code: ErrorCode): string[] {
  const { exit, text } = errorTable[code];
  return [`${code}: ${text}`, `exit ${exitCodes[exit].code}: ${exitCodes[exit].text}`];
}

async function printTopic(
  topic: (screen: TableOptions) => string[] | Promise<string[]>,
  { terminal }: CommandContext,
): Promise<void> {
  terminal.out(`${(await topic({ width: foldWidth(terminal) })).join('\n')}\n`);
}

/** Every table that can be queried, with its columns. */
async function tablesText(screen: TableOptions): Promise<string[]> {
  const { projectionTables } = await import('@switchyard/history');
  return Object.values(projectionTables).flatMap(({ name, text, columns, key }, place) => [
    ...(place === 0 ? [] : ['']),
    `${name}: ${text}`,
    ...tableText(
      columns.map((column, at) => [
        `  ${column.name}`,
        column.type,
        at < key ? `${column.text} (key)` : column.text,
      ]),
      screen,
    ),
  ]);
}

function commandOf(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined)
      throw new AppError(
        'E_USAGE',
        `there is no help on "${words.join(' ')}"; there is on every command, on every error code, and on ${Object.keys(topics).join(', ')}`,
      );
    command = next;
  }
  return command;
}
