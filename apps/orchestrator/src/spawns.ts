import { parsePlan } from '@switchyard/plan';
import {
  AppError,
  isAppError,
  limits,
  messageOf,
  workerIdOf,
  type Envelope,
  type ExecutorSpec,
  type PayloadInput,
  type PeerId,
  type Plan,
  type PlanTask,
} from '@switchyard/protocol';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

interface SpawnContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly send: Send;
}

type Asked = Envelope<'task-spawn'>;

/**
 * Tasks that agents ask for while they work. Whether one may is decided here, by the mode that the plan gives its task,
 * and not by what its worker says of it.
 */
export class Spawns {
  private readonly context: SpawnContext;
  private readonly counts = new WeakMap<RunKeeper, Map<string, number>>();

  constructor(context: SpawnContext) {
    this.context = context;
  }

  /** Takes a request for a task; false: it is about something else. */
  receive(envelope: Envelope): boolean {
    if (envelope.type !== 'task-spawn') return false;
    const { from, id } = envelope;
    const answer = this.answer(envelope);
    const { logger } = this.context.ports;
    const { run, taskId: task, name } = envelope.payload;
    logger[answer.status === 'error' ? 'warn' : 'info'](
      { run, task, name, worker: from, error: answer.error },
      'an agent asks for a task more',
    );
    this.context.loop.afterCommit(() => this.context.send(from, 'task-spawned', answer, { replyTo: id }));
    return true;
  }

  private answer({ from, payload }: Asked): PayloadInput<'task-spawned'> {
    const { run, name, workspacePath: workspace } = payload;
    try {
      this.spawn(from, payload);
      return { workerId: workerIdOf(run, name), status: 'spawned', workspace };
    } catch (error) {
      if (!isAppError(error)) throw error;
      const text = `Failed to spawn worker: ${error.code}: ${messageOf(error)}`;
      return { workerId: '', status: 'error', workspace, error: text.slice(0, 4000) };
    }
  }

  /** Throws AppError E_TOOL_DENIED, E_PLAN_INVALID, E_RUN_STATE. */
  private spawn(from: PeerId, { run, taskId, fence, ...asked }: Asked['payload']): void {
    const { loop, ports } = this.context;
    const keeper = loop.keepers.get(run);
    const lease = keeper?.held.get(taskId);
    const task = keeper?.state.tasks.get(taskId)?.task;
    if (keeper === undefined || task === undefined || lease?.worker !== from || lease.fence !== fence)
      throw new AppError('E_RUN_STATE', "the attempt is over, or is another worker's");
    if (!mayOrchestrate(task.executor))
      throw new AppError('E_TOOL_DENIED', 'only an agent in orchestrator mode can spawn');
    if (task.draft !== undefined)
      throw new AppError(
        'E_TOOL_DENIED',
        'its task is to draft a plan: nothing is begun before that is approved',
      );
    this.count(keeper, `${taskId}#${fence}`);
    const tasks = spawnedTasks(keeper.state.plan, { task, asked, names: ports.settings.names });
    loop.input(keeper, { at: ports.clock.now(), kind: 'add-tasks', tasks });
  }

  private count(keeper: RunKeeper, attempt: string): void {
    const counts = this.counts.get(keeper) ?? new Map<string, number>();
    this.counts.set(keeper, counts);
    const count = (counts.get(attempt) ?? 0) + 1;
    if (count > limits.spawnsOfAttempt)
      throw new AppError('E_TOOL_DENIED', `an attempt may spawn ${limits.spawnsOfAttempt} tasks, and did`);
    counts.set(attempt, count);
  }
}

/** By the plan alone. */
function mayOrchestrate(executor: ExecutorSpec): boolean {
  return executor.kind !== 'command' && executor.mode === 'orchestrator';
}

interface Spawning {
  /** Who asks: the tasks are worked on as it is, but that they may edit and not spawn. */
  readonly task: PlanTask;
  readonly asked: Pick<Asked['payload'], 'name' | 'workspacePath' | 'systemPrompt' | 'mcpServers'>;
  readonly names: OrchestratorPorts['settings']['names'];
}

/** Throws AppError E_PLAN_INVALID. */
function spawnedTasks(plan: Plan, { task, asked, names = {} }: Spawning): PlanTask[] {
  const { name, workspacePath, systemPrompt, mcpServers } = asked;
  const { mode: _mode, ...executor } = task.executor as Exclude<ExecutorSpec, { kind: 'command' }>;
  const workspace = workspacePath.replace(/^\.\/+/, '').replace(/\/+$/, '') || '.';
  const file = {
    tasks: [
      { id: name.trim(), instructions: systemPrompt, workspace, mcpServers, executor, reads: task.reads },
    ],
  };
  const { plan: read, problems } = parsePlan(JSON.stringify(file), { ...names, file: 'spawn', addTo: plan });
  if (read !== undefined) return read.tasks;
  const errors = problems.filter(({ severity }) => severity === 'error');
  throw new AppError(
    'E_PLAN_INVALID',
    errors
      .slice(0, 5)
      .map(({ message, fix }) => `${message}; ${fix}`)
      .join('. '),
  );
}
