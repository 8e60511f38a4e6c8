import { boxesOf, progressTitle, useOf, type Box } from './checklists.ts';
import { isCompletePath, saysReview, type DraftItem, type Group, type Remark } from './draft.ts';
import { Names } from './names.ts';
import { phasesOf, type Phase, type PhaseItem, type TaskRef } from './phases.ts';
import { phasesWithout, putOffOf, type PutOff, type PutOffTask } from './put-off.ts';
import { splitSections, type Section } from './sections.ts';
import { headedItems, templateSteps, type HeadedItem, type Step } from './steps.ts';
import { fileNameOf, parseMarkdown } from './syntax.ts';
import { tasksOfTable } from './task-table.ts';

/** Where a phase names an item: numbers of the phase, of the point in it, and of the reference in that. */
export interface PhaseSpot {
  readonly phase: number;
  readonly point: number;
  readonly ref: number;
}

/** All that the document says of one task, put together. */
export interface Item extends DraftItem {
  readonly headed?: HeadedItem;
  readonly spot?: PhaseSpot;
  readonly boxes: readonly Box[];
}

/** What a Markdown plan says, before anything is decided. Offsets are those of the text. */
export interface MarkdownModel {
  readonly source: string;
  readonly sections: readonly Section[];
  readonly deferred: readonly Section[];
  readonly items: readonly Item[];
  readonly putOff: PutOff;
  /** Those put off that stand elsewhere, too, than in deferred sections. */
  readonly deferredTasks: readonly PutOffTask[];
  readonly names: Names;
  readonly phases: readonly Phase[];
  /** Titles of task tables, with the ids of their rows. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly template: readonly Step[];
  readonly boxes: readonly Box[];
  readonly remarks: readonly Remark[];
}

/** Reads the body of a plan (without front matter). */
export function modelOf(source: string): MarkdownModel {
  const { sections, deferred } = splitSections(parseMarkdown(source));
  const remarks: Remark[] = [];
  const listed = tableItems(sections, source, remarks);
  const drafts = withHeadings(listed, headedItems(sections, source));
  const below = [...tableItems(deferred, source, []), ...headedItems(deferred, source)];
  const isProgress = ({ path }: Section): boolean => path.some((title) => progressTitle.test(title));
  const written = phasesOf(sections, isProgress);
  const boxes = boxesOf(sections, source);
  const { putOff, told } = putOffOf(drafts, { below, deferred, phases: written, boxes });
  const collected = new Collected(drafts.filter(({ id }) => !told.some((task) => task.id === id)));
  const phases = phasesWithout(written, putOff);
  placePhases(phases, collected, { remarks, hasTables: listed.length > 0 });
  placeBoxes(boxes, collected, { remarks, putOff });
  return {
    source,
    sections,
    deferred,
    items: collected.items(),
    putOff,
    deferredTasks: told,
    names: collected.names,
    phases,
    groups: groupsOf(collected.drafts),
    template: templateSteps(sections, source),
    boxes,
    remarks,
  };
}

function tableItems(sections: readonly Section[], source: string, remarks: Remark[]): DraftItem[] {
  return sections.flatMap((section) =>
    section.blocks.flatMap((block) =>
      block.type === 'table' ? (tasksOfTable(block, { section, source, remarks }) ?? []) : [],
    ),
  );
}

/** A heading that speaks of a row of a table tells more of it; any other is a task of its own. */
function withHeadings(listed: readonly DraftItem[], headed: readonly HeadedItem[]): Item[] {
  const names = new Names();
  for (const { id, names: own } of listed) names.add(id, [id, ...own]);
  const told = new Map<string, HeadedItem>();
  const alone = headed.filter((item) => {
    const [row] = [item.id, ...item.names].flatMap((name) => {
      const meaning = names.find(name);
      return meaning.kind === 'items' ? meaning.ids : [];
    });
    if (row === undefined) return true;
    told.set(row, item);
    return false;
  });
  const rows = listed.map((item): Item => {
    const heading = told.get(item.id);
    return heading === undefined
      ? { ...item, boxes: [] }
      : { ...heading, ...item, headed: heading, boxes: [] };
  });
  return [...rows, ...alone.map((item): Item => ({ ...item, headed: item, boxes: [] }))];
}

/** The items while they are being put together. */
class Collected {
  readonly drafts: Item[];
  readonly names = new Names();
  private readonly byDocument = new Map<string, string>();
  private readonly spots = new Map<string, PhaseSpot>();
  private readonly boxes = new Map<string, Box[]>();

  constructor(drafts: readonly Item[]) {
    this.drafts = [];
    for (const draft of drafts) this.add(draft);
  }

  add(draft: Item): void {
    this.drafts.push(draft);
    const { id, names, document, group } = draft;
    this.names.add(id, [id, ...names]);
    if (document !== undefined) {
      const file = fileNameOf(document.text);
      if (!this.byDocument.has(file)) this.byDocument.set(file, id);
      this.names.add(id, [file.replace(/\.\w+$/, '').replace(/^\d+[-_.]/, '')], 'weak');
    }
    if (group !== undefined)
      this.names.add(
        id,
        names.map((name) => `${firstWord(group)} ${name}`),
        'weak',
      );
  }

  documented(path: string): string | undefined {
    return this.byDocument.get(fileNameOf(path));
  }

  place(id: string, spot: PhaseSpot): boolean {
    if (this.spots.has(id)) return false;
    this.spots.set(id, spot);
    return true;
  }

  tick(id: string, box: Box): void {
    this.boxes.set(id, [...(this.boxes.get(id) ?? []), box]);
  }

  items(): Item[] {
    return this.drafts.map((draft) => {
      const spot = this.spots.get(draft.id);
      return { ...draft, boxes: this.boxes.get(draft.id) ?? [], ...(spot && { spot }) };
    });
  }
}

function firstWord({ title }: Group): string {
  return title.split(/\s+/)[0] ?? '';
}

interface PhaseContext {
  readonly remarks: Remark[];
  readonly hasTables: boolean;
}

function placePhases(phases: readonly Phase[], collected: Collected, context: PhaseContext): void {
  for (const [phase, { items }] of phases.entries())
    for (const [point, item] of items.entries())
      for (const [ref, named] of item.refs.entries()) {
        const isAlone = item.refs.length === 1;
        const id =
          meant(named, collected) ?? (isAlone ? meant({ ...named, text: item.label }, collected) : undefined);
        const found = id ?? addPhaseItem(named, { item, collected, context });
        if (isAlone) collected.names.add(found, [item.label], 'weak');
        if (!collected.place(found, { phase, point, ref })) context.remarks.push(twice(found, named));
      }
}

function meant({ document, text }: TaskRef, collected: Collected): string | undefined {
  if (document !== undefined) return collected.documented(document.text);
  const meaning = collected.names.find(text);
  return meaning.kind === 'items' ? meaning.ids[0] : undefined;
}

function addPhaseItem(
  { text, document, offset }: TaskRef,
  { item, collected, context }: { item: PhaseItem; collected: Collected; context: PhaseContext },
): string {
  const isAlone = item.refs.length === 1 && item.label !== '';
  const id = (isAlone ? item.label : text.replace(/\.\w+$/, '')).slice(0, 200);
  if (context.hasTables)
    context.remarks.push({
      offset,
      code: 'PLAN_NOT_IN_TABLE',
      message: `${id} stands in a phase, but no table lists it; it becomes a task, ordered by its phase`,
      fix: 'add a row for it, or take it out of the phase',
    });
  const done = document !== undefined && isCompletePath(document.text);
  collected.add({
    id,
    offset,
    names: isAlone ? [item.label] : [],
    source: 'phase',
    isReview: [item.label, document?.text, text].some(saysReview),
    workspace: [],
    run: [],
    boxes: [],
    ...(document && { document }),
    ...(done && { done: { text: `its document is ${document.text}`, offset } }),
  });
  return id;
}

function twice(id: string, { offset }: TaskRef): Remark {
  return {
    offset,
    code: 'PLAN_PHASE_TWICE',
    message: `${id} stands in a second phase; the first counts`,
    fix: 'keep one of them',
  };
}

/** Boxes that track progress belong to the tasks that they name. */
function placeBoxes(
  boxes: readonly Box[],
  collected: Collected,
  { remarks, putOff }: { readonly remarks: Remark[]; readonly putOff: PutOff },
): void {
  for (const box of boxes) {
    if (useOf(box.section) !== 'progress' || putOff.named(box.text) !== undefined) continue;
    const meaning = collected.names.find(box.text);
    if (meaning.kind === 'items') for (const id of meaning.ids) collected.tick(id, box);
    else
      remarks.push({
        offset: box.offset,
        code: 'PLAN_BOX_UNKNOWN',
        message:
          meaning.kind === 'unknown'
            ? `The box "${box.text}" names no task; it stands for nothing`
            : `The box "${box.text}" may mean ${meaning.ids.join(' or ')}; it stands for nothing`,
        fix: 'name a task as its table does',
      });
  }
}

function groupsOf(items: readonly DraftItem[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { id, group } of items) {
    if (group !== undefined) groups.set(group.title, [...(groups.get(group.title) ?? []), id]);
  }
  return groups;
}
