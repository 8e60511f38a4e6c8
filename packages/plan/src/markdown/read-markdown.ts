import { limits } from '@switchyard/protocol';
import type { ProblemText } from '../problem.ts';
import type { Complaint } from '../read-yaml.ts';
import { child, textOf, textsOf, type SourceEntry, type SourceMap, type SourceNode } from '../source-node.ts';
import { everything, isCampaign, readsRemarks } from './campaign.ts';
import { useOf } from './checklists.ts';
import { contradictions, isItemDone } from './contradictions.ts';
import { readDocument, type TaskDocument } from './documents.ts';
import type { LeftOut, Remark } from './draft.ts';
import { deferredParts } from './deferred-parts.ts';
import { statedHours, wrongSums, wrongTotals } from './estimates.ts';
import { splitFrontMatter, usableEntries } from './front-matter.ts';
import { hoursOfItems, tasksOfItem, wholeFilesMinutes, type TaskMaker } from './item-tasks.ts';
import { modelOf, type MarkdownModel } from './model.ts';
import { orderOf } from './order.ts';
import { Places } from './places.ts';
import { criteriaOf, relationsOf, statusRemarks } from './prose.ts';
import { idleSteps } from './steps.ts';
import { listAt, mapAt, overlaid, scalarAt, textAt } from './task-nodes.ts';
import { proseOf } from './task-texts.ts';

/** A Markdown plan as the tree that YAML gives, with what does not add up in it. */
export interface MarkdownResult {
  readonly root?: SourceNode;
  readonly complaints: readonly Complaint[];
  readonly places: Places;
  readonly done: readonly LeftOut[];
  /** Tasks and whole sections that are put off. */
  readonly deferred: readonly LeftOut[];
}

export interface MarkdownOptions {
  readonly file: string;
  /** The texts of documents, by their paths as the plan writes them. Absent: nobody has looked for them. */
  readonly documents?: ReadonlyMap<string, string>;
  /** An activation checklist with open boxes is a warning only: the plan is looked at, not run. */
  readonly isDraft?: boolean;
}

/** Why a text is not even parsed: parsing takes time by the square of some signs. */
export function refuseMarkdown(text: string): ProblemText | undefined {
  const isQuoted = /^(?:[ \t]*(?:>|[-*+](?=[ \t]))){40}/m.test(text);
  const isDense = text.split(/\r\n|\n|\r/).some((line) => (line.match(/[*_[\]`<]/g)?.length ?? 0) > 1500);
  const isBlock = text
    .split(/(?:\r\n|\n|\r)[ \t]*(?:\r\n|\n|\r)/)
    .some((block) => !/^\s*(\||[-*+] |\d)/.test(block) && (block.match(/[*_[\]]/g)?.length ?? 0) > 4000);
  if (!isQuoted && !isDense && !isBlock) return undefined;
  return {
    code: 'PLAN_SYNTAX',
    message: isQuoted
      ? 'A line is nested more than 40 levels deep'
      : 'A line or paragraph has thousands of signs such as `*`, `_` or `[`',
    fix: 'a plan needs none of this; mend the line',
  };
}

/** The documents that a plan names, by their paths as written. */
export function documentsNamed(text: string): string[] {
  if (text.length > limits.markdownPlanBytes || refuseMarkdown(text) !== undefined) return [];
  const { items } = modelOf(splitFrontMatter(text, 0).body);
  return [...new Set(items.flatMap(({ document }) => document?.text ?? []))];
}

/** Reads a Markdown plan. Never throws. */
export function readMarkdown(text: string, options: MarkdownOptions): MarkdownResult {
  const places = new Places();
  places.add(options.file, text);
  try {
    return assembled(text, options, places);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return {
      places,
      done: [],
      deferred: [],
      complaints: [
        {
          offset: 0,
          code: 'PLAN_SYNTAX',
          message: 'Nested too deep',
          fix: 'a plan needs a handful of levels',
        },
      ],
    };
  }
}

function assembled(text: string, options: MarkdownOptions, places: Places): MarkdownResult {
  const matter = splitFrontMatter(text, 0);
  const front = usableEntries(matter, { path: [], also: ['executor'] });
  const model = modelOf(matter.body);
  const { documents, remarks: missing } = readDocuments(model, options, places);
  const { waits, remarks } = orderOf(model, relationsOf(model.sections));
  const done = model.items.filter(isItemDone);
  const isDone = new Set(done.map(({ id }) => id));
  const undone = model.items.filter((item) => !isDone.has(item.id));
  // Tasks that the front matter adds may change what there is.
  const isOfCampaign = isCampaign(undone) && !front.entries.has('tasks');
  const maker: TaskMaker = {
    model,
    items: new Map(model.items.map((item) => [item.id, item])),
    waits,
    documents,
    prose: proseOf(model),
    isDone: (id) => isDone.has(id),
    isCampaign: isOfCampaign,
    saysOnFailure: child(front.entries.get('defaults')?.node, 'onFailure') !== undefined,
  };
  const open = undone
    .map((item, at) => ({ item, at }))
    .toSorted((a, b) => (a.item.priority ?? 99) - (b.item.priority ?? 99) || a.at - b.at);
  const tasks = open.flatMap(({ item }) => tasksOfItem(item, maker));
  const all = [...tasks, ...wholeTask(model, tasks, { isOfCampaign })];
  const warnings = [
    ...model.remarks,
    ...missing,
    ...remarks,
    ...contradictions({ model, waits, places }),
    ...hoursRemarks(model),
    ...statusRemarks(model.sections, ({ path }) =>
      model.items.some(({ headed }) => headed?.title === path.at(-1)),
    ),
    ...open.flatMap(({ item }) => idleSteps(item.headed?.steps ?? [], item.id)),
    ...doneOpen(model, documents, isDone),
    ...(isOfCampaign ? readsRemarks(undone, documents) : []),
  ];
  return {
    root: rootOf(front.entries, all, model),
    places,
    done: done.map((item) => ({
      id: item.id,
      line: places.lineOf(item.done?.offset ?? item.boxes[0]?.offset ?? item.offset),
      why: item.done?.text ?? 'its box is ticked',
    })),
    deferred: deferredParts(model, places),
    complaints: [
      ...matter.complaints,
      ...front.complaints,
      ...[...documents.values()].flatMap(({ complaints }) => complaints),
      ...warnings.map((remark): Complaint => ({ severity: 'warning', ...remark })),
      ...activation(model, places, options.isDraft === true),
      ...nothing(model, all, front.entries),
    ],
  };
}

function readDocuments(
  model: MarkdownModel,
  options: MarkdownOptions,
  places: Places,
): { documents: Map<string, TaskDocument>; remarks: Remark[] } {
  const documents = new Map<string, TaskDocument>();
  const remarks: Remark[] = [];
  for (const { id, document } of options.documents === undefined ? [] : model.items) {
    if (document === undefined || documents.has(document.text)) continue;
    const text = options.documents?.get(document.text);
    const refused = text === undefined ? undefined : refuseMarkdown(text);
    if (text !== undefined && refused === undefined && text.length <= limits.markdownPlanBytes)
      documents.set(document.text, readDocument(text, places.add(document.text, text)));
    else
      remarks.push({
        offset: document.offset,
        code: 'PLAN_DOCUMENT_MISSING',
        message:
          text === undefined
            ? `The document ${document.text} of ${id} is not there; the task is told its name only`
            : `The document ${document.text} of ${id} is not read: it is too large or nested too deep`,
        fix: 'write it, or mend its path; it is looked for from the folder of the plan upwards',
      });
  }
  return { documents, remarks };
}

function doneOpen(
  model: MarkdownModel,
  documents: ReadonlyMap<string, TaskDocument>,
  isDone: ReadonlySet<string>,
): Remark[] {
  return model.items.flatMap(({ id, document, done }): Remark[] => {
    const open = document && documents.get(document.text)?.openBoxes;
    const [first] = open ?? [];
    if (!isDone.has(id) || done === undefined || first === undefined || open === undefined) return [];
    return [
      {
        offset: first.offset,
        code: 'PLAN_DONE_OPEN',
        message: `${id} counts as done, but ${open.length} ${open.length === 1 ? 'box' : 'boxes'} of its document ${open.length === 1 ? 'is' : 'are'} open: ${first.text}`,
        fix: 'tick what is done, or move the document back',
      },
    ];
  });
}

function hoursRemarks(model: MarkdownModel): Remark[] {
  const stated = statedHours(model.sections);
  return [...wrongSums(stated), ...wrongTotals(stated, hoursOfItems(model))];
}

/**
 * A task of kind review that looks at the whole, if the document says when the whole is a success: at what the run has
 * changed, or, in a campaign of reviews, at everything that is there, with every reviewer that one of them has.
 */
function wholeTask(
  model: MarkdownModel,
  tasks: readonly SourceMap[],
  { isOfCampaign }: { readonly isOfCampaign: boolean },
): SourceMap[] {
  const { whole } = criteriaOf(model.sections);
  const [first] = whole;
  if (first === undefined || tasks.length === 0) return [];
  const ids = tasks.flatMap((task) => textOf(child(task, 'id'))?.text ?? []);
  const awaited = new Set(
    tasks.flatMap((task) => {
      const list = child(task, 'dependsOn');
      return list?.kind === 'list' ? list.items.map((item) => textOf(item)?.text) : [];
    }),
  );
  const last = ids.filter((id) => !awaited.has(id));
  const { offset } = first;
  return [
    mapAt(
      {
        id: scalarAt('Overall success', offset),
        kind: scalarAt('review', offset),
        instructions: scalarAt(
          `The run as a whole:\n${whole.map(({ text }) => `- ${text}`).join('\n')}`.slice(0, 60_000),
          offset,
        ),
        dependsOn: listAt(
          (last.length > 0 ? last : ids).slice(0, 1000).map((id) => scalarAt(id, offset)),
          offset,
        ),
        acceptance: listAt(
          whole.slice(0, 100).map(({ text }) => scalarAt(text.slice(0, 4000), offset)),
          offset,
        ),
        ...(isOfCampaign ? lookOfAll(tasks, offset) : {}),
      },
      offset,
    ),
  ];
}

/** What the front matter says counts for the plan; its `tasks` add to the tasks of the same name. */
/** Everything, with every reviewer that one of the tasks has. */
function lookOfAll(tasks: readonly SourceMap[], offset: number): Record<string, SourceNode> {
  const reviewers = tasks.flatMap((task) => textsOf(child(child(task, 'review'), 'specializations')));
  const named = [...new Set(reviewers.map(({ text }) => text))].map((name) => scalarAt(name, offset));
  return {
    reads: listAt([textAt(everything(offset))], offset),
    review: mapAt(
      {
        mode: scalarAt('required', offset),
        timeoutMinutes: scalarAt(wholeFilesMinutes, offset),
        specializations: listAt(named, offset),
      },
      offset,
    ),
  };
}

function rootOf(
  front: ReadonlyMap<string, SourceEntry>,
  tasks: readonly SourceMap[],
  model: MarkdownModel,
): SourceMap {
  const entries = new Map(front);
  const executor = entries.get('executor');
  entries.delete('executor');
  if (executor !== undefined) {
    const defaults = entries.get('defaults');
    const own = defaults?.node.kind === 'map' ? defaults.node.entries : new Map<string, SourceEntry>();
    const node = mapAt({}, executor.offset);
    entries.set('defaults', {
      offset: executor.offset,
      node: overlaid(node, new Map([['executor', executor], ...own])),
    });
  }
  const more = entries.get('tasks')?.node;
  const all = more?.kind === 'list' ? merged(tasks, more.items, model) : tasks;
  if (more === undefined || more.kind === 'list')
    entries.set('tasks', { offset: all[0]?.offset ?? 0, node: listAt(all, all[0]?.offset ?? 0) });
  return { kind: 'map', offset: 0, size: 1, entries };
}

function merged(
  tasks: readonly SourceMap[],
  more: readonly SourceNode[],
  model: MarkdownModel,
): SourceNode[] {
  const all: SourceNode[] = [...tasks];
  for (const extra of more) {
    const name = textOf(child(extra, 'id'))?.text;
    const meaning = name === undefined ? undefined : model.names.find(name);
    const [meant] = meaning?.kind === 'items' ? meaning.ids : [];
    const at = tasks.findIndex((task) => {
      const id = textOf(child(task, 'id'))?.text;
      return id !== undefined && (id === meant || id === name);
    });
    const task = tasks[at];
    if (task === undefined || extra.kind !== 'map') all.push(extra);
    else all[at] = overlaid(task, new Map([...extra.entries].filter(([key]) => key !== 'id')));
  }
  return all;
}

/** Open boxes of an activation checklist keep the plan from running. */
function activation(model: MarkdownModel, places: Places, isDraft: boolean): Complaint[] {
  const open = model.boxes.filter(({ section, isTicked }) => useOf(section) === 'activation' && !isTicked);
  const [first] = open;
  if (first === undefined) return [];
  const list = open.map(({ text, offset }) => `line ${places.lineOf(offset)} "${text}"`).join(', ');
  return [
    {
      offset: first.offset,
      code: 'PLAN_NOT_ACTIVE',
      severity: isDraft ? 'warning' : 'error',
      message: `The activation checklist has ${open.length} open ${open.length === 1 ? 'box' : 'boxes'}: ${list}`,
      fix: 'tick them once they are true; until then the plan does not run',
    },
  ];
}

function nothing(
  model: MarkdownModel,
  tasks: readonly SourceMap[],
  front: ReadonlyMap<string, SourceEntry>,
): Complaint[] {
  if (tasks.length > 0 || front.has('tasks') || front.has('pipelines')) return [];
  return [
    model.items.length > 0
      ? {
          offset: 0,
          code: 'PLAN_ALL_DONE',
          message: 'Every task of the plan is done',
          fix: 'add tasks, or open the box of one to do it again',
        }
      : {
          offset: 0,
          code: 'PLAN_EMPTY',
          message: 'The document holds no task',
          fix: 'write a table with the columns Task and Dependencies, phases with lists, headings such as `### T1: Title`, or `pipelines:` in the front matter',
        },
  ];
}
