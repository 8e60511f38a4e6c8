import type { SgNode } from '@ast-grep/napi';

/** Characters of one text that is kept of a source. */
const textMax = 500;

/** First line of a node, 1-based. */
export function lineOf(node: SgNode): number {
  return node.range().start.line + 1;
}

export function endLineOf(node: SgNode): number {
  return node.range().end.line + 1;
}

/** A string literal without its quotes; undefined for anything else. */
export function stringOf(node: SgNode | null): string | undefined {
  if (node === null) return undefined;
  const kind = String(node.kind());
  if (kind !== 'string' && kind !== 'template_string') return undefined;
  return node.text().slice(1, -1);
}

/** A piece of source on one line, cut to a size that is kept. */
export function shortText(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, textMax);
}

/** Nodes of some kinds, in the order of the text. */
export function nodesOf(root: SgNode, ...kinds: readonly string[]): SgNode[] {
  return root.findAll({ rule: { any: kinds.map((kind) => ({ kind })) } } as never);
}

/** Whether one node lies inside another, or is it. */
export function isWithin(inner: SgNode, outer: SgNode): boolean {
  const [a, b] = [inner.range(), outer.range()];
  return a.start.index >= b.start.index && a.end.index <= b.end.index;
}
