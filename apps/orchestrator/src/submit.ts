import { AppError, limits, runId, type Plan, type RunId } from '@switchyard/protocol';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import { newRunName, RunKeeper } from './run-keeper.ts';
import { withSetup } from './setup-detection.ts';
import type { ClientWatchers } from './watchers.ts';

/** What answers to clients are made of. */
export interface RequestContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly send: Send;
  readonly watchers: ClientWatchers;
  readonly signal: AbortSignal;
}

/**
 * Makes a run of a plan: the base and the included files are durable in git before the journal speaks of them.
 * Throws AppError E_BASE_UNKNOWN, E_PLAN_INVALID, E_PLAN_TOO_LARGE and what the repository says.
 */
export async function submitRun(
  context: RequestContext,
  plan: Plan,
  file: string | undefined,
): Promise<RunId> {
  const { ports, loop } = context;
  if (plan.tasks.length > limits.planTasks) {
    throw new AppError(
      'E_PLAN_TOO_LARGE',
      `the plan has ${plan.tasks.length} tasks; at most ${limits.planTasks} are taken`,
    );
  }
  const run = newRun(context, plan);
  const base = await ports.repository.resolveBase(plan.base);
  const include =
    plan.include.length === 0 ? undefined : await ports.repository.importFiles(run, plan.include);
  const complete = withSetup(plan, await ports.repository.rootFiles(base));
  const keeper = new RunKeeper(run);
  const at = ports.clock.now();
  keeper.input({ at, kind: 'create', run, plan: complete, base, file, include });
  keeper.input({ at, kind: 'start' });
  await ports.repository.createRun(run, base);
  loop.add(keeper);
  ports.logger.info({ run, plan: plan.name, tasks: plan.tasks.length, base }, 'run started');
  return run;
}

function newRun({ ports, loop }: RequestContext, plan: Plan): RunId {
  for (;;) {
    const run = runId.parse(newRunName(plan.name, ports.random.token(6)));
    if (!loop.keepers.has(run)) return run;
  }
}
