import { matchRun, openSession as openAccess, type Session, type StartMode } from '@switchyard/access';
import type { SwitchyardClient } from '@switchyard/client';
import type { CommandContext, CommonOptions } from './context.ts';

export type { Session, StartMode } from '@switchyard/access';

/**
 * Connects to the orchestrator that a command means; on a screen, says so while one is being started. Throws AppError
 * E_UNREACHABLE, E_TOKEN and the like.
 */
export function openSession(
  context: CommandContext,
  options: CommonOptions,
  mode: StartMode,
): Promise<Session> {
  return openAccess({
    context,
    options,
    mode,
    waiting: (text) => context.terminal.err(`${text}\n`),
    whileStarting: (work) => toldMeanwhile(context, work),
  });
}

async function toldMeanwhile<Result>(
  { terminal }: CommandContext,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!terminal.isScreen) return work();
  terminal.out(terminal.paint.gray('starting an orchestrator …'));
  try {
    return await work();
  } finally {
    terminal.out('\r\u001B[K');
  }
}

/** Opens a session, does one thing with it, and closes it whatever happens. */
export async function withSession<Result>(
  open: { context: CommandContext; options: CommonOptions; mode: StartMode },
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(open.context, open.options, open.mode);
  try {
    const result = await work(session);
    if (open.mode.kind === 'look') await session.stop('it was only started to look');
    else await session.close();
    return result;
  } catch (error) {
    await session.stop('its command has failed');
    throw error;
  }
}

/** What to add to a word on a run that nobody carries on: the orchestrator was started for this command only. */
export function stoppedHint({ own }: Session, run: string): string {
  return own === undefined ? '' : `; the run stands still. To go on with it: switchyard resume ${run}`;
}

/** The run that a person means by its whole name or by a beginning that no other has. Throws AppError E_RUN_UNKNOWN. */
export async function meantRun(client: Pick<SwitchyardClient, 'runs'>, text: string): Promise<string> {
  return matchRun(
    (await client.runs()).map(({ run }) => String(run)),
    text,
  );
}
