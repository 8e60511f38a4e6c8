import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import type { ProblemText } from './problem.ts';
import type { SourceEntry, SourceNode } from './source-node.ts';

/** Nodes a file may come to with every alias written out; stops files that expand without end. */
const sizeMax = 1_000_000;
const depthMax = 64;
const syntaxProblemsMax = 20;

/** Keys whose plain scalars are text whatever they look like: `id: 001`, `base: 1.10`, `run: true`. */
const textKeys: ReadonlySet<string> = new Set(
  (
    'id taskId name base dependsOn dependencies workspace workspacePath reads run text instructions systemPrompt ' +
    'acceptance acceptanceCriteria include scratch requires workerType agent model mcpServers network items after'
  ).split(' '),
);

/** Something wrong at an offset of the text. */
export interface Complaint extends ProblemText {
  readonly offset: number;
}

/** What a file holds: a tree where it could be read, and what is wrong with its YAML. */
export interface ReadResult {
  readonly root?: SourceNode;
  readonly complaints: readonly Complaint[];
  readonly lines: LineCounter;
}

/** Thrown inside this file only: the tree cannot be built. */
class Unreadable extends Error {
  readonly complaint: Complaint;
  constructor(complaint: Complaint) {
    super(complaint.message);
    this.complaint = complaint;
  }
}

/** Reads YAML (and so JSON) into a tree with places. Never throws. */
export function readYaml(text: string): ReadResult {
  const lines = new LineCounter();
  const complaints: Complaint[] = [];
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'error',
    });
    // The parser gives up a nest that is too deep for its stack as one error among those that follow from it.
    const deep = document.errors.find(({ message }) => /call stack/i.test(message));
    const errors = deep === undefined ? document.errors.slice(0, syntaxProblemsMax) : [deep];
    complaints.push(...errors.map((error) => (error === deep ? tooDeep(error.pos[0]) : syntax(error))));
    if (complaints.length > 0 || document.contents === null) return { complaints, lines };
    const reader = new TreeReader();
    const root = reader.read(document.contents, 0, false);
    return { root, complaints: reader.complaints, lines };
  } catch (thrown) {
    if (thrown instanceof Unreadable) return { complaints: [...complaints, thrown.complaint], lines };
    if (thrown instanceof RangeError) return { complaints: [tooDeep(0)], lines };
    throw thrown;
  }
}

class TreeReader {
  readonly complaints: Complaint[] = [];
  private readonly anchors = new Map<string, SourceNode | 'open'>();

  read(node: Node, depth: number, asText: boolean): SourceNode {
    if (depth > depthMax) throw new Unreadable(tooDeep(offsetOf(node)));
    if (isAlias(node)) return this.resolve(node.source, offsetOf(node));
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) this.anchors.set(anchor, 'open');
    const read = this.readOwn(node, depth, asText);
    if (read.size > sizeMax) throw new Unreadable(tooMany(offsetOf(node)));
    if (anchor !== undefined) this.anchors.set(anchor, read);
    return read;
  }

  private readOwn(node: Node, depth: number, asText: boolean): SourceNode {
    const offset = offsetOf(node);
    if (isMap(node)) return this.readMap(node, depth);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item as Node, depth + 1, asText));
      return { kind: 'list', offset, items, size: sumOf(items) };
    }
    const value = isScalar(node) ? scalarValue(node.value, asText ? node.source : undefined) : null;
    if (typeof value === 'string' && value.includes('\0')) this.complaints.push(holdsNul(offset));
    return { kind: 'scalar', offset, size: 1, value };
  }

  private readMap(node: YAMLMap, depth: number): SourceNode {
    const entries = new Map<string, SourceEntry>();
    const merged = new Map<string, SourceEntry>();
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const offset = offsetOf(pair.key);
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
      if (key === undefined) throw new Unreadable(badKey(offset));
      if (entries.has(key)) this.complaints.push(duplicateKey(key, offset));
      const value = this.readValue(pair.value, offset, { depth, asText: textKeys.has(key) });
      if (key === '<<') this.merge(merged, value);
      else entries.set(key, { offset, node: value });
    }
    for (const [key, entry] of merged) if (!entries.has(key)) entries.set(key, entry);
    return {
      kind: 'map',
      offset: offsetOf(node),
      entries,
      size: sumOf([...entries.values()].map((entry) => entry.node)),
    };
  }

  private readValue(
    value: Node | null,
    keyOffset: number,
    how: { depth: number; asText: boolean },
  ): SourceNode {
    if (value === null) return { kind: 'scalar', offset: keyOffset, size: 1, value: null };
    return this.read(value, how.depth + 1, how.asText);
  }

  /** `<<`: entries of the map it names, or of several; the first to have a key wins. */
  private merge(into: Map<string, SourceEntry>, from: SourceNode): void {
    const maps = from.kind === 'list' ? from.items : [from];
    for (const map of maps) {
      if (map.kind !== 'map') throw new Unreadable(badMerge(map.offset));
      for (const [key, entry] of map.entries) if (!into.has(key)) into.set(key, entry);
    }
  }

  private resolve(name: string, offset: number): SourceNode {
    const target = this.anchors.get(name);
    if (target === undefined || target === 'open')
      throw new Unreadable(badAlias(name, offset, target === 'open'));
    return target;
  }
}

function scalarValue(value: unknown, source: string | undefined): string | number | boolean | null {
  if (typeof value === 'string' || value === null || value === undefined) return value ?? null;
  if (source !== undefined) return source;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return String(value as bigint);
}

function offsetOf(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node)) return 0;
  return Array.isArray(node.range) ? Number(node.range[0]) : 0;
}

function sumOf(nodes: readonly SourceNode[]): number {
  return nodes.reduce((sum, node) => sum + node.size, 1);
}

function syntax(error: { code: string; message: string; pos: [number, number] }): Complaint {
  const [offset] = error.pos;
  const several = error.code === 'MULTIPLE_DOCS';
  return {
    offset,
    code: 'PLAN_SYNTAX',
    message: several ? 'The file holds more than one YAML document' : `Not valid YAML: ${error.message}`,
    fix: several ? 'keep one plan in one file; remove the line `---`' : 'mend the YAML at this place',
  };
}

const tooDeep = (offset: number): Complaint => ({
  offset,
  code: 'PLAN_SYNTAX',
  message: `Nested more than ${depthMax} levels deep`,
  fix: 'a plan needs no more than a handful of levels; check the indentation and the brackets',
});
const tooMany = (offset: number): Complaint => ({
  offset,
  code: 'PLAN_TOO_LARGE',
  message: `With its YAML aliases written out, the file has more than ${sizeMax} values`,
  fix: 'do not nest aliases (`*name`) in what other anchors (`&name`) name',
});
const holdsNul = (offset: number): Complaint => ({
  offset,
  code: 'PLAN_VALUE',
  message: 'The text holds a NUL character',
  fix: 'remove it: no command, environment or path can hold one',
});
const badKey = (offset: number): Complaint => ({
  offset,
  code: 'PLAN_SYNTAX',
  message: 'A key must be a plain text',
  fix: 'write `key: value`',
});
const badMerge = (offset: number): Complaint => ({
  offset,
  code: 'PLAN_SYNTAX',
  message: '`<<` must name a map, or a list of maps',
  fix: 'write `<<: *name`, where `&name` stands before a map',
});
const duplicateKey = (key: string, offset: number): Complaint => ({
  offset,
  code: 'PLAN_DUPLICATE_KEY',
  message: `The key "${key}" stands here twice`,
  fix: 'keep one of them',
});
const badAlias = (name: string, offset: number, open: boolean): Complaint => ({
  offset,
  code: 'PLAN_SYNTAX',
  message: open
    ? `The alias *${name} stands inside what &${name} names`
    : `The alias *${name} has no anchor &${name} before it`,
  fix: open ? 'a value cannot contain itself' : `put &${name} before the value it should name`,
});
