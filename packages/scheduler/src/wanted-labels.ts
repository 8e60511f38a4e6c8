import type { PlanTask } from '@switchyard/protocol';

const typeLabel = 'type:';

/** Whether a worker says which types of task it is for. */
export function isTyped(labels: readonly string[]): boolean {
  return labels.some((label) => label.startsWith(typeLabel));
}

/** What a worker must offer to take a task; types count only in a fleet that has typed workers. */
export function wantedLabels(
  task: Pick<PlanTask, 'requires' | 'workerType'>,
  typed: boolean,
): readonly string[] {
  if (!typed || task.workerType === undefined) return task.requires;
  return [...task.requires, typeLabel + task.workerType];
}
