import { everyNode, headText, startOf, type Node } from './syntax.ts';
import type { Section } from './sections.ts';

/** A box of a task list: `- [ ] text`. */
export interface Box {
  readonly text: string;
  readonly offset: number;
  readonly isTicked: boolean;
  /** Offset of the one character between the brackets. */
  readonly mark: number;
  readonly section: Section;
}

/** What a checklist is for, told by the headings above it. */
export type ChecklistUse = 'activation' | 'template' | 'progress' | 'other';

export function useOf({ path }: Section): ChecklistUse {
  const says = (words: RegExp): boolean => path.some((title) => words.test(title));
  if (says(/\b(activation|preconditions?|prerequisites?)\b|^before (activating|activation)/i))
    return 'activation';
  if (isTemplateTitle(path)) return 'template';
  return says(progressTitle) ? 'progress' : 'other';
}

export const progressTitle = /\bprogress\b|\btracking\b|^status$/i;

function isTemplateTitle(path: readonly string[]): boolean {
  return path.some((title) =>
    /\bchecklist template\b|\bdefinition of done\b|^review checklist\b/i.test(title),
  );
}

/** All boxes of all sections, in order. */
export function boxesOf(sections: readonly Section[], source: string): Box[] {
  return sections.flatMap((section) =>
    section.blocks.flatMap((block) =>
      [...everyNode(block)].flatMap((node) => boxOf(node, section, source) ?? []),
    ),
  );
}

function boxOf(node: Node, section: Section, source: string): Box | undefined {
  if (node.type !== 'listItem' || typeof node.checked !== 'boolean') return undefined;
  const offset = startOf(node);
  const found = /^(?:[-*+]|\d+[.)])\s+\[/.exec(source.slice(offset, offset + 200));
  if (found === null) return undefined;
  const mark = offset + found[0].length;
  return { text: headText(node), offset, isTicked: node.checked, mark, section };
}
