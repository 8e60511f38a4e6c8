import { AppError, limits, type TaskAssignment } from '@switchyard/protocol';
import type { Clock } from '@switchyard/runtime';
import { agentErrorClass, agentFailed, agentTooLate, failureOfEnd } from '../agent-failure.ts';
import type {
  AgentProcess,
  CommandWrites,
  Executor,
  ExecutorContext,
  ExecutorOutcome,
  ExecutorTask,
} from '../executor.ts';
import type { Mode } from '../modes/mode.ts';
import { tailOf } from '../failure-of.ts';
import { eachLine } from '../lines.ts';
import { promptOf } from '../prompt.ts';
import { escalatedBy } from '../read-escalation.ts';
import type { CliLaunch } from '../registry/agent-spec.ts';
import { findAgent, type AgentTable } from '../registry/agent-table.ts';
import { takesMcpServers } from '../registry/fill-launch.ts';
import { prepareLaunch, type ProgramSearch } from '../registry/prepare-launch.ts';
import { Watchdog } from '../watchdog.ts';
import { readClaude } from './read-claude.ts';
import { readCodex } from './read-codex.ts';
import { readPi } from './read-pi.ts';
import { mayCommandsWrite } from '../tools/tool-groups.ts';
import { isOrchestrating, modeOfProgram, type ReadRoomodes } from '../modes/mode-of-task.ts';
import type { McpBridge } from '../mcp/mcp-bridge.ts';
import { WorkTime } from '../work-time.ts';
import { readText } from './read-text.ts';
import type { OutputReader } from './reader.ts';

const readers: Readonly<Record<CliLaunch['output'], () => OutputReader>> = {
  claude: readClaude,
  codex: readCodex,
  pi: readPi,
  text: readText,
};

export interface AgentExecutorOptions {
  readonly agents: AgentTable;
  readonly programs: ProgramSearch;
  readonly clock: Clock;
  /** Absent: no repository has modes of its own. */
  readonly readRoomodes?: ReadRoomodes;
}

/** Drives agents that take one prompt and print what they do. */
export function cliExecutor(options: AgentExecutorOptions): Executor {
  return {
    kind: 'cli',
    async execute(task, context) {
      const { executor, timeoutMs } = task.assignment;
      if (executor.kind !== 'cli') throw new Error('this task is not for an agent of the command line');
      const spec = findAgent(options.agents, executor.agent, 'cli');
      const launch = spec.cli as CliLaunch; // `findAgent` gives none without it
      const mcpBridges = bridgesFor(launch, executor.agent, context);
      const { argv, spawn } = prepareLaunch(
        launch,
        { ...executor, spec },
        { task, context: { model: context.model, mcpBridges }, ...options },
      );
      const mode = modeOfProgram(task.assignment, await options.readRoomodes?.(task.assignment));
      const prompt = promptOf(task, { canAsk: mcpBridges.some(({ isOwn }) => isOwn), mode });
      context.event({ kind: 'prompt', text: prompt });
      context.offer(mode);
      context.progress(`${executor.agent} starts`);
      const child = await context.spawn(argv, {
        ...spawn,
        writes: writesIn(mode, task.assignment),
        timeoutMs: timeoutMs + limits.attemptHoldMs,
      });
      child.stdin.end(prompt);
      const talk = new Talk(child, readers[launch.output](), { context, clock: options.clock, timeoutMs });
      const end = await talk.end();
      context.signal.throwIfAborted();
      return talk.outcome(end, { task, context, agent: executor.agent });
    },
  };
}

/** An agent writes its files itself: where its mode may not edit all of them, as that of one who verifies, it writes none; who orchestrates, never. */
export function writesIn(mode: Mode, assignment: Pick<TaskAssignment, 'executor'>): CommandWrites {
  return !isOrchestrating(assignment) && mayCommandsWrite(mode) ? 'workspace' : 'none';
}

/** What the agent can reach. Throws AppError E_MCP_SERVER where the task names servers and it takes none. */
function bridgesFor(
  launch: CliLaunch,
  agent: string,
  { mcpBridges = [] }: ExecutorContext,
): readonly McpBridge[] {
  if (takesMcpServers(launch)) return mcpBridges;
  if (mcpBridges.every(({ isOwn }) => isOwn)) return [];
  throw new AppError('E_MCP_SERVER', `the agent ${agent} takes no MCP servers, and the task names some`);
}

/** Why it was ended before its time. */
type Reason = 'silence' | 'lingering' | 'time';
const killWords: Readonly<Record<Reason, string>> = {
  silence: 'it said nothing for too long',
  lingering: 'it had ended its turn and did not exit',
  time: "it worked longer than the task's limit",
};

interface TalkOptions {
  readonly context: ExecutorContext;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** One agent at its work: its output read, its silence and its lingering watched. */
class Talk {
  private readonly child: AgentProcess;
  private readonly reader: OutputReader;
  private readonly context: ExecutorContext;
  private readonly clock: Clock;
  private readonly watchdog: Watchdog;
  private readonly time: WorkTime;
  private tail = '';
  private killedFor: Reason | undefined;
  private cancelGrace: (() => void) | undefined;

  constructor(child: AgentProcess, reader: OutputReader, { context, clock, timeoutMs }: TalkOptions) {
    this.child = child;
    this.reader = reader;
    this.context = context;
    this.clock = clock;
    const pausedMs = context.pausedMs.bind(context);
    this.watchdog = new Watchdog({ clock, pausedMs }, limits.agentSilenceMs, () => this.kill('silence'));
    this.time = new WorkTime({ clock, pausedMs, limitMs: timeoutMs, over: () => this.kill('time') });
  }

  /** Reads it to its end. */
  async end() {
    try {
      const [end] = await Promise.all([
        this.child.ended,
        eachLine(this.child.stdout, (line) => this.take(line)),
        eachLine(this.child.stderr, (line) => this.takeError(line)),
      ]);
      return end;
    } finally {
      this.watchdog.close();
      this.time.close();
      this.cancelGrace?.();
    }
  }

  outcome(
    end: Awaited<AgentProcess['ended']>,
    {
      task,
      context,
      agent,
    }: { readonly task: ExecutorTask; readonly context: ExecutorContext; readonly agent: string },
  ): ExecutorOutcome {
    const facts = { agent, outputTail: this.tail, timeoutMs: task.assignment.timeoutMs };
    const words = context.readEscalation();
    if (words !== undefined) return escalatedBy(words, `${agent} asks for help`);
    if (this.killedFor === 'silence')
      return agentFailed(
        'E_AGENT_SILENT',
        `said nothing for ${limits.agentSilenceMs / 60_000} minutes and was killed with all its children`,
        facts,
      );
    if (this.killedFor === 'time') return agentTooLate(facts);
    const result = this.reader.result();
    if (result?.isError === true)
      return agentFailed(
        'E_AGENT_FAILED',
        `gave up: ${result.text.slice(0, 2000)}`,
        facts,
        agentErrorClass(result.text),
      );
    const failed = this.killedFor === 'lingering' ? undefined : failureOfEnd(end, facts);
    if (failed !== undefined) return failed;
    if (result === undefined && this.reader.saysItsEnd)
      return agentFailed('E_AGENT_FAILED', 'ended without saying that it is done', facts, 'parsing');
    return {
      kind: 'done',
      summary: (result?.text || `${agent} is done`).slice(0, 4000),
      outputTail: this.tail,
      said: result?.text ?? this.tail,
    };
  }

  private take(line: string): void {
    this.watchdog.touch();
    if (line.trim() === '') return;
    for (const event of this.reader.read(line)) {
      if (event.kind === 'message' || event.kind === 'output')
        this.tail = tailOf(`${this.tail}${event.text}\n`);
      this.context.event(event);
    }
    if (this.reader.result() !== undefined && this.cancelGrace === undefined)
      this.cancelGrace = this.clock.after(limits.agentExitGraceMs, () => this.kill('lingering'));
  }

  private takeError(line: string): void {
    this.watchdog.touch();
    if (line.trim() === '') return;
    this.tail = tailOf(`${this.tail}${line}\n`);
    this.context.event({ kind: 'output', text: line });
  }

  private kill(why: Reason): void {
    this.killedFor ??= why;
    this.child.kill(killWords[why]);
  }
}
