import { nearest } from '@switchyard/protocol';
import type { Complaint } from './read-yaml.ts';
import { child, textOf, textsOf, type SourceMap, type SourceNode, type SourceScalar } from './source-node.ts';

/** What one template has become, for people. */
export interface ExpandedPipeline {
  readonly id: string;
  readonly order: 'parallel' | 'sequential';
  readonly items: readonly string[];
  readonly steps: readonly string[];
}

/** One template, written out. */
export interface Steps {
  readonly tasks: readonly SourceNode[];
  /** What stands for its last steps: its id, and `id/item`. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly summary: ExpandedPipeline;
}

interface Item {
  readonly name: string;
  readonly offset: number;
  readonly after: readonly { readonly text: string; readonly offset: number }[];
  /** What `{{item.<key>}}` stands for. */
  readonly values: ReadonlyMap<string, string>;
}

/** Writes out a template that its schema has let pass. */
export function stepsOf(pipeline: SourceNode, complaints: Complaint[]): Steps {
  const id = textOf(child(pipeline, 'id'))?.text ?? '';
  const order = textOf(child(pipeline, 'order'))?.text === 'sequential' ? 'sequential' : 'parallel';
  const items = itemsOf(pipeline, complaints);
  const steps = listOf(child(pipeline, 'steps'));
  const names = steps.map((step) => textOf(child(step, 'id'))?.text ?? '');
  const template = { id, names, ends: endsOf(steps, names), first: child(pipeline, 'dependsOn'), complaints };
  const tasks = items.flatMap((item, place) => {
    const before = order === 'sequential' ? items.slice(Math.max(0, place - 1), place) : [];
    const after = [...before.map(({ name, offset }) => ({ text: name, offset })), ...item.after];
    return steps.map((step, at) => taskOf(step, { template, item, at, after }));
  });
  const groups = new Map<string, readonly string[]>(
    items.map(({ name }) => [`${id}/${name}`, template.ends.map((step) => `${id}/${name}/${step}`)]),
  );
  groups.set(id, [...groups.values()].flat());
  return { tasks, groups, summary: { id, order, items: items.map(({ name }) => name), steps: names } };
}

interface Template {
  readonly id: string;
  readonly names: readonly string[];
  /** Steps that no other step comes after. */
  readonly ends: readonly string[];
  /** What comes before the first steps. */
  readonly first: SourceNode | undefined;
  readonly complaints: Complaint[];
}

function endsOf(steps: readonly SourceNode[], names: readonly string[]): string[] {
  const inner = new Set(steps.flatMap((step, at) => beforeStep(step, names, at).map(({ text }) => text)));
  return names.filter((name) => !inner.has(name));
}

/** What a step says it comes after; without a word, the step above it. */
function beforeStep(
  step: SourceNode,
  names: readonly string[],
  at: number,
): { readonly text: string; readonly offset: number }[] {
  if (step.kind === 'map' && step.entries.has('dependsOn')) return textsOf(child(step, 'dependsOn'));
  const above = names[at - 1];
  return above === undefined ? [] : [{ text: above, offset: step.offset }];
}

interface Place {
  readonly template: Template;
  readonly item: Item;
  readonly at: number;
  /** Items that come first. */
  readonly after: readonly { readonly text: string; readonly offset: number }[];
}

function taskOf(step: SourceNode, place: Place): SourceNode {
  const { template, item, at, after } = place;
  const { id, names, ends, first } = template;
  if (step.kind !== 'map') return step;
  const before = beforeStep(step, names, at);
  const own = before.map(({ text, offset }) =>
    scalar(names.includes(text) ? `${id}/${item.name}/${text}` : text, offset),
  );
  const isFirst = !before.some(({ text }) => names.includes(text));
  const outer = isFirst
    ? [
        ...textsOf(first).map(({ text, offset }) => scalar(text, offset)),
        ...after.flatMap(({ text, offset }) => ends.map((end) => scalar(`${id}/${text}/${end}`, offset))),
      ]
    : [];
  const filled = fill(step, place) as SourceMap;
  const name = names[at] ?? '';
  const idOffset = child(step, 'id')?.offset ?? step.offset;
  const entries = new Map(filled.entries)
    .set('id', { offset: idOffset, node: scalar(`${id}/${item.name}/${name}`, idOffset) })
    .set('dependsOn', {
      offset: step.entries.get('dependsOn')?.offset ?? step.offset,
      node: {
        kind: 'list',
        offset: child(step, 'dependsOn')?.offset ?? step.offset,
        size: 1,
        items: [...own, ...outer],
      },
    });
  return { ...filled, entries };
}

function scalar(value: string, offset: number): SourceScalar {
  return { kind: 'scalar', offset, size: 1, value };
}

/** The same with what the item has in the place of every `{{…}}`. */
function fill(node: SourceNode, place: Place): SourceNode {
  switch (node.kind) {
    case 'scalar':
      if (typeof node.value !== 'string' || !node.value.includes('{{')) return node;
      return { ...node, value: fillText(node.value, node.offset, place) };
    case 'list':
      return { ...node, items: node.items.map((item) => fill(item, place)) };
    case 'map': {
      const entries = [...node.entries].map(
        ([key, entry]) => [key, { ...entry, node: fill(entry.node, place) }] as const,
      );
      return { ...node, entries: new Map(entries) };
    }
  }
}

function fillText(text: string, offset: number, { template, item, at }: Place): string {
  return text.replaceAll(/\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g, (whole, name: string) => {
    const known = new Map([
      ['item', item.name],
      ['pipeline', template.id],
      ['step', template.names[at] ?? ''],
      ...[...item.values].map(([key, value]) => [`item.${key}`, value] as const),
    ]);
    const value = known.get(name);
    if (value !== undefined) return value;
    const close = nearest(name, [...known.keys()]);
    template.complaints.push({
      offset,
      code: 'PLAN_PIPELINE_PLACEHOLDER',
      message: `${whole} is nothing that item ${item.name} of pipeline ${template.id} has`,
      fix: close === undefined ? `use one of: ${[...known.keys()].join(', ')}` : `did you mean {{${close}}}?`,
    });
    return whole;
  });
}

function itemsOf(pipeline: SourceNode, complaints: Complaint[]): Item[] {
  const seen = new Map<string, Item>();
  for (const node of listOf(child(pipeline, 'items'))) {
    const item = itemOf(node);
    if (seen.has(item.name))
      complaints.push({
        offset: item.offset,
        code: 'PLAN_PIPELINE_ITEM_TWICE',
        message: `Item ${item.name} is there twice`,
        fix: 'remove one of them, or give it another name',
      });
    else seen.set(item.name, item);
  }
  const items = [...seen.values()];
  for (const { name, after } of items)
    for (const { text, offset } of after) if (!seen.has(text)) complaints.push(noItem(name, text, offset));
  return items.map((item) => ({ ...item, after: item.after.filter(({ text }) => seen.has(text)) }));
}

function noItem(name: string, after: string, offset: number): Complaint {
  return {
    offset,
    code: 'PLAN_PIPELINE_ITEM_UNKNOWN',
    message: `Item ${name} comes after ${after}, which is no item of this pipeline`,
    fix: 'name one of its items',
  };
}

function itemOf(node: SourceNode): Item {
  const name = textOf(node) ?? textOf(child(node, 'name'));
  const entries = node.kind === 'map' ? [...node.entries] : [];
  const values = entries.flatMap(([key, { node: value }]) =>
    value.kind === 'scalar' && value.value !== null ? [[key, String(value.value)] as const] : [],
  );
  return {
    name: name?.text ?? '',
    offset: name?.offset ?? node.offset,
    after: textsOf(child(node, 'after')),
    values: new Map(values),
  };
}

function listOf(node: SourceNode | undefined): readonly SourceNode[] {
  if (node === undefined) return [];
  return node.kind === 'list' ? node.items : [node];
}
