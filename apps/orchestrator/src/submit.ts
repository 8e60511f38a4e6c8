import {
  AppError,
  limits,
  runId,
  type LogFilter,
  type MessageId,
  type PeerId,
  type Plan,
  type RunId,
} from '@switchyard/protocol';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import { newRunName, RunKeeper } from './run-keeper.ts';
import { withSetup } from './setup-detection.ts';

/** Who watches what. */
export interface Watchers {
  add(peer: PeerId, run: RunId): void;
  /** Lines are sent as replies to the request. */
  follow(request: { readonly from: PeerId; readonly id: MessageId }, filter: LogFilter): void;
}

/** What answers to clients are made of. */
export interface RequestContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly send: Send;
  readonly watchers: Watchers;
  readonly signal: AbortSignal;
}

/**
 * Makes a run of a plan: the base and the included files are durable in git before the journal speaks of them.
 * Throws AppError E_BASE_UNKNOWN, E_PLAN_TOO_LARGE and what the repository says.
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
  const run = runId.parse(newRunName(plan.name, ports.random.token(6)));
  const base = await ports.repository.resolveBase(plan.base);
  const include =
    plan.include.length === 0 ? undefined : await ports.repository.importFiles(run, plan.include);
  await ports.repository.createRun(run, base);
  const complete = withSetup(plan, await ports.repository.rootFiles(base));
  const keeper = new RunKeeper(run);
  const at = ports.clock.now();
  keeper.input({ at, kind: 'create', run, plan: complete, base, file, include });
  keeper.input({ at, kind: 'start' });
  loop.keepers.set(run, keeper);
  loop.touch(keeper);
  ports.logger.info({ run, plan: plan.name, tasks: plan.tasks.length, base }, 'run started');
  return run;
}
