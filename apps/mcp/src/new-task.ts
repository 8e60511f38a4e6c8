import type { KnownNames } from '@switchyard/agents';
import { parsePlan } from '@switchyard/plan';
import { AppError, executorKinds, type Plan, type PlanTask } from '@switchyard/protocol';
import { problemText } from './plan-source.ts';

/**
 * Tasks as a plan file would have them, checked and with every default filled in, alone or to be added to a run. Throws
 * AppError E_PLAN_INVALID.
 */
export function tasksFromFile(tasks: readonly unknown[], addTo?: Plan): PlanTask[] {
  return planFromFile({ tasks }, addTo === undefined ? {} : { addTo }).tasks;
}

/** A plan made of what a plan file may say. Throws AppError E_PLAN_INVALID. */
export function planFromFile(
  file: Readonly<Record<string, unknown>>,
  { addTo, names = {} }: { readonly addTo?: Plan; readonly names?: Partial<KnownNames> } = {},
): Plan {
  const { plan, problems } = parsePlan(JSON.stringify(file), {
    ...names,
    file: 'spawn.json',
    // Whether one is there is known to the workers: a task waits for one that has it.
    executors: executorKinds,
    ...(addTo !== undefined && { addTo }),
  });
  if (plan === undefined)
    throw new AppError('E_PLAN_INVALID', problemText(problems), { details: { problems } });
  return plan;
}
