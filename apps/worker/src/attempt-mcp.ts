import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  mcpBridge,
  McpSession,
  ownServerName,
  serveOwnTools,
  type AgentProcess,
  type AttemptModel,
  type McpBridge,
  type McpCaller,
  type McpServerLaunch,
  type OwnTool,
} from '@switchyard/agents';
import type { Clock, Logger } from '@switchyard/runtime';

/** Ports of the sandbox's loopback that lead to the task's servers, from here on. */
const firstPort = 7430;

export interface McpOptions {
  readonly launches: readonly McpServerLaunch[];
  /** Whether our own loop uses them, or an agent's program, through bridges. */
  readonly use: 'own' | 'bridges';
  /** Without a sandbox, bridges meet on this machine's loopback. */
  readonly isFree: boolean;
  /** Starts a server in a sandbox of its own. */
  readonly start: (launch: McpServerLaunch) => Promise<AgentProcess>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The MCP servers of one attempt. */
export interface AttemptMcp {
  readonly bridges: readonly McpBridge[];
  readonly sockets: AttemptModel['sockets'];
  readonly caller: McpCaller | undefined;
  /** What agents are offered under our own name, with `bridges`; none before. */
  serve(tools: readonly OwnTool[]): void;
  close(): Promise<void>;
}

/**
 * Starts each server once, so that one that cannot start fails the attempt with its words (AppError E_MCP_SERVER); then
 * our own loop talks to it, or each bridge of an agent gets a server of its own. They run beside the agent, not below
 * it: what they are given, such as keys and hosts, is not the agent's.
 */
export async function openMcp(options: McpOptions): Promise<AttemptMcp> {
  const sessions: McpSession[] = [];
  const doors: Door[] = [];
  let own: readonly OwnTool[] = [];
  const close = async (): Promise<void> => {
    for (const session of sessions) session.close();
    await Promise.all(doors.map((door) => door.close()));
  };
  try {
    for (const [index, launch] of options.launches.entries()) {
      const session = await McpSession.open(launch.name, await options.start(launch), options.clock);
      options.logger.info({ server: launch.name, tools: session.tools.length }, 'an MCP server is there');
      if (options.use === 'own') sessions.push(session);
      else {
        session.close();
        const bring = (connection: Socket) => passThrough(connection, launch, options);
        doors.push(await openDoor({ name: launch.name, port: firstPort + index, bring }, options));
      }
    }
    if (options.use === 'bridges')
      doors.push(
        await openDoor(
          {
            name: ownServerName,
            port: firstPort - 1,
            isOwn: true,
            bring: (connection) => serveOwnTools(connection, own),
          },
          options,
        ),
      );
    return {
      bridges: doors.map(({ bridge }) => bridge),
      sockets: doors.flatMap(({ socket }) => (socket === undefined ? [] : [socket])),
      caller: sessions.length === 0 ? undefined : callerOf(sessions),
      serve: (tools) => void (own = tools),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function callerOf(sessions: readonly McpSession[]): McpCaller {
  return {
    servers: sessions.map(({ name, tools }) => ({ name, tools })),
    callTool(server, tool, input, signal) {
      const session = sessions.find(({ name }) => name === server);
      if (session === undefined) throw new Error(`there is no server ${server}`);
      return session.call(tool, input, signal);
    },
  };
}

interface Door {
  readonly bridge: McpBridge;
  readonly socket: AttemptModel['sockets'][number] | undefined;
  close(): Promise<void>;
}

interface DoorSpec {
  readonly name: string;
  readonly port: number;
  readonly isOwn?: boolean;
  /** Brings a connection together with its server. */
  readonly bring: (connection: Socket) => Promise<void>;
}

/** Where bridges to one server arrive: each gets a server of its own, which ends with it. */
async function openDoor(
  { name, port, isOwn = false, bring }: DoorSpec,
  options: Pick<McpOptions, 'isFree' | 'logger'>,
): Promise<Door> {
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    // An agent that ends in the middle of a word is no error of ours.
    connection.on('error', () => undefined);
    bring(connection).catch((error: unknown) => {
      // One that is cut off has ended with its agent.
      if (connection.destroyed) return;
      options.logger.warn({ err: error, server: name }, 'an MCP server could not be brought to its agent');
      connection.destroy();
    });
  });
  const folder = options.isFree ? undefined : mkdtempSync(join(tmpdir(), 'switchyard-mcp-'));
  const path = folder === undefined ? undefined : join(folder, 'mcp.sock');
  await listening(server, path);
  const reached = path === undefined ? (server.address() as AddressInfo).port : port;
  return {
    bridge: mcpBridge(name, reached, isOwn),
    socket: path === undefined ? undefined : { port, path },
    async close() {
      for (const connection of open) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(server: Server, path: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
    if (path === undefined) server.listen(0, '127.0.0.1');
    else server.listen(path);
  });
}

async function passThrough(
  connection: Socket,
  launch: McpServerLaunch,
  { start }: McpOptions,
): Promise<void> {
  const child = await start(launch);
  connection.once('close', () => child.kill('its agent has let go of it'));
  if (connection.destroyed) child.kill('its agent has let go of it');
  connection.pipe(child.stdin);
  child.stdout.pipe(connection);
  child.stderr.resume();
}
