import {
  chooseStrategy,
  criticalPath,
  planShape,
  remainingMinutes,
  type Plan,
  type PlanShape,
  type StrategyChoice,
  type TaskId,
} from '@switchyard/protocol';

/** What can be told of a plan before it runs. */
export interface PlanAnalysis extends PlanShape {
  /** Tasks that can start at once, in the order of the file. */
  readonly ready: readonly TaskId[];
  /** The longest chain by estimated minutes (a task without an estimate counts as the mean of the others, or 1). */
  readonly criticalPath: readonly TaskId[];
  readonly criticalPathMinutes: number;
  readonly strategy: StrategyChoice;
}

/** Analyzes a plan that has no problems: its dependencies exist and are without circles. */
export function analyzePlan(plan: Plan): PlanAnalysis {
  return {
    ready: plan.tasks.filter((task) => task.dependsOn.length === 0).map((task) => task.id),
    criticalPath: criticalPath(plan.tasks),
    criticalPathMinutes: Math.max(0, ...remainingMinutes(plan.tasks).values()),
    ...planShape(plan),
    strategy: chooseStrategy(plan),
  };
}
