import { AppError } from '@switchyard/protocol';
import { agentSpecs, type AgentSpec } from './agent-spec.ts';
import { knownAgents } from './known-agents.ts';

export type AgentTable = ReadonlyMap<string, AgentSpec>;

/** How an agent is driven. */
export const agentKinds = ['acp', 'cli'] as const;
export type AgentKind = (typeof agentKinds)[number];

/**
 * The known agents and what a configuration adds; an added one takes the place of a known one of its name. Throws
 * AppError E_CONFIG.
 */
export function agentTable(added: unknown = {}): AgentTable {
  const isMap = typeof added === 'object' && added !== null && !Array.isArray(added);
  const parsed = agentSpecs.safeParse(isMap ? { ...knownAgents, ...added } : added);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AppError(
      'E_CONFIG',
      `agents: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as it should be'}`,
    );
  }
  return new Map(Object.entries(parsed.data));
}

/** Names of the agents that can be driven so. */
export function agentNames(table: AgentTable, kind: AgentKind): string[] {
  return [...table].filter(([, spec]) => spec[kind] !== undefined).map(([name]) => name);
}

/** Throws AppError E_AGENT_UNKNOWN, which names those there are. */
export function findAgent(table: AgentTable, name: string, kind: AgentKind): AgentSpec {
  const found = table.get(name);
  if (found?.[kind] !== undefined) return found;
  const other = agentKinds.find((each) => each !== kind && found?.[each] !== undefined);
  const hint = other === undefined ? '' : `; it can be driven by an executor of kind ${other}`;
  throw new AppError(
    'E_AGENT_UNKNOWN',
    `no agent "${name}" is known for an executor of kind ${kind} (there are: ${agentNames(table, kind).join(', ')})${hint}`,
  );
}
