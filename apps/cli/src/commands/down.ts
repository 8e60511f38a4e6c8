import { isAppError, limits } from '@switchyard/protocol';
import { isAlive } from '@switchyard/runtime';
import type { Command } from 'commander';
import { commonOptions, type CommandContext, type CommonOptions } from '../context.ts';
import { findRepository, runningOrchestrator, type OrchestratorFile } from '@switchyard/access';
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
  const isAsked = running?.draining === true || (await ask(options, context, running));
  if (running === undefined) return context.terminal.out(ended);
  if (await hasGone(running, limits.drainMs + 2_000)) return context.terminal.out(ended);
  if (isAsked) return context.terminal.out(`process ${running.pid} still drains\n`);
  process.kill(running.pid, 'SIGKILL');
  await hasGone(running, killedMs);
  context.terminal.out(
    `process ${running.pid} did not answer and was killed; nothing is lost, its runs can be resumed\n`,
  );
}

const ended = 'ended; nothing is lost\n';
const killedMs = 2_000;

/** Asks it to end; one on this machine that does not answer gets a signal. False: only the signal. */
async function ask(
  options: CommonOptions,
  context: CommandContext,
  running?: OrchestratorFile,
): Promise<boolean> {
  try {
    const session = await openSession(context, options, { kind: 'never' });
    await session.client.shutdown('switchyard down');
    await session.close();
    return true;
  } catch (error) {
    if (running === undefined || !isAppError(error) || error.code !== 'E_UNREACHABLE') throw error;
    if (isAlive(running)) process.kill(running.pid, 'SIGTERM');
    return false;
  }
}

async function hasGone(running: OrchestratorFile, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isAlive(running) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  return !isAlive(running);
}
