import type { Failure, TaskAssignment } from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import type { Executor, ExecutorContext, ExecutorOutcome, ExecutorTask } from '../executor.ts';
import { failure } from '../failure-of.ts';
import { modeOfLoop, type ReadRoomodes } from '../modes/mode-of-task.ts';
import { openToolbox } from '../tools/toolbox.ts';
import type { McpCaller } from '../tools/mcp-caller.ts';
import type { ToolPorts } from '../tools/tool.ts';
import { runLoop, type LoopEnd } from './agent-loop.ts';
import { llmLimits, type LlmLimits } from './llm-limits.ts';
import { openModel } from './open-model.ts';
import { systemText, taskText } from './prompt-text.ts';
import { WorkTime } from '../work-time.ts';
import { tellingFiles } from './telling-files.ts';

export interface LlmExecutorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `.roomodes` of the commit that an attempt begins from; undefined: it has none. */
  readonly readRoomodes: ReadRoomodes;
  /** The MCP servers of an attempt, started. */
  readonly mcp?: (task: ExecutorTask, context: ExecutorContext) => Promise<McpCaller | undefined>;
  readonly limits?: Partial<LlmLimits>;
}

/**
 * Our own loop over a model, with the tool set, in the mode of a worker or what its task names. It runs in this process, so the address of the
 * attempt's model has to be this process's too; only its commands run in the sandbox.
 */
export function createLlmExecutor(options: LlmExecutorOptions): Executor {
  return { kind: 'llm', execute: (task, context) => execute(task, context, options) };
}

async function execute(
  task: ExecutorTask,
  context: ExecutorContext,
  options: LlmExecutorOptions,
): Promise<ExecutorOutcome> {
  const { assignment, tree } = task;
  const spec = assignment.executor;
  if (spec.kind !== 'llm') throw new Error(`a bug: the llm executor was given ${spec.kind}`);
  if (context.model === undefined) return { kind: 'failed', failure: noModel() };
  const roomodes = await options.readRoomodes(assignment);
  const mode = modeOfLoop(assignment, roomodes);
  const deadline = openDeadline(assignment.timeoutMs, options.clock, context);
  try {
    const mcp = await options.mcp?.(task, context);
    const toolbox = openToolbox(mode, portsOf(task, context, { deadline, mcp }));
    const end = await runLoop({
      model: await openModel(spec.model, context.model),
      toolbox,
      system: systemText(mode, tree),
      task: taskText(assignment, mcp),
      limits: { ...llmLimits, ...options.limits },
      clock: options.clock,
      random: options.random,
      signal: deadline.signal,
      event: (event) => context.event(event),
      progress: (line) => context.progress(line),
    });
    return outcomeOf(end);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!deadline.signal.aborted) throw error;
    return { kind: 'failed', failure: tooLong(assignment) };
  } finally {
    deadline.end();
  }
}

function noModel(): Failure {
  return failure('E_EXECUTOR', 'this worker has no model: its operator gives it an address and a key');
}

interface Deadline {
  readonly signal: AbortSignal;
  leftMs(): number;
  end(): void;
}

/** The time of the attempt, as a signal; while a model or an answer is waited for it stands still. */
function openDeadline(timeoutMs: number, clock: Clock, context: ExecutorContext): Deadline {
  const own = new AbortController();
  const time = new WorkTime({
    clock,
    limitMs: timeoutMs,
    pausedMs: context.pausedMs.bind(context),
    over: () => own.abort(new Error('the time of the attempt is over')),
  });
  return {
    signal: AbortSignal.any([context.signal, own.signal]),
    leftMs: () => Math.max(1, time.leftMs()),
    end: () => time.close(),
  };
}

function tooLong({ timeoutMs }: TaskAssignment): Failure {
  // `logic`, as for commands: an agent that used up its time would use it up again.
  return failure('E_TIMEOUT', `the agent took longer than the task's ${timeoutMs / 1000} s`, {
    class: 'logic',
  });
}

function portsOf(
  { assignment, tree }: ExecutorTask,
  context: ExecutorContext,
  { deadline, mcp }: { readonly deadline: Deadline; readonly mcp: McpCaller | undefined },
): ToolPorts {
  return {
    files: tellingFiles(context.files, (event) => context.event(event)),
    root: tree,
    signal: deadline.signal,
    run: ({ argv, timeoutMs, writes }) =>
      context.run(argv, {
        timeoutMs: Math.min(timeoutMs, deadline.leftMs()),
        // What only verifies is held to reading, as its files are, or is refused.
        writes: assignment.kind === 'implement' ? writes : 'none',
        env: {},
      }),
    ask: (reason, attemptedSolutions) => context.ask({ reason, attemptedSolutions }),
    // The mode decides whether there is such a tool; the orchestrator, whether it may.
    ...(assignment.draft === undefined && { spawn: (request) => context.spawnTask(request) }),
    ...(context.handInPlan !== undefined && { handInPlan: context.handInPlan }),
    ...(mcp !== undefined && { mcp }),
  };
}

function outcomeOf(end: LoopEnd): ExecutorOutcome {
  switch (end.kind) {
    case 'completed':
      return { kind: 'done', summary: end.summary, outputTail: end.lastWords };
    case 'escalated':
      return end;
    case 'failed':
      return end;
  }
}
