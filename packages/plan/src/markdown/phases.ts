import type { SourceText } from '../source-node.ts';
import { isDeferredPath, isDeferredState, isNotedDeferred } from './deferred.ts';
import type { Section } from './sections.ts';
import {
  documentIn,
  fileNameOf,
  headText,
  itemsOf,
  plainText,
  startOf,
  type Block,
  type ListItem,
} from './syntax.ts';

export type Mode = 'parallel' | 'sequential';

/** A numbered phase: what it holds, and how it stands to the others. */
export interface Phase {
  /** `2` of `Phase 2: Core`. */
  readonly key: string;
  readonly title: string;
  readonly offset: number;
  readonly mode?: Mode;
  /** The key of the phase beside which it may run. */
  readonly parallelWith?: string;
  /** What it comes after, as written: `core reviews`. */
  readonly after?: SourceText;
  readonly items: readonly PhaseItem[];
}

/** One numbered point of a phase, with what it names. */
export interface PhaseItem {
  readonly label: string;
  readonly offset: number;
  readonly mode?: Mode;
  /** May run beside the point before it. */
  readonly withAbove: boolean;
  /** What it says it depends on. */
  readonly waits?: SourceText;
  readonly refs: readonly TaskRef[];
  /** `**Later** (deferred)`, or `**Deferred**` above what is put off. */
  readonly isDeferred: boolean;
}

/** A task that a phase names, by its document or by a name. */
export interface TaskRef {
  readonly text: string;
  readonly document?: SourceText;
  readonly offset: number;
  readonly isDeferred: boolean;
}

const phaseTitle = /^phase\s+([\w.]+)\s*[:.—–-]?\s*(.*)$/i;

/** The phases in order. Sections that only track progress hold none, unless nothing else does. */
export function phasesOf(sections: readonly Section[], isProgress: (section: Section) => boolean): Phase[] {
  const all = sections.filter(({ title }) => phaseTitle.test(title));
  const planned = all.filter((section) => !isProgress(section));
  return (planned.some(hasItems) ? planned : all).filter(hasItems).map(phaseOf);
}

function hasItems({ blocks }: Section): boolean {
  return itemsOf(blocks).length > 0;
}

function phaseOf({ title, offset, blocks }: Section): Phase {
  const [, key = '', name = ''] = phaseTitle.exec(title) ?? [];
  const words = introOf(blocks);
  const mode = modeOf(words.text.replace(/in parallel with phase\s+[\w.]+/gi, ''));
  const parallelWith = /in parallel with phase\s+([\w]+)/i.exec(words.text)?.[1];
  const after = afterOf(words);
  return {
    key: key.toLowerCase(),
    title: name === '' ? `Phase ${key}` : name,
    offset,
    items: itemsOf(blocks).map(phaseItemOf),
    ...(mode && { mode }),
    ...(parallelWith !== undefined && { parallelWith: parallelWith.toLowerCase() }),
    ...(after && { after }),
  };
}

/** The text before the first list. */
function introOf(blocks: readonly Block[]): SourceText {
  const list = blocks.findIndex(({ type }) => type === 'list');
  const before = blocks.slice(0, list).filter(({ type }) => type === 'paragraph');
  const [first] = before;
  return { text: before.map(plainText).join(' '), offset: first === undefined ? 0 : startOf(first) };
}

function afterOf({ text, offset }: SourceText): SourceText | undefined {
  const found = /\bafter\s+([^.:;(]+)/i.exec(text)?.[1]?.trim();
  return found === undefined ? undefined : { text: found, offset };
}

function modeOf(text: string): Mode | undefined {
  if (/\b(sequential|sequentially|in sequence|in order|one after (the other|another))\b/i.test(text))
    return 'sequential';
  return /\b(parallel|concurrently|concurrent|at the same time)\b/i.test(text) ? 'parallel' : undefined;
}

function phaseItemOf(item: ListItem): PhaseItem {
  const head = headText(item);
  const notes = [...head.matchAll(/\(([^)]*)\)/g)].map(([, note = '']) => note).join('; ');
  const offset = startOf(item.children[0] ?? item);
  const waits = /\b(?:depends on|after|needs|waits for)\s+([^;]+)/i.exec(notes)?.[1]?.trim();
  const mode = modeOf(notes);
  const nested = itemsOf(item.children as Block[]).map(refOf);
  const label = head.replace(/\([^)]*\)/g, '').trim();
  return {
    label,
    offset,
    isDeferred: isNotedDeferred(head) || isDeferredState(label),
    withAbove: /\b(with|beside|alongside) (the )?(above|previous)\b/i.test(notes),
    refs: nested.length > 0 ? nested : [{ ...refOf(item), text: refOf(item).document?.text ?? label }],
    ...(mode && { mode }),
    ...(waits !== undefined && { waits: { text: waits, offset } }),
  };
}

function refOf(item: ListItem): TaskRef {
  const [first] = item.children;
  const document = first === undefined ? undefined : documentIn(first);
  const text = headText(item)
    .replace(/\([^)]*\)/g, '')
    .trim();
  return {
    text: document === undefined ? text : fileNameOf(document.text),
    offset: startOf(first ?? item),
    isDeferred: isNotedDeferred(headText(item)) || (document !== undefined && isDeferredPath(document.text)),
    ...(document && { document }),
  };
}
