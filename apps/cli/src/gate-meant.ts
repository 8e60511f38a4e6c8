import type { SwitchyardClient } from '@switchyard/client';
import { AppError } from '@switchyard/protocol';
import { meantRun } from './session.ts';

/** One gate, by the run and the task that wait at it. */
export interface MeantGate {
  readonly run: string;
  readonly task: string;
}

type Asked = Pick<SwitchyardClient, 'run' | 'runs'>;

/**
 * The gate that a person means: by its run and its task, or, where no other that waits is called so, by its task alone,
 * by `RUN/TASK`, or by the run that waits at it. Throws AppError E_RUN_UNKNOWN, E_TASK_UNKNOWN, E_USAGE.
 */
export async function meantGate(
  client: Asked,
  [name, task]: readonly [string, (string | undefined)?],
): Promise<MeantGate> {
  if (task !== undefined) return { run: await meantRun(client, name), task };
  const gates = await waitingGates(client);
  const meant = gates.filter((gate) => gate.task === name || `${gate.run}/${gate.task}` === name);
  const found = meant.length > 0 ? meant : gates.filter(({ run }) => run === name);
  const [only, ...others] = found;
  const listed = (found.length > 0 ? found : gates).map((gate) => `${gate.run} ${gate.task}`).join(', ');
  if (only === undefined) {
    const waiting = gates.length === 0 ? 'no gate waits' : `waiting are: ${listed}`;
    throw new AppError('E_TASK_UNKNOWN', `no gate that waits is called ${name}; ${waiting}`);
  }
  if (others.length > 0) throw new AppError('E_USAGE', `${name} may be any of: ${listed}; name run and task`);
  return only;
}

/** What the plan makes of a gate that was just rejected, for people. */
export async function afterRejection(
  client: Pick<SwitchyardClient, 'run'>,
  { run, task }: MeantGate,
): Promise<string> {
  const phase = (await client.run(run)).tasks.find(({ id }) => id === task)?.phase;
  switch (phase) {
    case undefined:
      return '';
    case 'failed':
      return ': it has failed';
    case 'completed':
      return ': nothing of it is added';
    default:
      return ': the work before it begins again, and then it asks again';
  }
}

async function waitingGates(client: Asked): Promise<MeantGate[]> {
  const gates: MeantGate[] = [];
  for (const { run, progress } of await client.runs()) {
    if (progress.waiting === 0) continue;
    for (const { id, waiting } of (await client.run(run)).tasks)
      if (waiting?.kind === 'gate') gates.push({ run, task: id });
  }
  return gates;
}
