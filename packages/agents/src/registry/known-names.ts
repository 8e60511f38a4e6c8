import { readMcpServers } from '../mcp/mcp-catalogue.ts';
import type { AgentKind } from './agent-table.ts';
import { agentsByKind, readAgents } from './agents-file.ts';

/** The operator's files; absent: what Switchyard knows by itself. */
export interface NameFiles {
  readonly agents: string | undefined;
  readonly mcpServers: string | undefined;
}

/** The names that plans may use, for their checks. */
export interface KnownNames {
  readonly agents: Readonly<Record<AgentKind, readonly string[]>>;
  readonly mcpServers: readonly string[];
}

/** Throws AppError E_CONFIG. */
export function knownNames({ agents, mcpServers }: NameFiles): KnownNames {
  return { agents: agentsByKind(readAgents(agents)), mcpServers: [...readMcpServers(mcpServers).keys()] };
}

/** The operator's files by the variables that name them. */
export function nameFilesOf(env: Readonly<Record<string, string | undefined>>): NameFiles {
  return { agents: env['SWITCHYARD_AGENTS'], mcpServers: env['SWITCHYARD_MCP_SERVERS'] };
}
