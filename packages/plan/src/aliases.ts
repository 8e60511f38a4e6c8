import type { Complaint } from './read-yaml.ts';
import { child, type SourceEntry, type SourceMap, type SourceNode } from './source-node.ts';

/** Names of older tools and where their value belongs in a task (DESIGN.md section 5). */
export const taskAliases = {
  taskId: ['id'],
  dependencies: ['dependsOn'],
  workspacePath: ['workspace'],
  systemPrompt: ['instructions'],
  acceptanceCriteria: ['acceptance'],
  estimatedRPM: ['estimate', 'rpm'],
  reviewRequired: ['review', 'mode'],
  requiresReview: ['review', 'mode'],
  reviewerSpecialization: ['review', 'specializations'],
  reviewSpecialization: ['review', 'specializations'],
} as const satisfies Record<string, readonly [string] | readonly [string, string]>;

/** The plan with every alias replaced; places stay those of what is written. */
export function withoutAliases(root: SourceNode, complaints: Complaint[]): SourceNode {
  const tasks = child(root, 'tasks');
  if (root.kind !== 'map' || tasks?.kind !== 'list') return root;
  const items = tasks.items.map((task) =>
    task.kind === 'map' ? taskWithoutAliases(task, complaints) : task,
  );
  const entry = root.entries.get('tasks');
  const entries = new Map(root.entries).set('tasks', {
    offset: entry?.offset ?? tasks.offset,
    node: { ...tasks, items },
  });
  return { ...root, entries };
}

/** The same for one task. */
export function taskWithoutAliases(task: SourceMap, complaints: Complaint[]): SourceMap {
  const used = Object.entries(taskAliases).filter(([alias]) => task.entries.has(alias));
  if (used.length === 0) return task;
  const entries = new Map(task.entries);
  for (const [alias, target] of used) {
    const entry = task.entries.get(alias);
    entries.delete(alias);
    if (entry === undefined || !place(entries, target, valueOf(alias, entry)))
      complaints.push(twice(alias, target.join('.'), entry?.offset ?? task.offset));
  }
  return { ...task, entries };
}

/** Puts an entry at its place, one or two levels down; false when something else is there already. */
function place(entries: Map<string, SourceEntry>, target: readonly string[], entry: SourceEntry): boolean {
  const [key = '', inner] = target;
  const there = entries.get(key);
  if (inner === undefined) {
    if (there === undefined) entries.set(key, entry);
    return there === undefined;
  }
  if (there !== undefined && there.node.kind !== 'map') return false;
  const outer = there?.node.kind === 'map' ? there.node.entries : new Map<string, SourceEntry>();
  if (outer.has(inner)) return false;
  const node: SourceMap = {
    kind: 'map',
    offset: entry.offset,
    size: 1,
    entries: new Map(outer).set(inner, entry),
  };
  entries.set(key, { offset: there?.offset ?? entry.offset, node });
  return true;
}

/** `reviewRequired: true` means mode required, false never. */
function valueOf(alias: string, entry: SourceEntry): SourceEntry {
  const { node } = entry;
  const isMode = alias === 'reviewRequired' || alias === 'requiresReview';
  if (!isMode || node.kind !== 'scalar' || typeof node.value !== 'boolean') return entry;
  return { ...entry, node: { ...node, value: node.value ? 'required' : 'never' } };
}

function twice(alias: string, target: string, offset: number): Complaint {
  return {
    offset,
    code: 'PLAN_DUPLICATE_KEY',
    message: `"${alias}" is another name of "${target}", which is given as well`,
    fix: `keep "${target}"`,
  };
}
