import { limits } from '@switchyard/protocol';

/** How an agent reaches a server that runs in a sandbox of its own: a program that passes its streams through a port. */
export interface McpBridge {
  readonly name: string;
  /** Absolute, and visible in every sandbox. */
  readonly command: string;
  readonly args: readonly string[];
  /** Ours, in every attempt; the others are what the task names. */
  readonly isOwn: boolean;
}

const script =
  "const s=require('node:net').connect(Number(process.argv[1]),'127.0.0.1');" +
  "process.stdin.pipe(s);s.pipe(process.stdout);s.on('error',(e)=>{console.error(e.message);process.exit(1)});s.on('close',()=>process.exit(0))";

export function mcpBridge(name: string, port: number, isOwn = false): McpBridge {
  return { name, command: process.execPath, args: ['-e', script, String(port)], isOwn };
}

/** As Claude Code's `--mcp-config` takes it. */
export function bridgesAsJson(bridges: readonly McpBridge[]): string {
  const servers = bridges.map(({ name, command, args }) => [name, { type: 'stdio', command, args }]);
  return JSON.stringify({ mcpServers: Object.fromEntries(servers) as Record<string, unknown> });
}

/** A tool may wait for a person; programs give one a minute by themselves. */
const toolWaitSeconds = limits.questionWaitMs / 1000 + 60;

/** How long the servers of a task may take to answer first: a machine full of agents needs longer than programs expect. */
export const serversStartSeconds = 120;

/**
 * As tables of Codex's configuration. A server that is not `required` gets one second to start (Codex 0.147 and later);
 * then the model is asked without its tools.
 */
export function bridgesAsToml(bridges: readonly McpBridge[]): string {
  return bridges
    .map(
      ({ name, command, args }) =>
        `[mcp_servers.${name}]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}\nrequired = true\nstartup_timeout_sec = ${serversStartSeconds}\ntool_timeout_sec = ${toolWaitSeconds}\n`,
    )
    .join('\n');
}
