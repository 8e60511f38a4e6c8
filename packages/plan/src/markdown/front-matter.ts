import { nearest } from '@switchyard/protocol';
import { knownKeysAt } from '../known-keys.ts';
import { readYaml, type Complaint } from '../read-yaml.ts';
import type { SourceEntry, SourceMap, SourceNode } from '../source-node.ts';

/** A text without its front matter (blanks stand for it, so that offsets stay), and what that holds. */
export interface FrontMatter {
  readonly body: string;
  readonly entries: ReadonlyMap<string, SourceEntry>;
  readonly complaints: readonly Complaint[];
}

/** YAML between two lines `---` at the very beginning; a byte-order mark may come before it. */
export function splitFrontMatter(text: string, start: number): FrontMatter {
  const found = /^(\uFEFF?---[ \t]*(?:\r\n|\n|\r))([\s\S]*?)^(?:---|\.\.\.)[ \t]*$/m.exec(text);
  const plain = text.replace(/^\uFEFF/, ' ');
  if (found === null || found.index !== 0)
    return { body: plain, entries: new Map(), complaints: unclosed(text, start) };
  const [whole, open = '', yaml = ''] = found;
  const { root, complaints } = readYaml(yaml);
  const by = start + open.length;
  const node = root === undefined ? undefined : shifted(root, by);
  const wrong: Complaint[] = complaints.map((one) => ({ ...one, offset: one.offset + by }));
  if (node !== undefined && node.kind !== 'map') wrong.push(notAMap(node.offset));
  return {
    body: whole.replace(/[^\r\n]/g, ' ') + text.slice(whole.length),
    entries: node?.kind === 'map' ? node.entries : new Map(),
    complaints: wrong,
  };
}

/** A line `---` that rules off the text is none, so only one before a key of ours is taken for front matter. */
function unclosed(text: string, start: number): Complaint[] {
  const key = /^\uFEFF?---[ \t]*(?:\r\n|\n|\r)(\w+):/.exec(text)?.[1];
  if (key === undefined || ![...knownKeysAt([]).keys, 'executor'].includes(key)) return [];
  return [
    {
      offset: start,
      code: 'PLAN_SYNTAX',
      message: 'The front matter that begins here has no end',
      fix: 'write a line `---` behind its last key',
    },
  ];
}

const notAMap = (offset: number): Complaint => ({
  offset,
  code: 'PLAN_SYNTAX',
  message: 'The front matter must be a map of keys and values',
  fix: 'write `key: value`, one a line, between the two lines `---`',
});

/** What other programs keep in front matter; a plan has no use for it. */
const foreign: ReadonlySet<string> = new Set(
  (
    'title description dependencies priority author authors date created updated modified status version tags ' +
    'categories category layout slug permalink draft owner owners type id aliases activation reference'
  ).split(' '),
);

/**
 * What a plan, or a task, can use of front matter. A key that nobody knows is an error where it looks like a misspelt
 * one of ours, and else a warning: documents carry keys of other programs.
 */
export function usableEntries(
  matter: FrontMatter,
  { path, also = [] }: { path: readonly PropertyKey[]; also?: readonly string[] },
): { entries: Map<string, SourceEntry>; complaints: Complaint[] } {
  const { keys, aliases } = knownKeysAt(path);
  const known = [...keys, ...aliases, ...also];
  const entries = new Map<string, SourceEntry>();
  const complaints: Complaint[] = [];
  for (const [key, entry] of matter.entries) {
    if (known.includes(key) && !isForeignValue(key, entry, path)) entries.set(key, entry);
    else if (!foreign.has(key) && nearest(key, known) !== undefined) entries.set(key, entry);
    else if (!foreign.has(key))
      complaints.push({
        offset: entry.offset,
        code: 'PLAN_UNKNOWN_KEY',
        severity: 'warning',
        message: `"${key}" in the front matter means nothing to a plan`,
        fix: `nothing need be done; known here: ${keys.join(', ')}`,
      });
  }
  return { entries, complaints };
}

/** `dependencies` and `id` of a document are for those who read it: the plan says what waits for what. `version: 2.3` is not ours. */
function isForeignValue(key: string, { node }: SourceEntry, path: readonly PropertyKey[]): boolean {
  if (path.length > 0) return ['dependencies', 'dependsOn', 'id', 'taskId'].includes(key);
  return key === 'version' && (node.kind !== 'scalar' || node.value !== 1);
}

/** The same tree at other places. Nodes that the tree shares stay shared. */
function shifted(node: SourceNode, by: number, done = new Map<SourceNode, SourceNode>()): SourceNode {
  const before = done.get(node);
  if (before !== undefined) return before;
  const moved = movedNode(node, by, done);
  done.set(node, moved);
  return moved;
}

function movedNode(node: SourceNode, by: number, done: Map<SourceNode, SourceNode>): SourceNode {
  const offset = node.offset + by;
  switch (node.kind) {
    case 'scalar':
      return { ...node, offset };
    case 'list':
      return { ...node, offset, items: node.items.map((item) => shifted(item, by, done)) };
    case 'map': {
      const entries = [...node.entries].map(
        ([key, entry]) => [key, { offset: entry.offset + by, node: shifted(entry.node, by, done) }] as const,
      );
      return { ...node, offset, entries: new Map(entries) } satisfies SourceMap;
    }
  }
}
