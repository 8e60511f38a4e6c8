import { AppError, type LogFilter } from '@switchyard/protocol';
import { Option, type Command } from 'commander';
import type { CommandContext, CommonOptions } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { logText } from '../log-text.ts';
import { wholeNumber } from '../number-flag.ts';
import { meantRun, openSession } from '../session.ts';
import { oneLine } from '../show-text.ts';

interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly task?: string;
  readonly worker?: string;
  readonly run?: string;
  readonly level?: NonNullable<LogFilter['level']>;
  readonly lines: number;
  readonly json?: boolean;
}

/** `logs`: lines of all daemons, of other machines too. */
export function addLogs(program: Command, context: CommandContext): void {
  program
    .command('logs')
    .description('print the logs of the whole fleet')
    .option('-f, --follow', 'go on with new lines until ctrl-C')
    .option('--task <task>', 'only of this task')
    .option('--worker <name>', 'only of this worker or daemon')
    .option('--run <run>', 'only of this run')
    .addOption(
      new Option('--level <level>', 'this level and above').choices([
        'trace',
        'debug',
        'info',
        'warn',
        'error',
        'fatal',
      ]),
    )
    .option('-n, --lines <count>', 'how many earlier lines', (text: string) => wholeNumber(text, 10_000), 100)
    .option('--json', 'the lines as they were written')
    .action((_options, command: Command) => showLogs(command.optsWithGlobals<LogsOptions>(), context));
}

async function showLogs(options: LogsOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const follow = options.follow === true;
  const interrupt = new Interrupt(() => undefined);
  let isFound = false;
  const session = await openSession(context, options, follow ? { kind: 'never' } : { kind: 'look' });
  try {
    const run = await runOf(session.client, options.run);
    const feed = await session.client.logs(
      filterOf({ ...options, ...(run !== undefined && { run }) }),
      ({ daemon, line }) => {
        isFound = true;
        terminal.out(`${options.json === true ? line : logText(line, daemon, terminal.paint)}\n`);
      },
      {
        tail: options.lines,
        follow,
        onGap: (dropped) => terminal.err(`… ${dropped} lines dropped: this reader is too slow\n`),
      },
    );
    if (!isFound) terminal.err(`${nothingText(options)}\n`);
    if (follow) {
      const gone = new Promise<string>((resolve) =>
        session.onConnection((lost) => lost !== undefined && resolve(lost)),
      );
      const ended = await Promise.race([interrupt.happened, gone]);
      if (ended !== 'interrupted') throw new AppError('E_UNREACHABLE', `the orchestrator has gone: ${ended}`);
    }
    feed.close();
  } finally {
    interrupt.close();
    await session.stop('it was only started to look');
  }
}

/** A beginning of a name does, as for every command; review sessions are in no list of runs. */
async function runOf(
  client: Parameters<typeof meantRun>[0],
  named: string | undefined,
): Promise<string | undefined> {
  return named === undefined || named.startsWith('session-') ? named : meantRun(client, named);
}

/** A filter that leaves nothing may name what is not there. */
function nothingText(options: LogsOptions): string {
  const filters = (['run', 'task', 'worker', 'level'] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : `--${name} ${oneLine(value)}`;
  });
  const which = filters.length === 0 ? '' : ` for ${filters.join(' ')}`;
  return `no lines${which}${options.follow === true ? ' yet' : ''}; \`switchyard runs\`, \`switchyard run show RUN\` and \`switchyard workers\` say what there is`;
}

function filterOf({ task, worker, run, level }: LogsOptions): LogFilter {
  return {
    ...(task === undefined ? {} : { taskId: task }),
    ...(worker === undefined ? {} : { worker }),
    ...(run === undefined ? {} : { run }),
    ...(level === undefined ? {} : { level }),
  };
}
