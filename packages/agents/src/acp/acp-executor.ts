import { isAppError, limits } from '@switchyard/protocol';
import { agentErrorClass, agentFailed, agentTooLate, failureOfEnd } from '../agent-failure.ts';
import { writesIn, type AgentExecutorOptions } from '../cli/cli-executor.ts';
import type {
  AgentProcess,
  AgentProcessEnd,
  Executor,
  ExecutorContext,
  ExecutorOutcome,
  ExecutorTask,
} from '../executor.ts';
import { failureOf, tailOf } from '../failure-of.ts';
import { eachLine } from '../lines.ts';
import { isOurMode, modeOfProgram } from '../modes/mode-of-task.ts';
import { promptOf } from '../prompt.ts';
import { escalatedBy } from '../read-escalation.ts';
import type { AcpLaunch } from '../registry/agent-spec.ts';
import { findAgent } from '../registry/agent-table.ts';
import { prepareLaunch } from '../registry/prepare-launch.ts';
import { Watchdog } from '../watchdog.ts';
import { WorkTime, type PausedMs } from '../work-time.ts';
import { AcpTurn, wordsOf } from './acp-turn.ts';

/** Drives agents that speak the Agent Client Protocol (version 1) over their standard streams. */
export function acpExecutor(options: AgentExecutorOptions): Executor {
  return {
    kind: 'acp',
    async execute(task, context) {
      const { executor, timeoutMs } = task.assignment;
      if (executor.kind !== 'acp') throw new Error('this task is not for an agent of the protocol');
      const spec = findAgent(options.agents, executor.agent, 'acp');
      const launch = spec.acp as AcpLaunch; // `findAgent` gives none without it
      const { argv, spawn } = prepareLaunch(
        launch,
        { ...executor, spec },
        {
          task,
          // They are named when the session is opened.
          context: { model: context.model, mcpBridges: [] },
          ...options,
        },
      );
      const roomodes = await options.readRoomodes?.(task.assignment);
      const rights = modeOfProgram(task.assignment, roomodes);
      const canAsk = (context.mcpBridges ?? []).some(({ isOwn }) => isOwn);
      const prompt = promptOf(task, { canAsk, mode: rights });
      context.event({ kind: 'prompt', text: prompt });
      context.offer(rights);
      context.progress(`${executor.agent} starts`);
      const child = await context.spawn(argv, {
        ...spawn,
        writes: writesIn(rights, task.assignment),
        timeoutMs: timeoutMs + limits.attemptHoldMs,
      });
      const work = new AcpWork({ child, task, context, clock: options.clock, agent: executor.agent });
      return work.perform(
        (touch) =>
          new AcpTurn({
            child,
            launch,
            task,
            context,
            rights,
            prompt,
            touch,
            mode: { named: executor.mode, isOurs: isOurMode(executor.mode ?? '', roomodes) },
            clock: options.clock,
          }),
      );
    },
  };
}

interface WorkFacts {
  readonly child: AgentProcess;
  readonly task: ExecutorTask;
  readonly context: ExecutorContext;
  readonly clock: AgentExecutorOptions['clock'];
  readonly agent: string;
}

type TurnEnd =
  | { readonly kind: 'stopped'; readonly reason: string }
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'gone'; readonly end: AgentProcessEnd };

/** One agent at its work: its turn, its silence, its limit of time and its process. */
class AcpWork {
  private readonly facts: WorkFacts;
  private tail = '';
  private isSilent = false;
  private isLate = false;

  constructor(facts: WorkFacts) {
    this.facts = facts;
  }

  async perform(begin: (touch: () => void) => AcpTurn): Promise<ExecutorOutcome> {
    const { child, clock, context } = this.facts;
    const pausedMs = context.pausedMs.bind(context);
    const watchdog = new Watchdog({ clock, pausedMs }, limits.agentSilenceMs, () => {
      this.isSilent = true;
      child.kill('it said nothing for too long');
    });
    const turn = begin(() => watchdog.touch());
    const errors = eachLine(child.stderr, (line) => this.takeError(line));
    // Awaited below; where the turn fails before, that failure is the one to tell.
    errors.catch(() => undefined);
    const limited = this.limitTime(turn, pausedMs);
    try {
      const end = await Promise.race([this.turnEnd(turn), this.gone()]);
      turn.close();
      // Many do not exit when their input ends; nothing of them is to go on.
      child.kill('its turn is over');
      await Promise.all([child.ended, errors]);
      context.signal.throwIfAborted();
      return this.outcome(end, turn.lastMessage);
    } finally {
      limited.close();
      watchdog.close();
      child.kill('its attempt is over');
    }
  }

  /** At its limit it is asked to stop, and ended when it does not. */
  private limitTime(turn: AcpTurn, pausedMs: PausedMs): { close(): void } {
    const { child, clock, task } = this.facts;
    const { timeoutMs } = task.assignment;
    const stop = new WorkTime({
      clock,
      pausedMs,
      limitMs: this.stopAfterMs,
      over: () => {
        this.isLate = true;
        turn.cancel();
      },
    });
    const end = new WorkTime({
      clock,
      pausedMs,
      limitMs: timeoutMs,
      over: () => child.kill("it worked longer than the task's limit"),
    });
    return { close: () => (stop.close(), end.close()) };
  }

  /** When it is asked to stop, so that its last words are heard before it is ended. */
  private get stopAfterMs(): number {
    const { timeoutMs } = this.facts.task.assignment;
    return Math.max(timeoutMs - limits.agentCancelMs, timeoutMs / 2);
  }

  private async turnEnd(turn: AcpTurn): Promise<TurnEnd> {
    try {
      return { kind: 'stopped', reason: await turn.perform() };
    } catch (error) {
      // A connection that closes says less than the end of the process, which comes with it.
      return isClosed(error) ? this.gone() : { kind: 'refused', error };
    }
  }

  private async gone(): Promise<TurnEnd> {
    return { kind: 'gone', end: await this.facts.child.ended };
  }

  private outcome(end: TurnEnd, said: string): ExecutorOutcome {
    const { task, context, agent } = this.facts;
    const facts = {
      agent,
      outputTail: tailOf(`${said}\n${this.tail}`),
      timeoutMs: task.assignment.timeoutMs,
    };
    const words = context.readEscalation();
    if (words !== undefined) return escalatedBy(words, `${agent} asks for help`);
    if (this.isSilent)
      return agentFailed(
        'E_AGENT_SILENT',
        `said nothing for ${limits.agentSilenceMs / 60_000} minutes and was killed with all its children`,
        facts,
      );
    switch (end.kind) {
      case 'gone':
        if (this.isLate) return agentTooLate(facts);
        return (
          failureOfEnd(end.end, facts) ??
          agentFailed('E_AGENT_FAILED', 'ended in the middle of its turn', facts, 'system')
        );
      case 'refused':
        return refused(end.error, facts);
      case 'stopped':
        if (this.isLate)
          return agentFailed(
            'E_AGENT_TIMEOUT',
            `was not done at the task's limit of ${facts.timeoutMs / 1000} s and was stopped`,
            facts,
          );
        if (end.reason === 'end_turn')
          return {
            kind: 'done',
            summary: (said || `${agent} is done`).slice(0, 4000),
            outputTail: facts.outputTail,
            said,
          };
        return agentFailed('E_AGENT_FAILED', `stopped before it was done (${end.reason})`, facts);
    }
  }

  private takeError(line: string): void {
    if (line.trim() === '') return;
    this.tail = tailOf(`${this.tail}${line}\n`);
    this.facts.context.event({ kind: 'output', text: line });
  }
}

function refused(
  error: unknown,
  facts: { readonly agent: string; readonly outputTail: string },
): ExecutorOutcome {
  if (isAppError(error))
    return { kind: 'failed', failure: { ...failureOf(error), outputTail: facts.outputTail } };
  const words = wordsOf(error);
  return agentFailed('E_AGENT_FAILED', `gave up: ${words.slice(0, 2000)}`, facts, agentErrorClass(words));
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && error.message === 'ACP connection closed';
}
