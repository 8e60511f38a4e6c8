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

/** All sections in order; those that are deferred, and all beneath them, are left out: nothing of them is imported. */
export function sectionsOf(root: MarkdownRoot): Section[] {
  const sections: Section[] = [{ title: '', depth: 0, offset: 0, path: [], blocks: [] }];
  let open: Section[] = [];
  for (const block of root.children) {
    if (block.type !== 'heading') {
      sections.at(-1)?.blocks.push(block);
      continue;
    }
    open = open.filter(({ depth }) => depth < block.depth);
    const title = cleanTitle(plainText(block));
    const path = [...open.map((section) => section.title), title];
    const section = { title, depth: block.depth, offset: startOf(block), path, blocks: [] };
    open.push(section);
    sections.push(section);
  }
  return sections.filter(({ path }) => !path.some(isDeferred));
}

/** Sections whose title, or that of one above them, says so. */
export function under(sections: readonly Section[], title: RegExp): Section[] {
  return sections.filter(({ path }) => path.some((each) => title.test(each)));
}

function cleanTitle(text: string): string {
  return text
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .replace(/^\d+(\.\d+)*[.)]?\s+/, '')
    .replace(/[\s:]+$/, '');
}

function isDeferred(title: string): boolean {
  return /^deferred\b/i.test(title);
}
