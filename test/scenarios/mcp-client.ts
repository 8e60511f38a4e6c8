import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { cliBin, type Running, type Scenario, until } from './harness.ts';

/** An agent as the SDK makes it, over stdio or HTTP. */
export class McpClient {
  readonly client: Client;
  readonly progress: string[] = [];
  private stderrText = '';

  /** `approve`: what its user says when asked; absent: it cannot ask. `mode`: the revisions of the protocol it tries. */
  constructor(options: { approve?: () => boolean; mode?: 'legacy' | 'auto' } = {}) {
    const { approve, mode = 'legacy' } = options;
    this.client = new Client(
      { name: 'test-agent', version: '1' },
      {
        capabilities: approve === undefined ? {} : { elicitation: {} },
        versionNegotiation: { mode },
      },
    );
    if (approve !== undefined)
      this.client.setRequestHandler('elicitation/create', () => ({
        action: 'accept' as const,
        content: { approve: approve() },
      }));
  }

  async stdio(scenario: Scenario, ...flags: string[]): Promise<this> {
    const env = Object.fromEntries(
      Object.entries(scenario.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [cliBin, 'mcp', ...flags],
      cwd: scenario.repository,
      env,
      stderr: 'pipe',
    });
    transport.stderr?.on('data', (chunk: Buffer) => (this.stderrText += chunk.toString()));
    await this.client.connect(transport);
    return this;
  }

  async http(url: string, token: string): Promise<this> {
    const headers = { authorization: `Bearer ${token}` };
    await this.client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    return this;
  }

  /** What the server wrote beside its protocol. */
  get stderr(): string {
    return this.stderrText;
  }

  async tools(): Promise<string[]> {
    return (await this.client.listTools()).tools.map(({ name }) => name);
  }

  /** Calls a tool; what it tells meanwhile is collected. */
  call(name: string, args: Record<string, unknown> = {}, signal?: AbortSignal): Promise<CallToolResult> {
    return this.client.callTool(
      { name, arguments: args },
      {
        timeout: 280_000,
        ...(signal !== undefined && { signal }),
        onprogress: ({ message }) => this.progress.push(message ?? ''),
      },
    );
  }

  /** What a tool answered for programs; an error of the tool is thrown. */
  async answer<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
    const result = await this.call(name, args);
    if (result.isError === true) throw new Error(textOf(result));
    return result.structuredContent as T;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** The text of a result. */
export function textOf(result: CallToolResult): string {
  return result.content.map((item) => (item.type === 'text' ? item.text : '')).join('\n');
}

/** What a tool answers for a spawn. */
export interface Spawned {
  readonly workerId: string;
  readonly status: string;
  readonly workspace: string;
  readonly error?: string;
}

/** The run of a worker id. */
export function runOf({ workerId }: Spawned): string {
  return workerId.split(':')[1] ?? '';
}

/** Removes a scenario once its processes have ended by themselves, as those of a server whose agent has gone do. */
export async function closeWhenEnded(scenario: Scenario): Promise<void> {
  await until('all processes to end', () => (scenario.leftovers().length === 0 ? true : undefined), 50_000);
  await scenario.close();
}

/** An MCP server over HTTP, once it listens. */
export async function httpServer(
  scenario: Scenario,
  ...flags: string[]
): Promise<{ running: Running; url: string; tokenFile: string }> {
  const running = scenario.cli('mcp', '--http', '--port', '0', ...flags);
  const [, url = '', tokenFile = ''] = await until('the server to listen', () => {
    return /listening at (\S+); the token is in (\S+)/.exec(running.output()) ?? undefined;
  });
  return { running, url, tokenFile };
}
