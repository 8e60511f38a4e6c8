import { AppError, limits } from '@switchyard/protocol';
import { z } from 'zod';
import { defineTool, type Tool } from './tool.ts';
import { shortened, toolLimits } from './tool-limits.ts';

const useMcpTool = defineTool({
  name: 'use_mcp_tool',
  group: 'mcp',
  needs: 'mcp',
  isParallel: true,
  description: 'Calls a tool of one of the MCP servers of the task.',
  input: z.object({
    server_name: z.string().min(1).max(200),
    tool_name: z.string().min(1).max(200),
    arguments: z
      .union([z.record(z.string(), z.unknown()), z.string()])
      .default({})
      .describe('an object, or its JSON'),
  }),
  async run({ server_name: server, tool_name: tool, arguments: given }, { mcp, signal }) {
    if (mcp === undefined) throw new AppError('E_TOOL_DENIED', 'This task has no MCP servers.');
    const known = mcp.servers.find(({ name }) => name === server);
    if (known === undefined)
      throw unknown(
        'MCP server',
        server,
        mcp.servers.map(({ name }) => name),
      );
    if (!known.tools.some(({ name }) => name === tool))
      throw unknown(
        `tool of ${server}`,
        tool,
        known.tools.map(({ name }) => name),
      );
    const text = await mcp.callTool(server, tool, argumentsOf(given), signal);
    return shortened(text, toolLimits.outputChars);
  },
});

function unknown(what: string, name: string, known: readonly string[]): AppError {
  return new AppError(
    'E_TOOL_INPUT',
    `There is no ${what} "${name}"; there is: ${known.join(', ') || 'none'}.`,
  );
}

/** Throws E_TOOL_INPUT for a text that is no JSON object. */
function argumentsOf(given: string | Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof given !== 'string') return given;
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(given));
  } catch (cause) {
    throw new AppError('E_TOOL_INPUT', 'arguments is no JSON object', { cause });
  }
}

/** Adds a task; only who orchestrates has it. */
export const spawnParallelInstance = defineTool({
  name: 'spawn_parallel_instance',
  group: 'spawn',
  needs: 'spawn',
  description:
    'Adds a task to the run, which a worker carries out in parallel, in a workspace of its own. Only in orchestrator mode.',
  input: z.object({
    taskId: z.string().min(1).max(200).describe('a name of its own'),
    workspacePath: z.string().min(1).max(toolLimits.pathChars).describe('the folder it alone may write'),
    systemPrompt: z.string().min(1).max(64_000).describe('what it is to do, with acceptance criteria'),
    mcpServers: z
      .union([z.array(z.string()), z.string()])
      .optional()
      .describe('names of MCP servers: a list, its JSON, or comma separated'),
  }),
  async run({ mcpServers, ...request }, { spawn }) {
    if (spawn === undefined)
      throw new AppError('E_TOOL_DENIED', 'There is no run here that a task could join.');
    const answer = await spawn({ ...request, mcpServers: serverNames(mcpServers) });
    return JSON.stringify(answer);
  },
});

/** Hands in the plan that a task is to draft; only who orchestrates has it. */
export const handInPlan = defineTool({
  name: 'hand_in_plan',
  group: 'spawn',
  needs: 'handInPlan',
  description:
    'Hands in the plan that your task is to draft. It is checked at once: the answer has its problems, or says that it is accepted.',
  input: z.object({
    plan: z.string().min(1).max(limits.draftChars).describe('the whole plan, as YAML'),
  }),
  async run({ plan }, ports) {
    if (ports.handInPlan === undefined)
      throw new AppError('E_TOOL_DENIED', 'This task is not to draft a plan.');
    return ports.handInPlan(plan);
  },
});

/** A list, the JSON of one, or comma separated; JSON that is no list counts as the latter. */
export function serverNames(given: string | readonly string[] | undefined): string[] {
  if (given === undefined) return [];
  const names = typeof given === 'string' ? (jsonList(given) ?? given.split(',')) : given;
  return names.map((name) => String(name).trim()).filter((name) => name !== '');
}

function jsonList(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    // Plain names.
    return undefined;
  }
}

export const outwardTools: readonly Tool[] = [useMcpTool, spawnParallelInstance, handInPlan];
