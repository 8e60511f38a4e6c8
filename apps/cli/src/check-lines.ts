import { analyzePlan, type ExpandedPipeline } from '@switchyard/plan';
import type { Plan } from '@switchyard/protocol';
import { durationText } from './show-text.ts';

/** What is worth knowing of a plan before it runs. */
export function checkLines(plan: Plan): string[] {
  const analysis = analyzePlan(plan);
  const { strategy } = analysis;
  const asked = strategy.asked === 'auto' ? 'auto → ' : '';
  const hasEstimates = plan.tasks.some((task) => task.estimate.minutes !== undefined);
  const minutes = hasEstimates ? `, about ${durationText(analysis.criticalPathMinutes * 60_000)}` : '';
  return [
    `${plan.name}: ${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'}, no errors`,
    `ready at once (${analysis.ready.length}): ${listed(analysis.ready, ', ')}`,
    `critical path (${analysis.criticalPath.length}${minutes}): ${listed(analysis.criticalPath, ' → ')}`,
    `strategy: ${asked}${strategy.chosen}: ${strategy.reason}`,
    `at once: ${atOnce(analysis.width, plan.limits.workers)}`,
  ];
}

/** How many tasks the graph lets run at the same time, and whether the plan has the workers for them. */
function atOnce(width: number, workers: number): string {
  const most = `${width} ${width === 1 ? 'task' : 'tasks'} at most`;
  return workers < width ? `${most}, but limits.workers is ${workers}` : most;
}

function listed(ids: readonly string[], between: string): string {
  const shown = 20;
  const more = ids.length > shown ? `${between}… ${ids.length - shown} more` : '';
  return `${ids.slice(0, shown).join(between)}${more}`;
}

/** What a template has become: its items, and the steps of each. */
export function pipelineLines({ id, order, items, steps }: ExpandedPipeline): string[] {
  const many = `${items.length} ${items.length === 1 ? 'item' : 'items'}`;
  const how = order === 'sequential' ? 'one after the other' : 'side by side';
  return [
    `pipeline ${id} (${many}, ${how}): ${listed(items, ', ')}`,
    `  each: ${listed(steps, ' → ')}`,
    `  as tasks: ${listed(
      items.slice(0, 1).flatMap((item) => steps.map((step) => `${id}/${item}/${step}`)),
      ', ',
    )}${items.length > 1 ? ', …' : ''}`,
  ];
}
