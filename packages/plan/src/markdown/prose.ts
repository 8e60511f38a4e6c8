import type { SourceText } from '../source-node.ts';
import { labelled, allLabelled } from './steps.ts';
import { under, type Section } from './sections.ts';
import { itemsOf, plainText, startOf, type Block } from './syntax.ts';
import type { Remark } from './draft.ts';

/** `X blocked until Y does Z` and `X informs Y`. */
export interface Relation extends SourceText {
  readonly kind: 'blocks' | 'informs';
  readonly from: string;
  readonly to: string;
}

/** Relations between tasks, in either direction of speaking; `from` comes first. */
export function relationsOf(sections: readonly Section[]): Relation[] {
  return pointsUnder(
    sections,
    /\b(coordination|dependencies|information flow|relations|blocking)\b/i,
  ).flatMap((point): Relation[] => {
    const blocked = /^(.+?)\s+(?:is |are )?blocked (?:until|by)\s+(.+)$/i.exec(point.text);
    if (blocked !== null) return [{ ...point, kind: 'blocks', from: blocked[2] ?? '', to: blocked[1] ?? '' }];
    const blocks = /^(.+?)\s+blocks\s+(.+)$/i.exec(point.text);
    if (blocks !== null) return [{ ...point, kind: 'blocks', from: blocks[1] ?? '', to: blocks[2] ?? '' }];
    const informs = /^(.+?)\s+informs\s+(.+)$/i.exec(point.text);
    if (informs === null) return [];
    return [{ ...point, kind: 'informs', from: informs[1] ?? '', to: informs[2] ?? '' }];
  });
}

/** What a task should take up of others: `X should synthesize findings of …`. */
export function integrationPoints(sections: readonly Section[]): SourceText[] {
  return pointsUnder(sections, /\bintegration points?\b/i);
}

export type RiskLevel = 'high' | 'medium' | 'low';

export interface Risk extends SourceText {
  readonly level: RiskLevel;
  /** `Optimizer Rules`, without what may happen. */
  readonly name: string;
}

export function risksOf(sections: readonly Section[]): Risk[] {
  return under(sections, /\brisk(s| areas)?\b/i).flatMap((section) => {
    const word = /\b(high|medium|lower|low)\b(?=.*\brisk\b)/i.exec(section.title)?.[1]?.toLowerCase();
    if (word === undefined) return [];
    const level = word === 'lower' ? 'low' : (word as RiskLevel);
    return pointsOf(section.blocks).map((point) => ({
      ...point,
      level,
      name: point.text.split(/\s+[-–—]\s+|:\s/)[0] ?? point.text,
    }));
  });
}

/** Criteria of success, for each task and for the whole run. */
export function criteriaOf(sections: readonly Section[]): { each: SourceText[]; whole: SourceText[] } {
  const each: SourceText[] = [];
  const whole: SourceText[] = [];
  for (const section of under(sections, /\bsuccess\b|\bacceptance criteria\b/i)) {
    const points = pointsOf(section.blocks);
    if (/\b(per|each|every)\b/i.test(section.title)) each.push(...points);
    else whole.push(...points);
  }
  return { each, whole };
}

/** What everybody is told: the points of sections of guidelines, under their titles. */
export function guidelinesOf(sections: readonly Section[]): string {
  return under(sections, /\bguidelines\b/i)
    .filter(({ blocks }) => itemsOf(blocks).length > 0)
    .map(
      ({ title, blocks }) =>
        `${title}:\n${itemsOf(blocks)
          .map((item) => `- ${plainText(item)}`)
          .join('\n')}`,
    )
    .join('\n\n');
}

/** How many tasks the document says it has: `All 27 review tasks completed`. */
export function statedCounts(
  sections: readonly Section[],
): { count: number; offset: number; text: string }[] {
  const stated = /\b(?:all|total(?: of)?:?)\s+(\d+)\s+(?:[\p{L}-]+\s+){0,2}(?:tasks?|reviews?)\b/iu;
  return sections.flatMap(({ blocks }) =>
    blocks.flatMap((block) => {
      const parts = block.type === 'list' ? block.children : block.type === 'paragraph' ? [block] : [];
      return parts.flatMap((part) => {
        const found = stated.exec(plainText(part));
        return found === null ? [] : { count: Number(found[1]), offset: startOf(part), text: found[0] };
      });
    }),
  );
}

/** `**Status**` of the document as a whole, and what it says of its being in force. */
export function statusRemarks(sections: readonly Section[], isTask: (section: Section) => boolean): Remark[] {
  const blocks = sections.filter((section) => !isTask(section)).flatMap((section) => section.blocks);
  const states = allLabelled(blocks, /^status$/i);
  const [first, ...others] = states;
  const differing = others.filter(({ text }) => text !== first?.text);
  const remarks: Remark[] = differing.map(({ text, offset }) => ({
    offset,
    code: 'PLAN_STATUS',
    message: `The status is "${text}" here and "${first?.text ?? ''}" further up`,
    fix: 'keep one of them',
  }));
  const inactive = states.find(({ text }) => saysInactive(text));
  if (inactive === undefined) return remarks;
  return [
    ...remarks,
    {
      offset: inactive.offset,
      code: 'PLAN_STATUS',
      message: `The status is "${inactive.text}"${activationWords(blocks)}`,
      fix: 'change the status once the plan is in force; it does not keep a run from starting',
    },
  ];
}

function activationWords(blocks: readonly Block[]): string {
  const activation = labelled(blocks, /^activation$/i);
  return activation === undefined ? '' : `; activation: "${activation.text}"`;
}

function saysInactive(text: string): boolean {
  return /\bnot (yet )?active\b|\binactive\b|\bdraft\b|\bnot approved\b/i.test(text);
}

function pointsUnder(sections: readonly Section[], title: RegExp): SourceText[] {
  return under(sections, title).flatMap(({ blocks }) => pointsOf(blocks));
}

export function pointsOf(blocks: readonly Block[]): SourceText[] {
  return itemsOf(blocks).flatMap((item) => {
    const text = plainText(item);
    return text === '' ? [] : { text, offset: startOf(item) };
  });
}
