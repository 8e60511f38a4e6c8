import {
  CLIENT_CAPABILITIES_META_KEY,
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
  type ToolAnnotations,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Desk } from './desk.ts';
import { errorResult } from './error-result.ts';

/** What a tool answers: what its output schema says, and the same for reading where JSON reads badly. */
export interface Answer<Output> {
  readonly structured: Output;
  readonly text?: string;
  readonly isError?: boolean;
}

/** The client is asked something first, and calls again with the answer. */
export interface Asking {
  readonly asking: InputRequiredResult;
}

/** One call of a tool. */
export interface Call {
  readonly desk: Desk;
  readonly context: ServerContext;
  /** What the client can do; undefined: it has not said. */
  readonly canAsk: boolean;
}

/** One tool. Tools that change something exist in the orchestrator mode only. */
export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** Helps an agent to choose: what it does, when to use it, what to call next. */
  readonly description: string;
  /** Strict where the tool changes something: an argument that is misspelt may not do more than was meant. */
  readonly input: Input;
  readonly output: Output;
  readonly changes: boolean;
  readonly annotations?: ToolAnnotations;
  run(args: z.output<Input>, call: Call): Promise<Answer<z.input<Output>> | Asking>;
}

/** Gives a tool its types; the table of tools forgets them. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Tool<Input, Output>,
): Tool {
  return tool;
}

/** Puts a tool on a server. Whatever it throws is answered as an error of the tool. */
export function registerTool(server: McpServer, tool: Tool, desk: Desk): void {
  const { name, title, description, input, output, changes, annotations } = tool;
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: input,
      outputSchema: output,
      annotations: { title, readOnlyHint: !changes, openWorldHint: false, ...annotations },
    },
    async (args, context): Promise<CallToolResult | InputRequiredResult> => {
      const canAsk = canElicit(server, context);
      try {
        const answer = await tool.run(args, { desk, context, canAsk });
        return 'asking' in answer ? answer.asking : resultOf(answer);
      } catch (thrown) {
        return errorResult(thrown);
      }
    },
  );
}

function resultOf({ structured, text, isError }: Answer<Record<string, unknown>>): CallToolResult {
  const shown = text ?? JSON.stringify(structured, undefined, 1);
  return {
    content: [{ type: 'text', text: shown }],
    structuredContent: structured,
    ...(isError === true && { isError }),
  };
}

const envelope = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({ elicitation: z.object({}).optional() }),
});

/** Whether this client shows its user a question; it says so at the start, or with each request. */
function canElicit(server: McpServer, { mcpReq }: ServerContext): boolean {
  const each = envelope.safeParse(mcpReq.envelope).data?.[CLIENT_CAPABILITIES_META_KEY];
  const capabilities = each ?? server.server.getClientCapabilities();
  return capabilities?.elicitation !== undefined;
}
