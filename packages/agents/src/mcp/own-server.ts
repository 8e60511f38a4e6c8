import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { messageOf } from '@switchyard/protocol';
import { programVersion } from '@switchyard/runtime';
import type { CallToolResult } from '@modelcontextprotocol/server';

/** The name by which agents know the tools that Switchyard itself offers them. */
export const ownServerName = 'switchyard';

/** A message of an agent that is larger ends its connection. */
const messageBytes = 8 * 1024 * 1024;

/** What of a tool the server needs. */
export interface OwnTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Not listed: who calls it all the same is told why it may not. */
  readonly isHidden?: boolean;
  /** What the agent is answered; a rejection is answered as an error of the tool. */
  call(input: unknown): Promise<string>;
}

/** Serves tools over one connection, as an MCP server does over its standard streams. Ends with the connection. */
export async function serveOwnTools(connection: Duplex, tools: readonly OwnTool[]): Promise<void> {
  // Loaded when it is needed: most attempts have no agent that asks.
  const { ProtocolError, ProtocolErrorCode, Server } = await import('@modelcontextprotocol/server');
  const { StdioServerTransport } = await import('@modelcontextprotocol/server/stdio');
  const server = new Server(
    { name: ownServerName, version: programVersion },
    { capabilities: { tools: {} } },
  );
  server.setRequestHandler('tools/list', () => ({
    tools: tools
      .filter(({ isHidden }) => isHidden !== true)
      .map(({ name, description, parameters }) => ({
        name,
        description,
        inputSchema: { ...parameters, type: 'object' as const },
      })),
  }));
  server.setRequestHandler('tools/call', async ({ params: { name, arguments: input = {} } }) => {
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${name}`);
    return called(tool, input);
  });
  const ended = finished(connection, { writable: false }).catch(() => undefined); // however it ends, it is over
  await server.connect(new StdioServerTransport(connection, connection, { maxBufferSize: messageBytes }));
  await ended;
  await server.close();
}

async function called(tool: OwnTool, input: unknown): Promise<CallToolResult> {
  try {
    return { content: [{ type: 'text', text: await tool.call(input) }] };
  } catch (error) {
    return { content: [{ type: 'text', text: messageOf(error) }], isError: true };
  }
}
