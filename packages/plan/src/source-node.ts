/**
 * A plan file as a tree in which everything knows its place (offset into the text). YAML anchors are resolved: an
 * alias stands for the very node that its anchor names, so the tree may share nodes; it has no cycles.
 */
export type SourceNode = SourceMap | SourceList | SourceScalar;

export interface SourceMap {
  readonly kind: 'map';
  readonly offset: number;
  /** Nodes beneath and with it, aliases counted as often as they are used. */
  readonly size: number;
  readonly entries: ReadonlyMap<string, SourceEntry>;
}

export interface SourceEntry {
  /** Where the key stands. */
  readonly offset: number;
  readonly node: SourceNode;
}

export interface SourceList {
  readonly kind: 'list';
  readonly offset: number;
  readonly size: number;
  readonly items: readonly SourceNode[];
}

export interface SourceScalar {
  readonly kind: 'scalar';
  readonly offset: number;
  readonly size: 1;
  readonly value: string | number | boolean | null;
}

/** The entry's node, if the node is a map that has it and it is not empty (`key:` with nothing behind it). */
export function child(node: SourceNode | undefined, key: string): SourceNode | undefined {
  if (node?.kind !== 'map') return undefined;
  const found = node.entries.get(key)?.node;
  return found?.kind === 'scalar' && found.value === null ? undefined : found;
}

/** A text with its place. */
export interface SourceText {
  readonly text: string;
  readonly offset: number;
}

/** The text of a scalar; nothing for anything else. */
export function textOf(node: SourceNode | undefined): SourceText | undefined {
  if (node?.kind !== 'scalar' || typeof node.value !== 'string') return undefined;
  return { text: node.value, offset: node.offset };
}

/** The texts of a scalar or of a list of scalars; what is no text is left out (the schema speaks of it). */
export function textsOf(node: SourceNode | undefined): SourceText[] {
  if (node === undefined) return [];
  const nodes = node.kind === 'list' ? node.items : [node];
  return nodes.flatMap((item) => textOf(item) ?? []);
}

/** Plain JavaScript values, for the schema. An empty entry becomes undefined, so that it counts as left out. */
export function plainValue(node: SourceNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value ?? undefined;
    case 'list':
      return node.items.map(plainValue);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry.node)]));
  }
}

/** The node at a path, or the nearest above it, and whether the whole path exists. */
export function nodeAt(
  root: SourceNode,
  path: readonly PropertyKey[],
): { offset: number; found?: SourceNode } {
  let node = root;
  let offset = root.offset;
  for (const step of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(step));
      if (entry === undefined) return { offset };
      ({ node } = entry);
    } else {
      const item = node.kind === 'list' ? node.items[Number(step)] : undefined;
      if (item === undefined) return { offset };
      node = item;
    }
    ({ offset } = node);
  }
  return { offset, found: node };
}
