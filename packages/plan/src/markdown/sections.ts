import { isDeferredTitle, isNotedDeferred } from './deferred.ts';
import { meansNothing } from './draft.ts';
import { plainText, startOf, type Block, type MarkdownRoot } from './syntax.ts';

/** A heading and what stands beneath it, up to the next heading of any depth. */
export interface Section {
  /** Without numbering and signs before it. */
  readonly title: string;
  /** 0: what stands before the first heading. */
  readonly depth: number;
  readonly offset: number;
  /** Titles from the top down, its own last. */
  readonly path: readonly string[];
  readonly blocks: Block[];
}

export interface SplitSections {
  readonly sections: readonly Section[];
  /** Under a heading, or behind a label such as `**Deferred**`, that says so: nothing of them is imported. */
  readonly deferred: readonly Section[];
}

/** All sections in order, without the deferred ones. */
export function sectionsOf(root: MarkdownRoot): readonly Section[] {
  return splitSections(root).sections;
}

/** All sections in order; those that are deferred, and all beneath them, apart. */
export function splitSections(root: MarkdownRoot): SplitSections {
  let current: Section = { title: '', depth: 0, offset: 0, path: [], blocks: [] };
  let part: DeferredPart | undefined;
  const sections: Section[] = [current];
  const labelled: Section[] = [];
  let open: Section[] = [];
  for (const block of root.children) {
    if (block.type === 'heading') {
      open = open.filter(({ depth }) => depth < block.depth);
      const title = cleanTitle(plainText(block));
      const path = [...open.map((section) => section.title), title];
      current = { title, depth: block.depth, offset: startOf(block), path, blocks: [] };
      part = undefined;
      open.push(current);
      sections.push(current);
      continue;
    }
    if (part !== undefined && endsPart(block, part)) part = undefined;
    const label = part === undefined ? deferredLabel(block) : undefined;
    if (label !== undefined) {
      const { title, isShort } = label;
      const path = [...current.path, title];
      const section = { title, depth: current.depth + 1, offset: startOf(block), path, blocks: [] };
      part = { section, isShort };
      labelled.push(section);
    }
    (part?.section ?? current).blocks.push(block);
  }
  const isDeferred = ({ path }: Section): boolean => path.some(isDeferredHeading);
  return {
    sections: sections.filter((section) => !isDeferred(section)),
    deferred: [...sections, ...labelled].filter(isDeferred).toSorted((a, b) => a.offset - b.offset),
  };
}

/** Sections whose title, or that of one above them, says so. */
export function under(sections: readonly Section[], title: RegExp): Section[] {
  return sections.filter(({ path }) => path.some((each) => title.test(each)));
}

/** The heading of a task of its own: `T0.11: Validation`. */
export const itemTitle = /^([A-Z]{1,4}[-.]?\d+(?:[.-]\d+)*)\s*[:.—–-]\s*(.+)$/;

function cleanTitle(text: string): string {
  return text
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .replace(/^\d+(\.\d+)*[.)]?\s+/, '')
    .replace(/[\s:]+$/, '');
}

/** A task may well be about something deferred: only a note behind its title counts. */
function isDeferredHeading(title: string): boolean {
  return itemTitle.test(title) ? isNotedDeferred(title) : isDeferredTitle(title);
}

/** What stands behind a label. */
interface DeferredPart {
  readonly section: Section;
  /** It is over at the next paragraph, else only at the next one that begins in bold. */
  readonly isShort: boolean;
}

/** `**Deferred**`, `**Deferred**: the rest` or `Deferred:` as a paragraph. */
function deferredLabel(block: Block): { title: string; isShort: boolean } | undefined {
  if (block.type !== 'paragraph') return undefined;
  const text = plainText(block);
  const [first] = block.children;
  const bold = first?.type === 'strong' ? plainText(first) : undefined;
  const title = cleanTitle(bold ?? (text.endsWith(':') && text.length <= 80 ? text : ''));
  const said = bold === undefined ? '' : text.slice(bold.length).replace(/^[\s:]+/, '');
  if (!isDeferredHeading(title) || meansNothing(said)) return undefined;
  return { title, isShort: bold === undefined || cleanTitle(text) !== title };
}

function endsPart(block: Block, { isShort }: DeferredPart): boolean {
  if (block.type !== 'paragraph') return block.type === 'thematicBreak';
  return isShort || block.children[0]?.type === 'strong';
}
