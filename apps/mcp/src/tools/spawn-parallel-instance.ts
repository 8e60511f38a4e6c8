import { isAppError, messageOf, workerIdOf } from '@switchyard/protocol';
import { z } from 'zod';
import { approvalOf } from '../approval.ts';
import { mcpServersOf } from '../mcp-servers.ts';
import { spawnTask } from '../spawn-task.ts';
import { defineTool, type Answer } from '../tool.ts';
import { workspacePathOf } from '../workspace-path.ts';

/** What must be given; absent it is empty, so that the tool itself says what is missing, with its code. */
const needed = (max: number) =>
  z
    .string()
    .max(max)
    .optional()
    .transform((given) => given ?? '');
const required = ['taskId', 'workspacePath', 'systemPrompt'] as const;

const fields = z.strictObject({
  taskId: needed(200).describe('Unique, telling id of the task, for example auth-login-jwt.'),
  workspacePath: needed(4096).describe(
    'The only folder (or file) the worker may write, relative to the repository or absolute inside it. Workspaces of tasks that may run at the same time must not overlap.',
  ),
  systemPrompt: needed(64_000).describe(
    'What to do, whole: the worker knows nothing else. Requirements, acceptance criteria, patterns to follow.',
  ),
  mcpServers: z
    .union([z.string().max(4000), z.array(z.string().max(100)).max(20)])
    .optional()
    .describe(
      'MCP servers of the worker: a list, JSON of a list, or names between commas. Only what it needs.',
    ),
  run: z
    .string()
    .max(200)
    .optional()
    .describe(
      'The running run to add the task to. Default: the one you started or spawned into last; if there is none or it has ended, a run of its own that goes on from its result.',
    ),
  dependsOn: z
    .array(z.string().max(200))
    .max(1000)
    .default([])
    .describe('Ids of tasks of the same run that must be completed first; the worker sees their results.'),
  acceptance: z
    .array(z.union([z.string().min(1).max(4000), z.object({ run: z.string().min(1).max(8000) })]))
    .max(100)
    .default([])
    .describe(
      'Criteria for worker and reviewer; {run} is a command checked on a fresh checkout of the result.',
    ),
  executor: z
    // Loose: what is wrong with it the checks of the plan say, as of all that is spawned.
    .record(
      z.string().max(100),
      z.union([z.string().max(8000), z.array(z.string().max(8000)).max(100), z.number(), z.boolean()]),
    )
    .optional()
    .describe(
      'Who works on it, as in a plan: {run: [commands]}, {agent: name} or {model: name}. Default: what the server was started with, else as other tasks of the run.',
    ),
});

const input = fields.meta({ required: [...required] });

const output = z.object({
  workerId: z.string().describe('Stands for run and task in the other tools; empty if nothing was spawned.'),
  status: z.enum(['spawned', 'error']),
  workspace: z.string(),
  error: z.string().optional(),
});

/** Adds one task, with a worker of its own, to a run. */
export const spawnParallelInstance = defineTool({
  name: 'spawn_parallel_instance',
  title: 'Spawn a parallel worker',
  description:
    'Spawns one worker for one task, beside all others: it works in an isolated clone, may write its workspace only, and its result is reviewed, merged and verified before dependants see it. Spawn independent tasks one after another without waiting; they run at the same time. A task whose workspace overlaps that of a running one waits for it. Follow it with run_wait, verify with task_output and task_diff. For a graph you know beforehand, run_start is better. Only in the orchestrator mode.',
  input,
  output,
  changes: true,
  annotations: { destructiveHint: false, idempotentHint: false },
  async run(args, call) {
    const missing = required.filter((name) => args[name].trim() === '');
    if (missing.length > 0) return failed(args.workspacePath, missingText(missing));
    let shown = args.workspacePath;
    try {
      const { desk } = call;
      const workspace = workspacePathOf(args.workspacePath.trim(), await desk.station.workTree());
      shown = workspace.absolute ?? workspace.relative;
      const mcpServers = mcpServersOf(args.mcpServers);
      const approval = approvalOf(call, question(args, workspace.relative, mcpServers));
      if (approval.kind === 'asking') return approval.ask;
      if (approval.kind === 'denied') return failed(shown, `Not spawned: ${approval.why}`);
      const { systemPrompt: instructions, dependsOn, acceptance, executor } = args;
      const taskId = args.taskId.trim();
      const task = {
        id: taskId,
        instructions,
        workspace: workspace.relative,
        dependsOn,
        acceptance,
        mcpServers,
      };
      const { run, text } = await spawnTask(desk, { task, executor, run: args.run });
      return {
        structured: { workerId: workerIdOf(run, taskId), status: 'spawned' as const, workspace: shown },
        text,
      };
    } catch (thrown) {
      const code = isAppError(thrown) ? thrown.code : 'E_INTERNAL';
      return failed(shown, `Failed to spawn worker: ${code}: ${messageOf(thrown)}`);
    }
  },
});

function failed(workspace: string, error: string): Answer<z.input<typeof output>> {
  return { structured: { workerId: '', status: 'error', workspace, error }, text: error, isError: true };
}

function missingText(names: readonly string[]): string {
  return `Missing required parameters: ${names.join(', ')} (E_TOOL_INPUT); give each of them a text`;
}

function question(args: z.output<typeof input>, workspace: string, mcpServers: readonly string[]): string {
  return [
    `Spawn a worker for the task ${args.taskId}?`,
    `It may write: ${workspace}`,
    ...(mcpServers.length > 0 ? [`MCP servers: ${mcpServers.join(', ')}`] : []),
    ...(args.executor === undefined ? [] : [`Executor: ${JSON.stringify(args.executor)}`]),
    '',
    args.systemPrompt.slice(0, 2000),
  ].join('\n');
}
