import { lstatSync, readFileSync } from 'node:fs';
import {
  askTool,
  ownTools,
  eventLine,
  type AgentEvent,
  type AttemptModel,
  type CommandOptions,
  type CommandResult,
  type ExecutorContext,
  type ExecutorTask,
  type SpawnRequest,
  type ToolPorts,
} from '@switchyard/agents';
import { attemptPathPolicy, openPathGuard, type SandboxMount } from '@switchyard/guard';
import { attemptFolder } from '@switchyard/peer';
import { AppError } from '@switchyard/protocol';
import type { AttemptMcp } from './attempt-mcp.ts';
import type { ProcessPlace } from './attempt-process.ts';
import { HeldProcesses } from './held-processes.ts';
import { Transcript } from './transcript.ts';
import type { WorkOptions } from './work-options.ts';

const escalationBytesMax = 64 * 1024;

export interface ContextOptions extends WorkOptions, ProcessPlace {
  readonly task: ExecutorTask;
  readonly model: AttemptModel | undefined;
  readonly mcp: AttemptMcp | undefined;
}

/** What an executor may do in this attempt: processes in its sandbox, files through its guard, and words. */
export interface OpenContext {
  readonly context: ExecutorContext;
  /** Resolves when every process that was started here has ended, also one that was still on its way. */
  close(): Promise<void>;
}

export function openContext(options: ContextOptions): OpenContext {
  const { assignment, ports, tree, say, signal, task, model, mcp, desk } = options;
  // Most attempts are commands: they have no transcript, and no file tool that a guard would answer.
  const transcript = lazily(
    () =>
      new Transcript({
        folder: ports.transcripts,
        name: attemptFolder(assignment),
        clock: ports.clock,
        secrets: [...ports.secrets, ...(model === undefined ? [] : [model.endpoint.token])],
      }),
  );
  const mayLog = logBudget(options);
  const processes = new HeldProcesses(options);
  const files = lazily(() =>
    openPathGuard(attemptPathPolicy({ tree, ...writableOf(options), reads: assignment.reads })),
  );
  let unanswered: string | undefined;
  const asking = askTool(
    (question) => context.ask(question),
    (question) => (unanswered = JSON.stringify({ attemptedSolutions: [], ...question })),
  );
  const told = (event: AgentEvent): void => tell(transcript.get(), event, { ...options, mayLog });
  const context: ExecutorContext = {
    run: (argv, command) => runCommand(argv, command, options),
    spawn: (argv, asked) =>
      processes.start(argv, {
        ...asked,
        sockets: [...(model?.sockets ?? []), ...(mcp?.sockets ?? [])],
      }),
    get files() {
      return files.get();
    },
    ...(model !== undefined && { model: model.endpoint }),
    ...(mcp !== undefined && { mcpBridges: mcp.bridges }),
    ...(mcp?.caller !== undefined && { mcp: mcp.caller }),
    event: told,
    ask: async (question) => {
      told({ kind: 'question', text: question.reason });
      const answer = await options.ask(question);
      told({ kind: 'note', text: `answered: ${answer}` });
      return answer;
    },
    spawnTask: (request) => options.spawnTask(inTree(request, tree)),
    ...(desk !== undefined && { handInPlan: (plan) => desk.take(plan) }),
    offer: (rights) => mcp?.serve([asking, ...ownTools(rights, orchestratorPorts(context, options), told)]),
    pausedMs: options.pausedMs,
    progress: say,
    signal,
    readEscalation: () => unanswered ?? readSmallFile(task.escalationFile),
  };
  mcp?.serve([asking]);
  return {
    context,
    async close() {
      await processes.end();
      files.close();
      transcript.close();
    },
  };
}

/** What an agent's program may have of us beside asking; who drafts a plan begins nothing. */
function orchestratorPorts(
  context: ExecutorContext,
  { assignment, tree, signal }: ContextOptions,
): ToolPorts {
  const { handInPlan } = context;
  return {
    get files() {
      return context.files;
    },
    root: tree,
    run: ({ argv, timeoutMs, writes }) => context.run(argv, { timeoutMs, writes, env: {} }),
    signal,
    ...(assignment.draft === undefined && { spawn: (request) => context.spawnTask(request) }),
    ...(handInPlan !== undefined && { handInPlan }),
  };
}

/** A place of the checkout as the repository names it. */
function inTree(request: SpawnRequest, tree: string): SpawnRequest {
  const { workspacePath } = request;
  if (workspacePath !== tree && !workspacePath.startsWith(`${tree}/`)) return request;
  return { ...request, workspacePath: workspacePath.slice(tree.length + 1) || '.' };
}

/** Made when it is first asked for, and closed if it was. */
function lazily<Thing extends { close(): void }>(make: () => Thing): { get(): Thing; close(): void } {
  let made: Thing | undefined;
  return { get: () => (made ??= make()), close: () => made?.close() };
}

/** What only verifies has no workspace, and its tools write nothing. */
function writableOf({ assignment }: ContextOptions): { readonly workspace: readonly string[] } {
  return { workspace: assignment.kind === 'implement' ? assignment.workspace : [] };
}

/** Lines that an agent may put into the log, refusals apart, and so many of those; the transcript has the rest. */
const logLinesMax = 2_000;

/** Whether one more line of a kind may go into the log; says so once when that ends. */
function logBudget({ logger }: ContextOptions): (isWarning: boolean) => boolean {
  const left = { warning: logLinesMax, plain: logLinesMax };
  return (isWarning) => {
    const kind = isWarning ? 'warning' : 'plain';
    left[kind] -= 1;
    if (left[kind] === -1) logger.warn({ lines: logLinesMax }, 'the agent says too much for the log');
    return left[kind] >= 0;
  };
}

/** Events reach the transcript whole, and the log (`switchyard logs --task`) as lines. */
function tell(
  transcript: Transcript,
  event: AgentEvent,
  { logger, say, mayLog }: ContextOptions & { readonly mayLog: (isWarning: boolean) => boolean },
): void {
  transcript.write(event);
  const line = eventLine(transcript.shown(event)).slice(0, 500);
  if (line === '') return;
  say(line);
  const isWarning = event.kind === 'denied' || isRefusal(event);
  if (mayLog(isWarning)) logger[isWarning ? 'warn' : 'info']({ agentEvent: event.kind, text: line }, 'agent');
}

function isRefusal(event: AgentEvent): boolean {
  return event.kind === 'permission' && event.decision === 'refused';
}

/** Where a command of an attempt runs: at the root of its tree, with no way out. */
export function commandPlace(tree: string, mounts: readonly SandboxMount[]) {
  return { cwd: tree, mounts, network: 'none' } as const;
}

async function runCommand(
  argv: readonly string[],
  command: CommandOptions,
  options: ContextOptions,
): Promise<CommandResult> {
  const result = await options.ports.sandbox.run({
    ...commandPlace(options.tree, command.writes === 'none' ? unwritable(options) : options.mounts()),
    argv,
    isOneOfMany: true,
    env: { ...command.env, CI: '1' },
    timeoutMs: command.timeoutMs,
    signal: options.signal,
    ...(command.onOutput !== undefined && { onOutput: command.onOutput }),
  });
  const { exitCode, ended, reason, output, truncated, durationMs } = result;
  return { exitCode, ended, ...(reason !== undefined && { reason }), output, truncated, durationMs };
}

/** The same places, none of them writable but those that are thrown away. Throws E_SANDBOX_UNAVAILABLE. */
function unwritable({ ports, mounts }: ContextOptions): SandboxMount[] {
  if (ports.sandbox.tier === 'none')
    throw new AppError(
      'E_SANDBOX_UNAVAILABLE',
      'commands of this mode may write nothing, and without a sandbox nothing holds them to that; they are refused. Leave --no-sandbox out; `switchyard doctor` says what the sandbox needs',
    );
  return mounts().map((mount) => (mount.kind === 'write' ? { ...mount, kind: 'read' } : mount));
}

/** What the attempt left in a file of its own; nothing if it is no plain small file (it may be anything). */
function readSmallFile(file: string): string | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size === 0 || stat.size > escalationBytesMax)
    return undefined;
  return readFileSync(file, 'utf8');
}
