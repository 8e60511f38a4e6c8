import { AppError, type ExecutorSpec, type Plan } from '@switchyard/protocol';
import type { McpConfig } from './config.ts';

/**
 * Who works on a spawned task: as the server was told, else as on other tasks of the run, where that is an agent or a
 * model. Throws AppError E_USAGE.
 */
export async function defaultExecutor(config: McpConfig, plan?: Plan): Promise<ExecutorSpec> {
  const { agent, model, command } = config;
  if (agent !== undefined) return { kind: await kindOf(agent), agent };
  if (model !== undefined) return { kind: 'llm', model };
  if (command !== undefined) return { kind: 'command', run: [command] };
  const last = plan?.tasks.findLast(
    ({ kind, executor }) => kind === 'implement' && executor.kind !== 'command',
  );
  if (last !== undefined) return last.executor;
  throw new AppError(
    'E_USAGE',
    'who works on it? start the server with --agent, --model or --command, or give an executor such as {"run": ["./build.sh"]}',
  );
}

/** An agent that takes one prompt on its command line is driven so; the others speak ACP. */
async function kindOf(agent: string): Promise<'cli' | 'acp'> {
  const { agentTable } = await import('@switchyard/agents');
  return agentTable().get(agent)?.cli === undefined ? 'acp' : 'cli';
}
