import { AppError, limits, messageOf } from '@switchyard/protocol';
import { programVersion, type Clock } from '@switchyard/runtime';
import { z } from 'zod';
import type { AgentProcess } from '../executor.ts';
import { tailOf } from '../failure-of.ts';
import { eachLine } from '../lines.ts';

/** The revision of the protocol that we offer; a server answers with the one it speaks. */
const protocolVersion = '2025-06-18';
/** Pages of a list of tools. */
const pagesMax = 20;

const answer = z.looseObject({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string() }).optional(),
});
const toolsPage = z.looseObject({
  tools: z.array(z.looseObject({ name: z.string(), description: z.string().optional() })),
  nextCursor: z.string().optional(),
});
const toolResult = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).default([]),
  isError: z.boolean().optional(),
});

export interface McpTool {
  readonly name: string;
  readonly description: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError) => void;
}

/** A conversation with one MCP server over its standard streams. */
export class McpSession {
  readonly name: string;
  tools: readonly McpTool[] = [];
  private readonly child: AgentProcess;
  private readonly clock: Clock;
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  private said = '';

  private constructor(name: string, child: AgentProcess, clock: Clock) {
    this.name = name;
    this.child = child;
    this.clock = clock;
    const words = eachLine(child.stderr, (line) => (this.said = tailOf(`${this.said}${line}\n`)));
    const lines = eachLine(child.stdout, (line) => this.take(line));
    void Promise.allSettled([lines, words, child.ended]).then(() => this.fail('has ended'));
  }

  /** Greets it and asks for its tools. Throws AppError E_MCP_SERVER with its last words; it is ended then. */
  static async open(name: string, child: AgentProcess, clock: Clock): Promise<McpSession> {
    const session = new McpSession(name, child, clock);
    try {
      await session.request('initialize', {
        protocolVersion,
        capabilities: {},
        clientInfo: { name: 'switchyard', version: programVersion },
      });
      session.send({ method: 'notifications/initialized' });
      session.tools = await session.listTools();
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** The text that a tool answers; an error of the tool is text too, and says so. Throws AppError E_MCP_SERVER. */
  async call(tool: string, input: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { content, isError } = toolResult.parse(
      await this.request('tools/call', { name: tool, arguments: input }, limits.attemptTimeoutMs),
    );
    const text = content.map((part) => part.text ?? `(${part.type})`).join('\n');
    return isError === true ? `error: ${text}` : text;
  }

  close(): void {
    this.child.kill('its attempt is over');
  }

  private async listTools(): Promise<McpTool[]> {
    const tools: McpTool[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page += 1) {
      const found = toolsPage.parse(await this.request('tools/list', cursor === undefined ? {} : { cursor }));
      tools.push(...found.tools.map(({ name, description = '' }) => ({ name, description })));
      cursor = found.nextCursor;
      if (cursor === undefined) break;
    }
    return tools;
  }

  private request(method: string, params: object, waitMs: number = limits.agentStartMs): Promise<unknown> {
    const id = (this.count += 1);
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        cancel();
        this.waiting.delete(id);
      };
      const cancel = this.clock.after(waitMs, () => {
        settled();
        reject(this.error(`did not answer ${method} for ${waitMs / 1000} s`));
      });
      this.waiting.set(id, {
        resolve: (value) => (settled(), resolve(value)),
        reject: (error) => (settled(), reject(error)),
      });
      this.send({ id, method, params });
    });
  }

  private send(message: object): void {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  private take(line: string): void {
    const message = parsed(line);
    if (message === undefined) return;
    const waiting = this.waiting.get(message.id);
    if (message.error !== undefined) waiting?.reject(this.error(`answers: ${message.error.message}`));
    else waiting?.resolve(message.result);
  }

  private fail(how: string): void {
    for (const { reject } of this.waiting.values()) reject(this.error(how));
  }

  private error(how: string): AppError {
    const said = this.said.trim();
    return new AppError(
      'E_MCP_SERVER',
      `the MCP server ${this.name} ${how}${said === '' ? '' : `; it said: ${said.slice(-1000)}`}`,
      {
        details: { outputTail: this.said },
      },
    );
  }
}

/** An answer; requests and notices of the server, and lines that are none of them, are nothing to us. */
function parsed(line: string): z.output<typeof answer> | undefined {
  try {
    return answer.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw new AppError('E_INTERNAL', messageOf(error), { cause: error });
  }
}
