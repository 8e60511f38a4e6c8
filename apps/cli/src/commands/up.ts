import { AppError, exitCodes } from '@switchyard/protocol';
import type { Command } from 'commander';
import type { CommandContext, CommonOptions } from '../context.ts';
import type { DaemonName } from '../daemon-process.ts';
import { Interrupt } from '../interrupt.ts';
import { findRepository, servingOrchestrator } from '@switchyard/access';
import { wholeNumber } from '../number-flag.ts';
import { Supervisor } from '../supervisor.ts';

interface UpOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: string;
  readonly tlsHosts?: string;
  readonly workers: number;
  readonly reviewers: number;
  readonly sandbox: boolean;
}

/** `up`: orchestrator, worker and reviewer on this machine, supervised until ctrl-C. */
export function addUp(program: Command, context: CommandContext): void {
  program
    .command('up')
    .description('start and supervise orchestrator, worker and reviewer until ctrl-C')
    .option('--host <address>', 'address to listen on (default 127.0.0.1)')
    .option('--port <number>', 'port to listen on (default 7420, or a free one)', portOf)
    .option(
      '--tls-hosts <names>',
      'turn TLS on, with a certificate for these names; needed for other machines',
    )
    .option('--workers <count>', 'how many workers', workersOf, 1)
    .option('--reviewers <count>', 'how many reviewers', workersOf, 1)
    .option('--no-sandbox', 'let commands run without isolation; reports say so')
    .action((_options, command: Command) => up(command.optsWithGlobals<UpOptions>(), context));
}

const workersOf = (text: string): number => wholeNumber(text, 50);
const portOf = (text: string): string => String(wholeNumber(text, 65_535));

async function up(options: UpOptions, context: CommandContext): Promise<void> {
  const repository = await findRepository(context, options);
  const running = await servingOrchestrator(repository.folder, {
    toWork: true,
    waiting: (text) => context.terminal.err(`${text}\n`),
  });
  if (running !== undefined)
    throw new AppError(
      'E_STATE_LOCKED',
      `process ${running.pid} is the orchestrator of ${repository.workTree} already; end it with \`switchyard down\``,
    );
  const place = ['--repository', repository.workTree, '--state', repository.folder.root];
  const common = [...place, '--end-with-input', ...(options.sandbox ? [] : ['--sandbox', 'off'])];
  const network = Object.entries({
    '--host': options.host,
    '--port': options.port,
    '--tls-hosts': options.tlsHosts,
  });
  context.terminal.err(
    `orchestrator, ${options.workers} × worker, ${options.reviewers} × reviewer for ${repository.workTree}; ctrl-C ends all.\n` +
      'In another terminal: switchyard run PLAN\n',
  );
  const supervisor = new Supervisor(context);
  const interrupt = new Interrupt(() => supervisor.killAll());
  supervisor.start('orchestrator', 'orchestrator', [
    ...common,
    ...network.flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
  ]);
  startMany(supervisor, 'worker', { count: options.workers, flags: common });
  startMany(supervisor, 'reviewer', { count: options.reviewers, flags: common });
  const ended = await Promise.race([interrupt.happened, supervisor.failed]);
  await supervisor.stop();
  interrupt.close();
  context.end(ended === 'interrupted' ? exitCodes.interrupted.code : ended);
}

function startMany(
  supervisor: Supervisor,
  role: Exclude<DaemonName, 'orchestrator'>,
  { count, flags }: { count: number; flags: string[] },
): void {
  for (let number = 1; number <= count; number += 1)
    supervisor.start(count === 1 ? role : `${role}-${number}`, role, flags);
}
