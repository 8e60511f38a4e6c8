import { AppError, exitCodes, type Plan, type RunView } from '@switchyard/protocol';
import type { CommandContext } from './context.ts';
import type { Interrupt } from './interrupt.ts';
import { requireAgents } from './missing-agents.ts';
import type { Session } from './session.ts';
import { oneLine } from './show-text.ts';

/** Where the run of a draft is carried out, and what ends it early. */
export interface DraftPlace {
  readonly session: Session;
  readonly context: CommandContext;
  readonly interrupt: Interrupt;
}

/**
 * Has the agent of a draft work once, to the end. On ctrl-C the run is cancelled: an agent that nobody waits for spends
 * money. So it is where nobody has the agent: a person waits here, and not half an hour for a worker. Throws AppError
 * E_AGENT_MISSING, what connections end with, and what a run is refused for.
 */
export async function runDraft(plan: Plan, place: DraftPlace): Promise<RunView | 'interrupted'> {
  const { session, context, interrupt } = place;
  if (session.own !== undefined) await requireAgents(plan, context);
  const run = await session.client.submit(plan, 'plan draft');
  const handle = session.client.watch(run);
  const missing = new Promise<AppError>((resolve) => {
    handle.on('event', ({ kind, text }) => {
      if (kind === 'task-waiting' || kind === 'task-asks')
        context.terminal.err(`  the agent asks: ${oneLine(text)} (run ${run})\n`);
      if (kind !== 'task-assign-failed') return;
      const error = agentMissing(plan, session);
      if (error === undefined) context.terminal.err(`  ${oneLine(text)}\n`);
      else resolve(error);
    });
  });
  try {
    const ended = await Promise.race([handle.finished, interrupt.happened, session.gone, missing]);
    if (ended === 'interrupted') await session.client.cancel(run, { reason: 'the draft was interrupted' });
    if (!(ended instanceof AppError)) return ended;
    if (ended.code === 'E_AGENT_MISSING') await session.client.cancel(run, { reason: ended.message });
    throw ended;
  } finally {
    handle.close();
  }
}

/** Nobody in the fleet can take the task; undefined: not for want of an agent. */
function agentMissing({ tasks }: Plan, { url }: Session): AppError | undefined {
  const executor = tasks[0]?.executor;
  if (executor?.kind !== 'acp' && executor?.kind !== 'cli') return undefined;
  return new AppError(
    'E_AGENT_MISSING',
    `no worker of the orchestrator at ${url} has the agent ${executor.agent} (${executor.kind}); \`switchyard doctor\` says how to install it here, and \`switchyard invite\` how to attach a worker that has it`,
  );
}

/** Says that ctrl-C has ended a draft, and ends the command so. */
export function tellInterrupted({ terminal, end }: CommandContext): void {
  // A terminal has shown `^C` where the cursor was.
  terminal.err(`${terminal.isScreen ? '\n' : ''}stopping; the draft is cancelled, and nothing is written\n`);
  end(exitCodes.interrupted.code);
}
