import type { SourceText } from '../source-node.ts';
import { useOf, type Box } from './checklists.ts';
import { isNotedDeferred } from './deferred.ts';
import type { DraftItem } from './draft.ts';
import { Names, wordsOf } from './names.ts';
import type { Phase, TaskRef } from './phases.ts';
import type { Section } from './sections.ts';
import { documentIn, everyNode, fileNameOf, headText, startOf } from './syntax.ts';

/** A task that is no task of this plan, as something says that it is put off. */
export interface PutOffTask {
  readonly id: string;
  readonly why: SourceText;
}

/** All tasks that the document speaks of and puts off. */
export class PutOff {
  private readonly tasks = new Map<string, PutOffTask>();
  private readonly files = new Map<string, PutOffTask>();
  private readonly exact = new Map<string, PutOffTask>();
  private readonly names = new Names();

  add({ id, names, document }: Pick<DraftItem, 'id' | 'names' | 'document'>, why: SourceText): void {
    const task = this.tasks.get(id) ?? { id, why };
    this.tasks.set(id, task);
    this.names.add(id, [id, ...names]);
    for (const name of [id, ...names]) this.exact.set(keyOf(name), task);
    if (document !== undefined) this.files.set(fileNameOf(document.text), task);
  }

  /** Something that a list of what is deferred names, whatever it is: only its whole name counts. */
  list({ text, document, why }: Mark): void {
    if (!this.exact.has(keyOf(text))) this.exact.set(keyOf(text), { id: text, why });
    const file = document && fileNameOf(document.text);
    if (file !== undefined && !this.files.has(file)) this.files.set(file, { id: text, why });
  }

  /** By its whole name. */
  named(text: string): PutOffTask | undefined {
    return this.exact.get(keyOf(text));
  }

  /** By what may be a part of its name, where no other task has it. */
  meant(text: string): PutOffTask | undefined {
    const meaning = this.names.find(text);
    return meaning.kind === 'items' ? this.tasks.get(meaning.ids[0] ?? '') : undefined;
  }

  documented(path: string): PutOffTask | undefined {
    return this.files.get(fileNameOf(path));
  }

  isMeantBy({ document, text }: Pick<TaskRef, 'document' | 'text'>): boolean {
    return (document === undefined ? this.named(text) : this.documented(document.text)) !== undefined;
  }
}

/** What may say of a task that it is put off. */
export interface Marks {
  /** Tasks of the deferred sections. */
  readonly below: readonly DraftItem[];
  readonly deferred: readonly Section[];
  readonly phases: readonly Phase[];
  readonly boxes: readonly Box[];
}

/** Which tasks are put off; `told` are those that stand elsewhere, too, than in deferred sections. */
export function putOffOf(
  drafts: readonly DraftItem[],
  { below, deferred, phases, boxes }: Marks,
): { putOff: PutOff; told: PutOffTask[] } {
  const putOff = new PutOff();
  const told: PutOffTask[] = [];
  const lists = deferred.flatMap(listed);
  const marks = [
    ...below.map(markOf),
    ...lists,
    ...phases.flatMap((phase) => refMarks(phase)),
    ...boxes.flatMap(marked),
  ];
  for (const draft of below) putOff.add(draft, markOf(draft).why);
  for (const draft of drafts) {
    const why = draft.deferred ?? marks.find((mark) => isOf(mark, draft))?.why;
    if (why === undefined) continue;
    putOff.add(draft, why);
    told.push({ id: draft.id, why });
  }
  for (const mark of lists) putOff.list(mark);
  for (const { text, document, why } of phases.flatMap((phase) => refMarks(phase, putOff))) {
    if (drafts.some((draft) => isOf({ text, document }, draft))) continue;
    const named = document === undefined ? putOff.named(text) : putOff.documented(document.text);
    const reason = named?.why ?? why;
    putOff.add({ id: text, names: [], ...(document && { document }) }, reason);
    told.push({ id: text, why: reason });
  }
  return { putOff, told };
}

/** The phases without what is put off, and without those of which nothing is left. */
export function phasesWithout(phases: readonly Phase[], putOff: PutOff): Phase[] {
  return phases
    .map((phase) => ({
      ...phase,
      items: phase.items
        .map((item) => ({
          ...item,
          refs: item.refs.filter((ref) => !item.isDeferred && !ref.isDeferred && !putOff.isMeantBy(ref)),
        }))
        .filter(({ refs }) => refs.length > 0),
    }))
    .filter(({ items }) => items.length > 0);
}

interface Mark {
  readonly text: string;
  readonly document?: SourceText | undefined;
  readonly why: SourceText;
}

function isOf(
  { text, document }: Pick<Mark, 'text' | 'document'>,
  { id, names, document: own }: DraftItem,
): boolean {
  if (document !== undefined && own !== undefined) return fileNameOf(document.text) === fileNameOf(own.text);
  return [id, ...names].some((name) => keyOf(name) === keyOf(text));
}

function markOf({ id, document, offset, group }: DraftItem): Mark {
  return { text: id, document, why: { text: `it stands under "${group?.title ?? 'deferred'}"`, offset } };
}

function listed({ title, blocks }: Section): Mark[] {
  return blocks.flatMap((block) =>
    [...everyNode(block)].flatMap((node) => {
      const [first] = node.type === 'listItem' ? node.children : [];
      if (node.type !== 'listItem' || first === undefined) return [];
      const why = { text: `it is listed under "${title}"`, offset: startOf(node) };
      return [{ text: headText(node), document: documentIn(first), why }];
    }),
  );
}

function refMarks({ items }: Phase, putOff?: PutOff): Mark[] {
  return items.flatMap((item) =>
    item.refs
      .filter((ref) => item.isDeferred || ref.isDeferred || putOff?.isMeantBy(ref) === true)
      .map(({ text, document, offset }) => ({ text, document, why: { text: 'its phase says so', offset } })),
  );
}

function marked({ text, section, offset }: Box): Mark[] {
  if (useOf(section) !== 'progress' || !isNotedDeferred(text)) return [];
  const name = text.replace(/\([^)]*\)|\[[^\]]*\]|\s[-–—].*$/g, '');
  return [{ text: name, why: { text: 'its box says so', offset } }];
}

function keyOf(text: string): string {
  return wordsOf(text).join(' ');
}
