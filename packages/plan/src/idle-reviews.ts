import type { Plan, PlanProblem, TaskId } from '@switchyard/protocol';
import { problemAt, type Place } from './problem.ts';

/** Reviews of what the run has changed that nothing comes before which could change anything: they would approve nothing. */
export function idleReviews(plan: Plan, placeOf: (task: TaskId) => Place): PlanProblem[] {
  const after = behindWork(plan);
  return plan.tasks
    .filter(({ id, kind, reads }) => kind === 'review' && typeof reads === 'string' && !after.has(id))
    .map(({ id }) =>
      problemAt(placeOf(id), {
        severity: 'warning',
        code: 'PLAN_REVIEW_OF_NOTHING',
        message: `Task ${id} reviews what the run has changed, but nothing before it changes anything`,
        fix: 'name what it reviews, such as `reads: [src]`, or let it depend on the work',
      }),
    );
}

/** Every task that, directly or not, comes after one that changes files or may add tasks that do. */
function behindWork({ tasks }: Plan): ReadonlySet<TaskId> {
  const dependants = new Map<TaskId, TaskId[]>();
  for (const { id, dependsOn } of tasks)
    for (const before of dependsOn) {
      const known = dependants.get(before);
      if (known === undefined) dependants.set(before, [id]);
      else known.push(id);
    }
  const found = new Set<TaskId>();
  const open = tasks.filter(({ kind }) => kind === 'implement' || kind === 'verify').map(({ id }) => id);
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const next of dependants.get(at) ?? [])
      if (!found.has(next)) {
        found.add(next);
        open.push(next);
      }
  return found;
}
