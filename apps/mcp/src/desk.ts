import { matchRun } from '@switchyard/access';
import type { KnownNames } from '@switchyard/agents';
import type { SwitchyardClient } from '@switchyard/client';
import {
  AppError,
  taskId as taskIdSchema,
  type RunId,
  type RunSummary,
  type TaskId,
} from '@switchyard/protocol';
import type { McpConfig } from './config.ts';
import type { Station } from './station.ts';
import { Turns } from './turns.ts';
import { taskOfWorkerId } from '@switchyard/protocol';

/** What names a run, or a task of one, in the arguments of a tool. */
export interface Named {
  readonly run?: string | undefined;
  readonly taskId?: string | undefined;
  readonly workerId?: string | undefined;
}

/** What all tools of one server share: the way to the orchestrator, and the run that is meant where none is named. */
export class Desk {
  readonly config: McpConfig;
  readonly station: Station;
  /** The last run that this server started or spawned into. */
  current: string | undefined;
  private readonly turns = new Turns();

  constructor(config: McpConfig, station: Station) {
    this.config = config;
    this.station = station;
  }

  /** The run that is meant. Throws AppError E_RUN_UNKNOWN, also where it may be one of several. */
  async run(client: SwitchyardClient, named: Named): Promise<RunId> {
    const runs = await client.runs();
    const meant = this.meant(runs, named);
    if (meant !== undefined) return meant;
    const open = runs.filter(isOpen).map(({ run }) => run);
    throw new AppError(
      'E_RUN_UNKNOWN',
      open.length === 0 ? 'there is no run yet' : `which run? ${open.join(', ')}`,
    );
  }

  /**
   * The run that is meant: named, of a worker id, the last of this server, the only open one, or the last; undefined:
   * there is none, or several are open. Throws AppError E_RUN_UNKNOWN for a name that no run has.
   */
  meant(runs: readonly RunSummary[], named: Named): RunId | undefined {
    const name = named.run ?? taskOfWorkerId(named.workerId)?.run ?? this.current;
    if (name !== undefined)
      return matchRun(
        runs.map(({ run }) => String(run)),
        name,
      );
    const open = runs.filter(isOpen);
    return (open.length === 0 ? runs.at(-1) : open.length === 1 ? open[0] : undefined)?.run;
  }

  /** The task that is meant. Throws AppError E_RUN_UNKNOWN, E_USAGE. */
  async task(client: SwitchyardClient, named: Named): Promise<{ run: RunId; taskId: TaskId }> {
    const taskId = taskIdSchema.safeParse(named.taskId ?? taskOfWorkerId(named.workerId)?.taskId);
    if (!taskId.success)
      throw new AppError('E_USAGE', 'which task? give its taskId, or the workerId of its spawn');
    return { run: await this.run(client, named), taskId: taskId.data };
  }

  /** The names that plans may use; nothing where the workers are those of another machine's orchestrator. Throws E_CONFIG. */
  async names(): Promise<Partial<KnownNames>> {
    const { hub, environment } = this.config;
    if ((hub ?? environment.hub) !== undefined) return {};
    const { knownNames, nameFilesOf } = await import('@switchyard/agents');
    return knownNames(nameFilesOf(environment.all));
  }

  /** One after another, in the order of the calls. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.turns.take(work);
  }
}

/** Whether a run goes on, and may grow. */
export function isOpen({ phase }: RunSummary): boolean {
  return phase === 'running' || phase === 'planned';
}
