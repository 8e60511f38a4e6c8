import { limits } from '@switchyard/protocol';
import { processStart } from '@switchyard/runtime';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { findRepository, runningOrchestrator } from '@switchyard/access';
import { openSession } from '../session.ts';

/** `down`: ends the orchestrator of this repository and what it started; runs stay in the journal. */
export function addDown(program: Command, context: CommandContext): void {
  program
    .command('down')
    .description('end the orchestrator of this repository; its runs can be resumed')
    .action((_options, command: Command) => down(commonOptions(command), context));
}

async function down(options: CommonOptions, context: CommandContext): Promise<void> {
  const isRemote = options.hub !== undefined || context.environment.hub !== undefined;
  const running = isRemote ? undefined : runningOrchestrator((await findRepository(context, options)).folder);
  if (!isRemote && running === undefined)
    return context.terminal.out('no orchestrator runs for this repository\n');
  if (running?.draining !== true) {
    const session = await openSession(context, options, { kind: 'never' });
    await session.client.shutdown('switchyard down');
    await session.close();
  }
  const deadline = Date.now() + limits.drainMs + 2_000;
  while (running !== undefined && processStart(running.pid) === running.startedTicks && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const isThere = running !== undefined && processStart(running.pid) === running.startedTicks;
  context.terminal.out(isThere ? `process ${running.pid} still drains\n` : 'ended; nothing is lost\n');
}
