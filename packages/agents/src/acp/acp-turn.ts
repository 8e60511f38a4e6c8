import { Readable, type Writable } from 'node:stream';
import {
  client,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type ClientConnection,
  type ClientContext,
  type NewSessionResponse,
  type StopReason,
} from '@agentclientprotocol/sdk';
import { AppError, limits, messageOf } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import type { AgentProcess, ExecutorContext, ExecutorTask } from '../executor.ts';
import type { AcpLaunch } from '../registry/agent-spec.ts';
import { writesIn } from '../cli/cli-executor.ts';
import type { Mode } from '../modes/mode.ts';
import { narrowedFiles } from '../tools/narrowed-files.ts';
import { AcpFiles } from './acp-files.ts';
import { answerPermission, decidePermission } from './acp-permission.ts';
import { AcpTerminals } from './acp-terminals.ts';
import { UpdateReader } from './acp-events.ts';

export interface TurnOptions {
  readonly child: AgentProcess;
  readonly launch: AcpLaunch;
  readonly task: ExecutorTask;
  readonly context: ExecutorContext;
  readonly rights: Mode;
  readonly prompt: string;
  /** The mode that the task names, and whether it is one of ours; the agent may have a session mode of that name too. */
  readonly mode: { readonly named: string | undefined; readonly isOurs: boolean };
  readonly clock: Clock;
  /** A sign of life of the agent. */
  readonly touch: () => void;
}

/** One prompt and what an agent does with it, over the Agent Client Protocol. */
export class AcpTurn {
  private readonly options: TurnOptions;
  private readonly updates: UpdateReader;
  private readonly terminals: AcpTerminals;
  private readonly connection: ClientConnection;
  private sessionId: string | undefined;

  constructor(options: TurnOptions) {
    this.options = options;
    const { context, rights, task, touch } = options;
    const tell = context.event.bind(context);
    this.updates = new UpdateReader(tell);
    this.terminals = new AcpTerminals({
      context,
      rights,
      touch,
      tell,
      timeoutMs: task.assignment.timeoutMs,
      writes: writesIn(rights, task.assignment),
    });
    this.connection = this.connect();
  }

  /** The last thing it said. */
  get lastMessage(): string {
    return this.updates.lastMessage;
  }

  /** From the greeting to the end of the turn. Rejects with what the agent answers, or AppError E_AGENT_PROTOCOL, E_AGENT_SILENT. */
  async perform(): Promise<StopReason> {
    const { agent } = this.connection;
    await this.greet(agent);
    const session = await this.inTime('a session', this.newSession(agent));
    this.sessionId = session.sessionId;
    await this.setMode(agent, session);
    const { stopReason } = await agent.request(methods.agent.session.prompt, {
      sessionId: session.sessionId,
      prompt: [{ type: 'text', text: this.options.prompt }],
    });
    this.updates.flush();
    return stopReason;
  }

  /** Asks the agent to stop; it may not listen. */
  cancel(): void {
    if (this.sessionId === undefined) return;
    const { sessionId } = this;
    // Where it no longer reads, its process is ended soon.
    this.connection.agent.notify(methods.agent.session.cancel, { sessionId }).catch(() => undefined);
  }

  close(): void {
    this.updates.flush();
    this.terminals.close();
    this.connection.close();
  }

  private async greet(agent: ClientContext): Promise<void> {
    const { protocolVersion } = await this.inTime(
      'a greeting',
      agent.request(methods.agent.initialize, {
        protocolVersion: PROTOCOL_VERSION,
        clientInfo: { name: 'switchyard', version: '1' },
        clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true },
      }),
    );
    if (protocolVersion === PROTOCOL_VERSION) return;
    throw new AppError(
      'E_AGENT_PROTOCOL',
      `the agent speaks version ${protocolVersion} of the Agent Client Protocol, and we speak ${PROTOCOL_VERSION}`,
    );
  }

  private newSession(agent: ClientContext): Promise<NewSessionResponse> {
    const { task, context } = this.options;
    const mcpServers = (context.mcpBridges ?? []).map(({ name, command, args }) => ({
      name,
      command,
      args: [...args],
      env: [],
    }));
    return agent.request(methods.agent.session.new, { cwd: task.tree, mcpServers });
  }

  /** The mode that the task names has to be one of the agent's; the one that we know of, only where it has it. */
  private async setMode(agent: ClientContext, { sessionId, modes }: NewSessionResponse): Promise<void> {
    const { mode, launch } = this.options;
    const offered = (modes?.availableModes ?? []).map(({ id }) => id);
    const isNamed = mode.named !== undefined && (!mode.isOurs || offered.includes(mode.named));
    const usual = offered.includes(launch.mode ?? '') ? launch.mode : undefined;
    const wanted = isNamed ? mode.named : usual;
    if (wanted === undefined || wanted === modes?.currentModeId) return;
    if (!offered.includes(wanted))
      throw new AppError(
        'E_AGENT_PROTOCOL',
        `the agent has no session mode "${wanted}" (it has: ${offered.join(', ') || 'none'})`,
      );
    await this.inTime(
      'its mode',
      agent.request(methods.agent.session.setMode, { sessionId, modeId: wanted }),
    );
  }

  /** An agent that does not answer what takes no work is not there. */
  private async inTime<T>(what: string, answer: Promise<T>): Promise<T> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      cancel = this.options.clock.after(limits.agentStartMs, () =>
        reject(
          new AppError(
            'E_AGENT_SILENT',
            `the agent was asked for ${what} and gave none for ${limits.agentStartMs / 1000} s`,
          ),
        ),
      );
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      cancel();
    }
  }

  private connect(): ClientConnection {
    const { child, context, rights, launch, touch, task } = this.options;
    const { terminals } = this;
    const tell = context.event.bind(context);
    const { missingFileIsEmpty } = launch;
    const files = new AcpFiles({
      files: narrowedFiles(context.files, task.tree, rights),
      rights,
      missingFileIsEmpty,
      tell,
    });
    const served =
      <Params, Answer>(serve: (params: Params) => Answer) =>
      ({ params }: { params: Params }): Answer => {
        touch();
        return serve(params);
      };
    const app = client({ name: 'switchyard' })
      .onNotification(
        methods.client.session.update,
        served(({ update }) => this.updates.read(update)),
      )
      .onRequest(
        methods.client.session.requestPermission,
        served((params) =>
          answerPermission(
            params,
            decidePermission(params.toolCall, { files: context.files, rights, root: task.tree }),
            tell,
          ),
        ),
      )
      .onRequest(
        methods.client.fs.readTextFile,
        served((params) => files.read(params)),
      )
      .onRequest(
        methods.client.fs.writeTextFile,
        served((params) => files.write(params)),
      )
      .onRequest(
        methods.client.terminal.create,
        served((params) => terminals.create(params)),
      )
      .onRequest(
        methods.client.terminal.output,
        served(({ terminalId }) => terminals.output(terminalId)),
      )
      .onRequest(
        methods.client.terminal.waitForExit,
        served(({ terminalId }) => terminals.waitForExit(terminalId)),
      )
      .onRequest(
        methods.client.terminal.kill,
        served(({ terminalId }) => terminals.kill(terminalId)),
      )
      .onRequest(
        methods.client.terminal.release,
        served(({ terminalId }) => terminals.release(terminalId)),
      );
    return app.connect(
      ndJsonStream(toWeb(child.stdin), Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>),
    );
  }
}

/** Writing to an agent that has ended says nothing that its end does not. */
function toWeb(stdin: Writable): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (chunk) => void stdin.write(chunk),
    close: () => void stdin.end(),
  });
}

/** What went wrong, in the agent's words. */
export function wordsOf(error: unknown): string {
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  const details = data === undefined || data === null ? '' : ` ${JSON.stringify(data).slice(0, 1000)}`;
  return `${messageOf(error)}${details}`;
}
