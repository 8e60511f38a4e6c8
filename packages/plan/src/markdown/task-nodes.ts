import type { SourceEntry, SourceMap, SourceNode, SourceText } from '../source-node.ts';

/** A node of a plan, made of what a document says, with the place of where it says so. */
export function scalarAt(value: string | number, offset: number): SourceNode {
  return { kind: 'scalar', offset, size: 1, value };
}

export function textAt({ text, offset }: SourceText): SourceNode {
  return scalarAt(text, offset);
}

export function listAt(items: readonly SourceNode[], offset: number): SourceNode {
  return { kind: 'list', offset, size: 1 + items.length, items };
}

/** A map of what is there: entries without a node are left out. */
export function mapAt(entries: Readonly<Record<string, SourceNode | undefined>>, offset: number): SourceMap {
  const there = Object.entries(entries).flatMap(([key, node]): [string, SourceEntry][] =>
    node === undefined ? [] : [[key, { offset: node.offset, node }]],
  );
  return { kind: 'map', offset, size: 1 + there.length, entries: new Map(there) };
}

/** The first map with the entries of the second over its own. */
export function overlaid(map: SourceMap, over: ReadonlyMap<string, SourceEntry>): SourceMap {
  return { ...map, entries: new Map([...map.entries, ...over]) };
}
