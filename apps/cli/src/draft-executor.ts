import { AppError } from '@switchyard/protocol';

/** Who works, as a command line says it; nothing: a well-known agent. */
export interface WhoWorks {
  readonly agent?: string;
  readonly model?: string;
  readonly agentCommand?: string;
}

const usualAgent = 'claude-code';

/**
 * The same as a plan file says it; `agentsFile` has what the operator adds to the known agents. One that has a one-shot mode
 * is driven by that. Throws AppError E_USAGE, E_CONFIG.
 */
export async function executorOf(
  { agent, model, agentCommand }: WhoWorks,
  agentsFile: string | undefined,
): Promise<Record<string, unknown>> {
  if (agentCommand !== undefined) {
    if (agent !== undefined || model !== undefined)
      throw new AppError('E_USAGE', '--agent-command says alone who works; leave --agent and --model out');
    return { kind: 'command', run: agentCommand };
  }
  if (agent === undefined && model !== undefined) return { kind: 'llm', model };
  const { readAgents } = await import('@switchyard/agents');
  const name = agent ?? usualAgent;
  const kind = readAgents(agentsFile).get(name)?.cli === undefined ? 'acp' : 'cli';
  return { kind, agent: name, ...(model !== undefined && { model }) };
}
