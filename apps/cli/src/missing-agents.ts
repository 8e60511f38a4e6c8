import { AppError, type Plan } from '@switchyard/protocol';
import type { CommandContext } from './context.ts';

/**
 * Throws AppError E_AGENT_MISSING where tasks name agents that this machine does not have and no other can have: those of
 * an orchestrator that was started for this run alone work here.
 */
export async function requireAgents(plan: Plan, { environment }: CommandContext): Promise<void> {
  if (plan.tasks.every(({ executor }) => executor.kind !== 'acp' && executor.kind !== 'cli')) return;
  const { findProgram, missingProgram, programSearch, readAgents } = await import('@switchyard/agents');
  const { all } = environment;
  const table = readAgents(all['SWITCHYARD_AGENTS']);
  const search = programSearch(all['SWITCHYARD_AGENT_FOLDERS'], all);
  const missing = new Map<string, string>();
  for (const { id, executor } of plan.tasks) {
    if (executor.kind !== 'acp' && executor.kind !== 'cli') continue;
    const { agent, kind } = executor;
    const spec = table.get(agent);
    const program = spec?.[kind]?.program;
    // An unknown one was told with the plan.
    if (spec === undefined || program === undefined || findProgram(program, search) !== undefined) continue;
    const key = `${kind} ${agent}`;
    if (!missing.has(key))
      missing.set(key, `task ${id}: ${missingProgram(program, { agent, spec }).message}`);
  }
  if (missing.size === 0) return;
  throw new AppError(
    'E_AGENT_MISSING',
    `${[...missing.values()].join('\n')}\nor start \`switchyard up\` and attach a worker that has it (\`switchyard invite\`)`,
  );
}
