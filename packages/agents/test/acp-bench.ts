import { Readable, Writable } from 'node:stream';
import {
  agent as agentApp,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type AgentContext,
  type InitializeRequest,
  type NewSessionRequest,
  type PromptRequest,
  type SessionModeState,
  type StopReason,
} from '@agentclientprotocol/sdk';
import { acpExecutor, agentTable, executeTask, type ExecutorOutcome } from '@switchyard/agents';
import { VirtualClock } from '@switchyard/testkit';
import { AgentBench } from './agent-bench.ts';

export interface Role {
  /** Gives the reason for which its turn stops. */
  readonly work?: (client: AgentContext) => Promise<string> | string;
  readonly modes?: SessionModeState;
  readonly protocolVersion?: number;
  readonly onCancel?: () => void;
}

/** What an agent was told. */
export interface Heard {
  initialize?: InitializeRequest;
  session?: NewSessionRequest;
  mode?: string;
  prompt?: PromptRequest;
}

/** Agents of the Agent Client Protocol, played by its own library over the streams of the process. */
export class AcpBench extends AgentBench {
  readonly clock = new VirtualClock();
  /** What the base of the attempt has. */
  roomodes: string | undefined;

  constructor() {
    super();
    this.install('claude-code-acp', 'gemini', 'qwen');
  }

  /** Plays an agent. */
  play({ work = () => 'end_turn', modes, protocolVersion = PROTOCOL_VERSION, onCancel }: Role): Heard {
    const heard: Heard = {};
    agentApp({ name: 'played' })
      .onRequest(methods.agent.initialize, ({ params }) => {
        heard.initialize = params;
        return { protocolVersion };
      })
      .onRequest(methods.agent.session.new, ({ params }) => {
        heard.session = params;
        return { sessionId: 's1', ...(modes !== undefined && { modes }) };
      })
      .onRequest(methods.agent.session.setMode, ({ params }) => {
        heard.mode = params.modeId;
        return {};
      })
      .onNotification(methods.agent.session.cancel, () => onCancel?.())
      .onRequest(methods.agent.session.prompt, async ({ params, client }) => {
        heard.prompt = params;
        return { stopReason: (await work(client)) as StopReason };
      })
      .connect(
        ndJsonStream(
          Writable.toWeb(this.process.stdout) as WritableStream<Uint8Array>,
          Readable.toWeb(this.process.stdin) as ReadableStream<Uint8Array>,
        ),
      );
    return heard;
  }

  perform(executor: object = {}, extra: object = {}, agents = agentTable()): Promise<ExecutorOutcome> {
    const task = this.task({ kind: 'acp', agent: 'claude-code', ...executor }, extra);
    const { programs, clock, roomodes } = this;
    const readRoomodes = () => Promise.resolve(roomodes);
    const executors = [acpExecutor({ agents, programs, clock, readRoomodes })];
    return executeTask(executors, task, this.context());
  }
}
