import { existsSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { executeTask, type ExecutorOutcome, type ExecutorTask } from '@switchyard/agents';
import type { Sandbox } from '@switchyard/guard';
import { AppError, type TaskAssignment } from '@switchyard/protocol';
import { makeFolderSync } from '@switchyard/runtime';
import { commandPlace, openContext } from './attempt-context.ts';
import { openMcp, type AttemptMcp } from './attempt-mcp.ts';
import { attemptMounts, type AttemptFolders } from './attempt-mounts.ts';
import { beginAudit } from './attempt-audit.ts';
import { handoverFile } from './handover.ts';
import { startProcess, type ProcessPlace } from './attempt-process.ts';
import { discardedBy, scratchPlaces } from './scratch-places.ts';
import type { WorkOptions } from './work-options.ts';

/** Lets the task's executor work in the attempt's tree, every command in the sandbox. */
export async function workOn(options: WorkOptions): Promise<ExecutorOutcome> {
  const { assignment, ports, folder, tree } = options;
  requireHeld(assignment, ports.sandbox.tier);
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
  const entries = options.layer?.entries ?? [];
  const laid = { ...options, layer, folders, scratch };
  prepareCommand(laid);
  const forget = (): Promise<void> => ports.sandbox.forget(tree);
  const audit = await beginAudit({
    ...options,
    clock: ports.clock,
    places: [...scratch, ...entries],
    isDiscarded: discardedBy([...assignment.scratch, ...entries]),
  }).catch((error: unknown) => forget().then(() => Promise.reject(error)));
  try {
    const outcome = await execute(task, laid).finally(forget);
    const violation = await audit.end();
    if (violation !== undefined && outcome.kind === 'done') throw violation;
    return outcome;
  } finally {
    await audit.close();
  }
}

/** Who drafts a plan may only read, whatever does it. Throws AppError E_SANDBOX_UNAVAILABLE. */
function requireHeld({ draft }: TaskAssignment, tier: Sandbox['tier']): void {
  if (draft === undefined || tier !== 'none') return;
  throw new AppError(
    'E_SANDBOX_UNAVAILABLE',
    'who drafts a plan may only read, and without a sandbox nothing holds it to that; `switchyard plan draft --static` drafts one from the project graph',
  );
}

interface Laid extends WorkOptions {
  readonly folders: AttemptFolders;
  readonly scratch: readonly string[];
}

/** While the tree is looked at, the sandbox of the first command is set up. */
function prepareCommand(laid: Laid): void {
  const { assignment, ports, tree } = laid;
  if (assignment.executor.kind !== 'command' || assignment.kind !== 'implement') return;
  try {
    ports.sandbox.prepare({ ...commandPlace(tree, attemptMounts(laid)), timeoutMs: assignment.timeoutMs });
  } catch (error) {
    // Its mounts cannot be made: the command says so, in its own turn.
    laid.logger.debug({ err: error }, 'no sandbox can be prepared');
  }
}

async function execute(task: ExecutorTask, laid: Laid): Promise<ExecutorOutcome> {
  const { assignment, ports, logger, signal } = laid;
  const place = { ...laid, mounts: () => attemptMounts(laid) };
  const needsModel = assignment.executor.kind !== 'command';
  const model = needsModel ? await ports.openModel?.(assignment, { logger, signal }) : undefined;
  let mcp: AttemptMcp | undefined;
  try {
    mcp = await mcpOf(assignment, place);
    const open = openContext({ ...place, task, model, mcp });
    try {
      return await executeTask(ports.executors, task, open.context);
    } finally {
      await open.close();
    }
  } finally {
    await mcp?.close();
    await model?.close();
  }
}

/** The servers that the task names, each in a sandbox of its own, and ours; commands have no use for them. */
async function mcpOf(
  { executor, mcpServers, timeoutMs }: TaskAssignment,
  place: Laid & ProcessPlace,
): Promise<AttemptMcp | undefined> {
  const { ports, tree, logger } = place;
  const { mcpLaunch } = ports;
  if (executor.kind === 'command' || (executor.kind === 'llm' && mcpServers.length === 0)) return undefined;
  return openMcp({
    launches: mcpLaunch === undefined ? [] : mcpServers.map((name) => mcpLaunch(name, tree)),
    use: executor.kind === 'llm' ? 'own' : 'bridges',
    isFree: ports.sandbox.tier === 'none',
    start: ({ argv, network, ...launch }) =>
      startProcess(argv, { ...launch, hosts: network, timeoutMs }, place),
    clock: ports.clock,
    logger,
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
  for (const folder of [folders.input, folders.output]) makeFolderSync(folder);
  const task: ExecutorTask = {
    assignment,
    tree: folders.tree,
    feedbackFile: join(folders.input, 'feedback.json'),
    upstreamFile: join(folders.input, 'upstream.json'),
    handoverFile: handoverFile(folders.output),
    instructionsFile: join(folders.input, 'instructions.txt'),
    escalationFile: join(folders.output, 'escalation.json'),
  };
  writeFileSync(task.feedbackFile, JSON.stringify(assignment.feedback, undefined, 2));
  writeFileSync(task.upstreamFile, JSON.stringify(assignment.upstream, undefined, 2));
  writeFileSync(task.instructionsFile, assignment.instructions);
  return task;
}
