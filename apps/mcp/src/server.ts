import { McpServer } from '@modelcontextprotocol/server';
import { programVersion } from '@switchyard/runtime';
import type { Desk } from './desk.ts';
import { maySpawn } from './mode.ts';
import { addOrchestratePrompt } from './orchestrate-prompt.ts';
import { addResources } from './resources.ts';
import { registerTool } from './tool.ts';
import { tools } from './tool-table.ts';

const instructions =
  'Switchyard runs coding agents and commands in parallel over one git repository; nothing is merged unreviewed and the ' +
  "user's checkout does not change. Write a plan, check it with plan_check, start it with run_start, or add tasks one at " +
  'a time with spawn_parallel_instance; follow with run_wait, verify with task_output, task_diff and report. The prompt ' +
  'orchestrate walks through all of it.';

/** One MCP server over the desk that all of a process share. Tools that change something exist in the orchestrator mode only. */
export function makeServer(desk: Desk): McpServer {
  const server = new McpServer(
    { name: 'switchyard', title: 'Switchyard', version: programVersion },
    { instructions, capabilities: { tools: {}, resources: {}, prompts: {} } },
  );
  const isOrchestrator = maySpawn(desk.config.mode);
  for (const tool of tools) if (isOrchestrator || !tool.changes) registerTool(server, tool, desk);
  addResources(server, desk);
  if (isOrchestrator) addOrchestratePrompt(server);
  return server;
}
