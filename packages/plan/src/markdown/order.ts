import type { SourceText } from '../source-node.ts';
import { components, type Edges } from '../task-order.ts';
import type { Remark } from './draft.ts';
import type { Item, MarkdownModel, PhaseSpot } from './model.ts';
import type { Relation } from './prose.ts';
import { Resolver, type Wait } from './resolve-names.ts';

/** What each item waits for, by its id. */
export type Waits = ReadonlyMap<string, readonly Wait[]>;

/**
 * The order of the tasks: what a table or a heading says of a task counts; where it says nothing, its phase does; and
 * where a table and a phase disagree, the table wins, with a remark (see contradictions.ts).
 */
export function orderOf(
  model: MarkdownModel,
  relations: readonly Relation[],
): { waits: Waits; remarks: Remark[] } {
  const resolver = new Resolver(model);
  const phases = new PhaseOrder(model, resolver);
  const waits = new Map<string, Wait[]>();
  // Of a name that stands twice, which the checks of the graph refuse, all that is said counts.
  for (const item of model.items)
    waits.set(item.id, unique([...(waits.get(item.id) ?? []), ...waitsOf(item, { resolver, phases })]));
  withoutGroupCircles(model.items, waits);
  const remarks = [...resolver.remarks, ...blockingRemarks(relations, { model, waits })];
  return { waits, remarks };
}

function waitsOf(item: Item, { resolver, phases }: { resolver: Resolver; phases: PhaseOrder }): Wait[] {
  if (item.waits !== undefined) return item.waits.flatMap((name) => resolver.waits(name, item));
  return phases.waits(item);
}

function unique(waits: readonly Wait[]): Wait[] {
  const seen = new Set<string>();
  return waits.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** A group never means those of it that themselves wait for the one that names it. */
function withoutGroupCircles(items: readonly Item[], waits: Map<string, Wait[]>): void {
  for (const item of items) {
    const named = waits.get(item.id) ?? [];
    const counts = new Map<number, number>();
    for (const { offset } of named) counts.set(offset, (counts.get(offset) ?? 0) + 1);
    const isOfGroup = ({ offset }: Wait): boolean => (counts.get(offset) ?? 0) > 1;
    if (!named.some(isOfGroup)) continue;
    const later = dependants(item.id, waits);
    waits.set(
      item.id,
      named.filter((wait) => !isOfGroup(wait) || !later.has(wait.id)),
    );
  }
}

/** All that wait for an item, directly or through others. */
function dependants(id: string, waits: Waits): Set<string> {
  const direct = new Map<string, string[]>();
  for (const [from, list] of waits)
    for (const wait of list) direct.set(wait.id, [...(direct.get(wait.id) ?? []), from]);
  const found = new Set<string>();
  const queue = [id];
  for (const each of queue)
    for (const next of direct.get(each) ?? [])
      if (!found.has(next)) {
        found.add(next);
        queue.push(next);
      }
  return found;
}

/** All that an item waits for, directly or through others. */
export function ancestors(id: string, waits: Waits): Set<string> {
  const found = new Set<string>();
  const queue = [id];
  for (const each of queue)
    for (const wait of waits.get(each) ?? [])
      if (!found.has(wait.id)) {
        found.add(wait.id);
        queue.push(wait.id);
      }
  return found;
}

/** The order that phases give to tasks of which nothing else is said. */
class PhaseOrder {
  private readonly model: MarkdownModel;
  private readonly resolver: Resolver;
  private readonly at = new Map<string, string>();
  private readonly byPhase = new Map<number, string[]>();

  constructor(model: MarkdownModel, resolver: Resolver) {
    this.model = model;
    this.resolver = resolver;
    for (const { id, spot } of model.items) {
      if (spot === undefined) continue;
      this.at.set(keyOf(spot), id);
      this.byPhase.set(spot.phase, [...(this.byPhase.get(spot.phase) ?? []), id]);
    }
  }

  waits(item: Item): Wait[] {
    const { spot, offset } = item;
    const point = spot && this.model.phases[spot.phase]?.items[spot.point];
    if (spot === undefined || point === undefined) return [];
    if (point.waits !== undefined) return this.resolver.waits(point.waits, item);
    return this.before(spot, item).flatMap((id) => (id === item.id ? [] : { id, offset }));
  }

  private before(spot: PhaseSpot, item: Item): readonly string[] {
    const phase = this.model.phases[spot.phase];
    const point = phase?.items[spot.point];
    if ((point?.mode ?? phase?.mode) === 'sequential' && spot.ref > 0) {
      const last = this.at.get(keyOf({ ...spot, ref: spot.ref - 1 }));
      if (last !== undefined) return [last];
    }
    if (phase?.mode !== 'sequential' || spot.point === 0) return this.entry(spot.phase, item);
    let above = spot.point - 1;
    for (let at = spot.point; at > 0 && phase.items[at]?.withAbove === true; at -= 1) above = at - 2;
    if (above < 0) return this.entry(spot.phase, item);
    return (phase.items[above]?.refs ?? []).flatMap(
      (_ref, ref) => this.at.get(keyOf({ phase: spot.phase, point: above, ref })) ?? [],
    );
  }

  /** What a phase as a whole comes after. */
  private entry(number: number, item: Item, depth = 0): readonly string[] {
    const phase = this.model.phases[number];
    if (phase === undefined || depth > this.model.phases.length) return [];
    if (phase.parallelWith !== undefined) {
      const other = this.model.phases.findIndex(({ key }) => key === phase.parallelWith);
      if (other >= 0 && other !== number) return this.entry(other, item, depth + 1);
    }
    if (phase.after !== undefined) {
      const named = this.namedEntry(phase.after, item);
      if (named.length > 0) return named;
    }
    return this.byPhase.get(number - 1) ?? [];
  }

  private namedEntry({ text }: SourceText, item: Item): readonly string[] {
    const words = text
      .toLowerCase()
      .split(/\W+/)
      .filter((word) => !/^(all|the|reviews?|tasks?|component|components)$/.test(word));
    if (words.length === 0) return this.resolver.allBefore(item);
    const phase = /^phase\s+(\w+)/i.exec(text)?.[1]?.toLowerCase();
    if (phase !== undefined) {
      const before = this.model.phases.findIndex(({ key }) => key === phase);
      return this.byPhase.get(before) ?? [];
    }
    return this.resolver.titled(words) ?? [];
  }
}

function keyOf({ phase, point, ref }: PhaseSpot): string {
  return `${phase}.${point}.${ref}`;
}

/** `X blocked until Y …` adds the order where it is missing; where the table says the opposite, that wins. */
function blockingRemarks(
  relations: readonly Relation[],
  { model, waits }: { model: MarkdownModel; waits: Map<string, Wait[]> },
): Remark[] {
  return relations.flatMap((relation): Remark[] => {
    const [first] = earliest(relation.from, model);
    const [then] = earliest(relation.to, model);
    if (relation.kind !== 'blocks' || first === undefined || then === undefined || first === then) return [];
    if (ancestors(then, waits).has(first)) return [];
    const isOpposite = ancestors(first, waits).has(then);
    if (!isOpposite) waits.set(then, [...(waits.get(then) ?? []), { id: first, offset: relation.offset }]);
    return [
      {
        offset: relation.offset,
        code: 'PLAN_ORDER',
        message: isOpposite
          ? `${then} is said to wait for ${first}, but ${first} waits for ${then}; that order counts`
          : `${then} is said to wait for ${first}, which its own dependencies leave out; the order is added`,
        fix: 'say the same in both places',
      },
    ];
  });
}

/** The items that a sentence names, the one that it names first in front; longer names before shorter ones. */
export function earliest(sentence: string, model: MarkdownModel): string[] {
  const exact = model.names.find(sentence);
  if (exact.kind === 'items') return [...exact.ids];
  const head = sentence.split(/\breviews?\b/i)[0] ?? sentence;
  const meaning = model.names.find(head);
  return meaning.kind === 'items' ? [...meaning.ids] : model.names.within(head);
}

/** Whether the waits have a circle, in which no order can be told. */
export function isCircular(waits: Waits): boolean {
  const numbers = new Map([...waits.keys()].map((id, number) => [id, number]));
  const edges: Edges = [...waits.values()].map((list) => list.flatMap(({ id }) => numbers.get(id) ?? []));
  return components(edges).some((part) => part.length > 1);
}
