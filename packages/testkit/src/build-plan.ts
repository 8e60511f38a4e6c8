import { plan as planSchema, planTask, type Plan, type PlanTask } from '@switchyard/protocol';

/** What a test says of a task; the rest is harmless. */
export interface TaskWords {
  readonly id: string;
  readonly kind?: PlanTask['kind'];
  readonly dependsOn?: readonly string[];
  readonly requires?: readonly string[];
  readonly review?: Partial<PlanTask['review']>;
  readonly more?: Record<string, unknown>;
}

/** A task whose workspace is the folder of its name. */
export function buildTask({ id, kind = 'implement', review, more, ...rest }: TaskWords): PlanTask {
  return planTask.parse({
    id,
    kind,
    instructions: `write ${id}`,
    workspace: kind === 'implement' ? [id] : [],
    reads: 'all',
    dependsOn: [],
    requires: [],
    estimate: {},
    executor: { kind: 'command', run: ['true'] },
    acceptance: [],
    review: {
      mode: 'never',
      specializations: [],
      rounds: 3,
      timeoutMs: 60_000,
      onTimeout: 'escalate',
      ...review,
    },
    mcpServers: [],
    onFailure: 'skip-dependents',
    timeoutMs: 60_000,
    retries: 2,
    ...rest,
    ...more,
  });
}

/** A plan of these tasks, without verification unless told otherwise. */
export function buildPlan(tasks: readonly PlanTask[], more: Record<string, unknown> = {}): Plan {
  return planSchema.parse({
    version: 1,
    name: 'demo',
    strategy: 'max-parallel',
    limits: { workers: 5, rpm: 3800 },
    retryPolicy: {},
    scratch: [],
    include: [],
    verify: { run: [], when: 'batch', timeoutMs: 60_000 },
    tasks,
    ...more,
  });
}
