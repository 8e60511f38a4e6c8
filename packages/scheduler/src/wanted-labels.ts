import { labelOfExecutor, type PlanTask } from '@switchyard/protocol';

const typeLabel = 'type:';

/** Whether a worker says which types of task it is for. */
export function isTyped(labels: readonly string[]): boolean {
  return labels.some((label) => label.startsWith(typeLabel));
}

/** What a worker must offer to take a task, its agent included; types count only in a fleet that has typed workers. */
export function wantedLabels(
  task: Pick<PlanTask, 'requires' | 'workerType' | 'executor'>,
  typed: boolean,
): readonly string[] {
  const agent = labelOfExecutor(task.executor);
  const type = typed && task.workerType !== undefined ? typeLabel + task.workerType : undefined;
  if (agent === undefined && type === undefined) return task.requires;
  return [...task.requires, agent, type].filter((label) => label !== undefined);
}
