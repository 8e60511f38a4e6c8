import { limits } from '@switchyard/protocol';
import { z } from 'zod';
import { taskWithoutAliases } from './aliases.ts';
import { pipelineOfFile } from './file-schema.ts';
import { stepsOf, type ExpandedPipeline, type Steps } from './pipeline-steps.ts';
import type { Complaint } from './read-yaml.ts';
import { schemaComplaints } from './schema-problems.ts';
import {
  child,
  plainValue,
  textsOf,
  type SourceList,
  type SourceMap,
  type SourceNode,
} from './source-node.ts';

interface Expanded {
  readonly root: SourceNode;
  readonly pipelines: readonly ExpandedPipeline[];
}

const pipelineList = z.array(pipelineOfFile).max(100);

/**
 * Writes the templates of a plan out as tasks, which keep the places of what they were written from, so that every
 * later check speaks of the graph as it will run. A file whose templates have faults keeps them as they are.
 */
export function expandPipelines(root: SourceNode, complaints: Complaint[]): Expanded {
  const written = child(root, 'pipelines');
  if (root.kind !== 'map' || written === undefined) return { root, pipelines: [] };
  const list = plainSteps(written, complaints);
  const checked = pipelineList.safeParse(plainValue(list));
  if (!checked.success || list.kind !== 'list') {
    const issues = checked.success ? [] : checked.error.issues;
    const within = issues.map((issue) => ({ ...issue, path: ['pipelines', ...issue.path] }));
    complaints.push(...schemaComplaints(root, within));
    return { root: withTasks(root, undefined), pipelines: [] };
  }
  const count = checked.data.reduce(
    (sum, { items, steps }) => sum + (Array.isArray(items) ? items.length : 1) * steps.length,
    0,
  );
  if (count > limits.planTasks) {
    complaints.push({
      offset: written.offset,
      code: 'PLAN_PIPELINE_TOO_LARGE',
      message: `The pipelines come to ${count} tasks, over ${limits.planTasks}`,
      fix: 'split the plan',
    });
    return { root: withTasks(root, undefined), pipelines: [] };
  }
  const made = list.items.map((pipeline) => stepsOf(pipeline, complaints));
  return { root: withTasks(root, made), pipelines: made.map(({ summary }) => summary) };
}

/** Steps by the names of tasks, whatever older names they are written with. */
function plainSteps(written: SourceNode, complaints: Complaint[]): SourceNode {
  if (written.kind !== 'list') return written;
  const items = written.items.map((pipeline): SourceNode => {
    const steps = child(pipeline, 'steps');
    if (pipeline.kind !== 'map' || steps?.kind !== 'list') return pipeline;
    const plain = steps.items.map((step) =>
      step.kind === 'map' ? taskWithoutAliases(step, complaints) : step,
    );
    const offset = pipeline.entries.get('steps')?.offset ?? steps.offset;
    return {
      ...pipeline,
      entries: new Map(pipeline.entries).set('steps', { offset, node: { ...steps, items: plain } }),
    };
  });
  return { ...written, items };
}

/** The plan with the steps among its tasks; undefined: without them. */
function withTasks(root: SourceMap, made: readonly Steps[] | undefined): SourceMap {
  const entries = new Map(root.entries);
  const written = entries.get('pipelines');
  entries.delete('pipelines');
  const own = child(root, 'tasks');
  if (made === undefined || (own !== undefined && own.kind !== 'list')) return { ...root, entries };
  const groups = new Map(made.flatMap(({ groups: named }) => [...named]));
  const tasks = (own?.items ?? []).map((task) => afterGroups(task, groups));
  const steps = made.flatMap(({ tasks: some }) => some.map((task) => afterGroups(task, groups)));
  const offset = own?.offset ?? written?.offset ?? root.offset;
  const node: SourceList = { kind: 'list', offset, size: 1, items: [...tasks, ...steps] };
  return { ...root, entries: entries.set('tasks', { offset, node }) };
}

/** A task may depend on a whole pipeline, or on one item of it: on its last steps. */
function afterGroups(task: SourceNode, groups: ReadonlyMap<string, readonly string[]>): SourceNode {
  const depends = child(task, 'dependsOn');
  if (task.kind !== 'map' || depends === undefined) return task;
  const texts = textsOf(depends);
  if (!texts.some(({ text }) => groups.has(text))) return task;
  const items = texts.flatMap(({ text, offset }) =>
    (groups.get(text) ?? [text]).map((id): SourceNode => ({ kind: 'scalar', offset, size: 1, value: id })),
  );
  const node: SourceList = { kind: 'list', offset: depends.offset, size: 1, items };
  const offset = task.entries.get('dependsOn')?.offset ?? depends.offset;
  return { ...task, entries: new Map(task.entries).set('dependsOn', { offset, node }) };
}
