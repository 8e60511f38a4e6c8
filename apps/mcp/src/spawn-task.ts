import { matchRun } from '@switchyard/access';
import type { SwitchyardClient } from '@switchyard/client';
import { checkAddedTasks } from '@switchyard/plan';
import { AppError, type RunSummary } from '@switchyard/protocol';
import { sleep, systemClock } from '@switchyard/runtime';
import { defaultExecutor } from './default-executor.ts';
import { isOpen, type Desk } from './desk.ts';
import { planFromFile, tasksFromFile } from './new-task.ts';

const publishedMs = 20_000;
const lookMs = 200;

/** A task to be spawned, as a plan file would have it. */
export interface SpawnRequest {
  readonly task: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly executor: Readonly<Record<string, unknown>> | undefined;
  /** The run to grow; absent: the current one, else a run of its own. */
  readonly run: string | undefined;
}

export interface Spawned {
  readonly run: string;
  /** For the agent: where it went, and what it waits for. */
  readonly text: string;
}

/** Adds a task to a run, or starts a run with it. Spawns of one server take turns, so that the first makes the run of all. */
export function spawnTask(desk: Desk, request: SpawnRequest): Promise<Spawned> {
  return desk.station.work((client) =>
    desk.inTurn(async () => {
      const spawned = await (request.run === undefined
        ? growOrStart(desk, client, request)
        : grow(desk, client, { ...request, run: await named(client, request.run) }));
      desk.current = spawned.run;
      return spawned;
    }),
  );
}

async function named(client: SwitchyardClient, name: string): Promise<string> {
  const runs = await client.runs();
  return matchRun(
    runs.map(({ run }) => String(run)),
    name,
  );
}

async function growOrStart(desk: Desk, client: SwitchyardClient, request: SpawnRequest): Promise<Spawned> {
  const current = (await client.runs()).find(({ run }) => run === desk.current);
  if (current === undefined) return start(desk, client, { request });
  if (!isOpen(current)) return start(desk, client, { request, after: current });
  try {
    return await grow(desk, client, { ...request, run: current.run });
  } catch (thrown) {
    // It has ended meanwhile.
    if (!(thrown instanceof AppError) || thrown.code !== 'E_RUN_STATE') throw thrown;
    return start(desk, client, { request, after: await client.run(current.run) });
  }
}

async function grow(
  desk: Desk,
  client: SwitchyardClient,
  { task, executor, run }: SpawnRequest & { readonly run: string },
): Promise<Spawned> {
  const { plan } = (await client.report(run)).report;
  const tasks = tasksFromFile(
    [{ ...task, executor: executor ?? (await defaultExecutor(desk.config, plan)) }],
    plan,
  );
  const waits = checkAddedTasks(plan, tasks).map(({ message }) => message);
  await client.addTasks(run, tasks);
  const notes = waits.length === 0 ? '' : `; note: ${waits.join('; ')}`;
  return { run, text: `spawned ${task.id} in run ${run}${notes}; call run_wait to follow it` };
}

async function start(
  desk: Desk,
  client: SwitchyardClient,
  { request, after }: { readonly request: SpawnRequest; readonly after?: RunSummary },
): Promise<Spawned> {
  const { task, executor } = request;
  const hasResult = after !== undefined && after.tip !== after.base;
  if (hasResult) await published(client, after.run);
  const file = {
    name: 'spawned',
    ...(hasResult && { base: after.branch }),
    tasks: [{ ...task, executor: executor ?? (await defaultExecutor(desk.config)) }],
  };
  const plan = planFromFile(file, { names: await desk.names() });
  const run = await client.submit(plan, 'spawn_parallel_instance');
  const from = hasResult ? `, which goes on from the result of ${after.run}` : '';
  return { run, text: `spawned ${task.id} in a run of its own, ${run}${from}; call run_wait to follow it` };
}

/** A run has its branch in the user's repository just before its report is written. Throws AppError E_TIMEOUT. */
async function published(client: SwitchyardClient, run: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < publishedMs; waitedMs += lookMs) {
    if ((await client.report(run)).files !== undefined) return;
    await sleep(systemClock, lookMs);
  }
  throw new AppError('E_TIMEOUT', `the branch of run ${run} was not there within ${publishedMs / 1000} s`);
}
