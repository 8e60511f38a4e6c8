import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import {
  executeTask,
  type CommandOptions,
  type CommandResult,
  type ExecutorOutcome,
  type ExecutorTask,
} from '@switchyard/agents';
import type { TaskAssignment } from '@switchyard/protocol';
import type { Layer } from '@switchyard/receipts';
import { attemptMounts, type AttemptFolders } from './attempt-mounts.ts';
import type { AttemptPorts } from './ports.ts';
import { scratchPlaces } from './scratch-places.ts';

const escalationBytesMax = 64 * 1024;

export interface WorkOptions {
  readonly assignment: TaskAssignment;
  readonly ports: AttemptPorts;
  /** The attempt's own folder. */
  readonly folder: string;
  readonly tree: string;
  readonly layer: Layer | undefined;
  readonly signal: AbortSignal;
  readonly say: (message: string) => void;
}

/** Lets the task's executor work in the attempt's tree, every command in the sandbox. */
export async function workOn(options: WorkOptions): Promise<ExecutorOutcome> {
  const { assignment, ports, folder, tree, signal, say } = options;
  const folders: AttemptFolders = {
    tree,
    input: join(folder, 'input'),
    output: join(folder, 'output'),
    skeleton: join(folder, 'skeleton'),
    scratch: join(folder, 'scratch'),
  };
  const task = layOut(assignment, folders);
  const scratch = scratchPlaces(tree, assignment.scratch);
  await fillScratch(folders, scratch);
  // Without a sandbox nothing is mounted; the layer was copied.
  const layer = ports.sandbox.tier === 'none' ? undefined : options.layer;
  return executeTask(ports.executors, task, {
    run: (argv, command) =>
      runCommand(argv, command, {
        ...options,
        mounts: () => attemptMounts({ assignment, folders, layer, scratch }),
      }),
    progress: say,
    signal,
    readEscalation: () => readSmallFile(task.escalationFile),
  });
}

/** A scratch place begins with what the commit has there; what becomes of it is thrown away. */
async function fillScratch(folders: AttemptFolders, places: readonly string[]): Promise<void> {
  for (const [index, place] of places.entries()) {
    const source = join(folders.tree, place);
    if (!existsSync(source)) continue;
    await cp(source, join(folders.scratch, String(index)), { recursive: true, verbatimSymlinks: true });
  }
}

function layOut(assignment: TaskAssignment, folders: AttemptFolders): ExecutorTask {
  for (const folder of [folders.input, folders.output]) mkdirSync(folder, { recursive: true });
  const task: ExecutorTask = {
    assignment,
    tree: folders.tree,
    feedbackFile: join(folders.input, 'feedback.json'),
    instructionsFile: join(folders.input, 'instructions.txt'),
    escalationFile: join(folders.output, 'escalation.json'),
  };
  writeFileSync(task.feedbackFile, JSON.stringify(assignment.feedback, undefined, 2));
  writeFileSync(task.instructionsFile, assignment.instructions);
  return task;
}

async function runCommand(
  argv: readonly string[],
  command: CommandOptions,
  context: WorkOptions & { readonly mounts: () => ReturnType<typeof attemptMounts> },
): Promise<CommandResult> {
  const result = await context.ports.sandbox.run({
    argv,
    cwd: context.tree,
    mounts: context.mounts(),
    env: { ...command.env, CI: '1' },
    network: 'none',
    timeoutMs: command.timeoutMs,
    signal: context.signal,
    ...(command.onOutput !== undefined && { onOutput: command.onOutput }),
  });
  const { exitCode, ended, reason, output, truncated, durationMs } = result;
  return { exitCode, ended, ...(reason !== undefined && { reason }), output, truncated, durationMs };
}

/** What the attempt left in a file of its own; nothing if it is no plain small file (it may be anything). */
function readSmallFile(file: string): string | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size === 0 || stat.size > escalationBytesMax)
    return undefined;
  return readFileSync(file, 'utf8');
}
