import {
  acpExecutor,
  agentStates,
  cliExecutor,
  knownNames,
  mcpServerLaunch,
  programSearch,
  readAgents,
  readMcpServers,
  type AgentExecutorOptions,
  type Executor,
  type KnownNames,
  type McpServerLaunch,
} from '@switchyard/agents';
import { agentLabel } from '@switchyard/protocol';
import type { WorkerConfig } from './config.ts';

export interface AgentExecutors {
  readonly executors: readonly Executor[];
  /** What this worker offers: `executor:cli` and the like, `agent:<name>` and `agent:<name>:<kind>` for each that is installed. */
  readonly labels: readonly string[];
  /** What MCP servers are given and no transcript may hold. */
  readonly secrets: readonly string[];
  /** The names that plans may use here. */
  readonly names: KnownNames;
  /** How an MCP server of a task is started. Throws AppError E_MCP_SERVER. */
  readonly mcpLaunch: (name: string, tree: string) => McpServerLaunch;
}

/** The executors that drive agents, with the agents of this machine. Throws AppError E_CONFIG. */
export function agentExecutors(
  config: Pick<WorkerConfig, 'agents' | 'agentFolders' | 'mcpServers' | 'env'>,
  { clock, readRoomodes }: Pick<AgentExecutorOptions, 'clock' | 'readRoomodes'>,
): AgentExecutors {
  const options: AgentExecutorOptions = {
    agents: readAgents(config.agents),
    programs: programSearch(config.agentFolders, config.env),
    clock,
    ...(readRoomodes !== undefined && { readRoomodes }),
  };
  const installed = agentStates(options.agents, options.programs).filter(({ path }) => path !== undefined);
  const catalogue = readMcpServers(config.mcpServers);
  const executors = [cliExecutor(options), acpExecutor(options)];
  const secrets = [...catalogue.values()]
    .flatMap(({ env }) => env)
    .flatMap((variable) => config.env[variable] ?? []);
  return {
    executors,
    secrets,
    names: knownNames({ agents: config.agents, mcpServers: config.mcpServers }),
    mcpLaunch: (name, tree) =>
      mcpServerLaunch(name, { catalogue, search: options.programs, env: config.env, tree }),
    labels: [
      ...executors.map(({ kind }) => `executor:${kind}`),
      ...new Set(installed.flatMap(({ name, kind }) => [`agent:${name}`, agentLabel(name, kind)])),
    ],
  };
}
