import {
  RequestError,
  type CreateTerminalRequest,
  type TerminalExitStatus,
  type TerminalOutputResponse,
} from '@agentclientprotocol/sdk';
import { isAppError, messageOf } from '@switchyard/protocol';
import { StringDecoder } from 'node:string_decoder';
import type { AgentEvent } from '../agent-event.ts';
import type { AgentProcess, CommandWrites, ExecutorContext } from '../executor.ts';
import { grantOf, type ToolRights } from '../tools/tool-groups.ts';

/** What an agent may hold of one terminal's output, and how many terminals it may have open. */
const outputMax = 1024 * 1024;
const terminalsMax = 32;
const endedWords = 'its agent has ended';

interface Terminal {
  readonly child: AgentProcess;
  readonly limit: number;
  output: string;
  truncated: boolean;
  exit: TerminalExitStatus | undefined;
  readonly ended: Promise<TerminalExitStatus>;
}

export interface AcpTerminalsOptions {
  readonly context: Pick<ExecutorContext, 'spawn' | 'files'>;
  readonly rights: ToolRights;
  readonly timeoutMs: number;
  readonly writes: CommandWrites;
  readonly tell: (event: AgentEvent) => void;
  /** A sign of life. */
  readonly touch: () => void;
}

/** Serves an agent's `terminal/*` requests: each terminal is a process of its own in the sandbox of the attempt. */
export class AcpTerminals {
  private readonly options: AcpTerminalsOptions;
  private readonly terminals = new Map<string, Terminal>();
  private count = 0;
  /** Asked for, and not there yet. */
  private beginning = 0;
  private isOver = false;

  constructor(options: AcpTerminalsOptions) {
    this.options = options;
  }

  async create(request: CreateTerminalRequest): Promise<{ terminalId: string }> {
    const { rights } = this.options;
    if (grantOf(rights, 'command') === undefined)
      throw this.refused(request.command, 'E_TOOL_DENIED', `the mode "${rights.slug}" runs no commands`);
    if (this.terminals.size + this.beginning >= terminalsMax)
      throw RequestError.invalidParams({}, `${terminalsMax} terminals are open; release some`);
    this.beginning += 1;
    try {
      return await this.begin(request);
    } finally {
      this.beginning -= 1;
    }
  }

  private async begin(request: CreateTerminalRequest): Promise<{ terminalId: string }> {
    const { context, timeoutMs, writes } = this.options;
    const argv = argvOf(request);
    const folder = await this.folderOf(request);
    const child = await context.spawn(folder === undefined ? argv : inFolder(folder, argv), {
      timeoutMs,
      writes,
      env: Object.fromEntries((request.env ?? []).map(({ name, value }) => [name, value])),
    });
    child.stdin.end();
    if (this.isOver) child.kill(endedWords);
    const id = `terminal-${(this.count += 1)}`;
    this.terminals.set(id, this.open(child, request.outputByteLimit ?? outputMax));
    return { terminalId: id };
  }

  output(id: string): TerminalOutputResponse {
    const { output, truncated, exit } = this.find(id);
    return { output, truncated, ...(exit !== undefined && { exitStatus: exit }) };
  }

  waitForExit(id: string): Promise<TerminalExitStatus> {
    return this.find(id).ended;
  }

  kill(id: string): Record<string, never> {
    this.find(id).child.kill('its agent ended it');
    return {};
  }

  release(id: string): Record<string, never> {
    this.find(id).child.kill('its agent released it');
    this.terminals.delete(id);
    return {};
  }

  /** Ends what still runs, and what is on its way. */
  close(): void {
    this.isOver = true;
    for (const { child } of this.terminals.values()) child.kill(endedWords);
    this.terminals.clear();
  }

  private find(id: string): Terminal {
    const terminal = this.terminals.get(id);
    if (terminal === undefined)
      throw RequestError.invalidParams({ terminalId: id }, `there is no terminal ${id}`);
    return terminal;
  }

  private async folderOf({ cwd, command }: CreateTerminalRequest): Promise<string | undefined> {
    if (cwd === undefined || cwd === null) return undefined;
    try {
      return await this.options.context.files.checkWorkingDirectory(cwd);
    } catch (error) {
      if (!isAppError(error)) throw error;
      throw this.refused(`run ${command} in ${cwd}`, error.code, messageOf(error));
    }
  }

  private refused(what: string, code: string, reason: string): RequestError {
    this.options.tell({ kind: 'denied', what, code, reason });
    return RequestError.invalidParams({ code }, reason);
  }

  private open(child: AgentProcess, limit: number): Terminal {
    const ended = child.ended.then(
      ({ exitCode }): TerminalExitStatus => ({ exitCode }),
      (error: unknown): TerminalExitStatus => {
        terminal.output += messageOf(error);
        return { exitCode: 126 };
      },
    );
    const terminal: Terminal = {
      child,
      limit: Math.min(limit, outputMax),
      output: '',
      truncated: false,
      exit: undefined,
      ended,
    };
    void ended.then((exit) => (terminal.exit = exit));
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder('utf8');
      stream.on('data', (chunk: Buffer) => {
        this.options.touch();
        keep(terminal, decoder.write(chunk));
      });
    }
    return terminal;
  }
}

/** The end of the output counts, as the protocol says. */
function keep(terminal: Terminal, text: string): void {
  terminal.output += text;
  if (terminal.output.length <= terminal.limit) return;
  // Not `slice(-limit)`, which is all of it where the limit is 0.
  terminal.output = terminal.output.slice(terminal.output.length - terminal.limit);
  terminal.truncated = true;
}

/** A command without arguments is a line for the shell, as agents send it. */
function argvOf({ command, args = [] }: CreateTerminalRequest): string[] {
  return args.length === 0 ? ['sh', '-c', command] : [command, ...args];
}

function inFolder(folder: string, argv: readonly string[]): string[] {
  return ['sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', folder, ...argv];
}
