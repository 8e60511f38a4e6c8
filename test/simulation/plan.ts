import { gateRejects, limits, type Plan, type PlanTask } from '@switchyard/protocol';
import { buildPlan, buildTask } from '@switchyard/testkit';

/** A whole number from 0 to `most`. */
export type UpTo = (most: number) => number;

export interface Dice {
  readonly upTo: UpTo;
  readonly chance: (share: number) => boolean;
}

/** A plan of some tasks of every kind. */
export function planOf(name: string, dice: Dice): Plan {
  const { upTo, chance } = dice;
  const count = 2 + upTo(6);
  const tasks: PlanTask[] = [];
  for (let index = 0; index < count; index += 1) tasks.push(taskOf(dice, tasks));
  const when = (['each', 'batch', 'end'] as const)[upTo(2)] ?? 'batch';
  return buildPlan(tasks, {
    name,
    limits: { workers: 1 + upTo(5), rpm: 3_800, ...(chance(0.03) ? { wallMinutes: 2 } : {}) },
    verify: { run: chance(0.6) ? ['npm test'] : [], when, timeoutMs: 60_000 },
  });
}

/** A task that fits behind those that are there. */
export function taskOf(
  { upTo, chance }: Dice,
  before: readonly Pick<PlanTask, 'id' | 'workspace'>[],
): PlanTask {
  const id = `t${before.length}`;
  const dependsOn = before.filter(() => chance(0.25)).map((task) => task.id);
  const kind = chance(0.8) ? 'implement' : ((['manual', 'verify', 'review'] as const)[upTo(2)] ?? 'verify');
  const other = before[upTo(before.length)]?.workspace[0];
  const shared = chance(0.15) && other !== undefined ? [chance(0.5) ? other : `${other}/${id}`] : [id];
  return buildTask({
    id,
    kind,
    dependsOn,
    requires: chance(0.06) ? ['gpu'] : [],
    review: reviewOf({ upTo, chance }, kind),
    more: {
      retries: upTo(3),
      resume: chance(0.5) ? 'wip' : 'clean',
      onFailure: (['skip-dependents', 'skip-dependents', 'continue', 'escalate', 'fail-run'] as const)[
        upTo(4)
      ],
      acceptance: chance(0.4) && kind === 'implement' ? [{ kind: 'run', run: 'npm test' }] : [],
      ...(kind === 'implement' ? { workspace: shared } : {}),
      ...(kind === 'manual' ? { gate: gateOf(before.length) } : {}),
    },
  });
}

/** Gates that only fail, that send back and that roll back, in turn. */
function gateOf(place: number): PlanTask['gate'] {
  const onReject = gateRejects[place % gateRejects.length];
  return { mode: 'approve', waitMs: limits.gateWaitMs, inputs: [], onReject, rounds: 2 };
}

function reviewOf({ upTo, chance }: Dice, kind: PlanTask['kind']): Partial<PlanTask['review']> {
  if (kind !== 'review' && chance(0.55)) return { mode: 'never' };
  return {
    mode: chance(0.8) ? 'required' : 'optional',
    specializations: chance(0.3) ? ['style', 'security'] : ['style'],
    rounds: 1 + upTo(2),
    timeoutMs: chance(0.2) ? 8_000 : 60_000,
    onTimeout: chance(0.8) ? 'escalate' : 'approve',
  };
}
