import type { SourceMap, SourceNode, SourceText } from '../source-node.ts';
import type { Specialization } from '@switchyard/protocol';
import { contains } from '../overlap.ts';
import { kindOf, readsOf, reviewersOf } from './campaign.ts';
import { useOf } from './checklists.ts';
import { isNotedDeferred } from './deferred.ts';
import type { TaskDocument } from './documents.ts';
import type { Hours } from './draft.ts';
import { hoursRows, type HoursRow } from './estimates.ts';
import type { Item, MarkdownModel } from './model.ts';
import { singular, wordsOf } from './names.ts';
import type { Waits } from './order.ts';
import { criteriaOf } from './prose.ts';
import type { Step } from './steps.ts';
import { listAt, mapAt, overlaid, scalarAt, textAt } from './task-nodes.ts';
import { calledBy, depthOf, instructionsOf, type Prose } from './task-texts.ts';

export interface TaskMaker {
  readonly model: MarkdownModel;
  readonly items: ReadonlyMap<string, Item>;
  readonly waits: Waits;
  readonly prose: Prose;
  readonly documents: ReadonlyMap<string, TaskDocument>;
  readonly isDone: (id: string) => boolean;
  /** All of its reviews are of what is there already. */
  readonly isCampaign: boolean;
  /** The front matter says what follows from a failure. */
  readonly saysOnFailure: boolean;
}

const acceptanceMax = 100;
/** Files as a whole take longer than what changed in them. */
export const wholeFilesMinutes = 30;

/** The tasks of an item, in order: itself, and behind it the gate and the verification that its steps ask for. */
export function tasksOfItem(item: Item, maker: TaskMaker): SourceMap[] {
  const { documents, prose } = maker;
  const document = item.document && documents.get(item.document.text);
  const steps = stepsOf(item, maker.model);
  const kind = kindOf(item);
  const isReview = kind?.text === 'review';
  const risks = prose.risks.get(item.id) ?? [];
  const own = mapAt(
    {
      id: scalarAt(item.id, item.offset),
      kind: kind === undefined ? undefined : textAt(kind),
      instructions: scalarAt(
        instructionsOf({ ...item }, document, prose),
        item.document?.offset ?? item.offset,
      ),
      workspace: isReview ? undefined : texts(workspaceOf(item, document, steps)),
      reads: isReview ? texts(readsOf(item, document, maker)) : undefined,
      dependsOn: waitNodes(item, maker),
      estimate: estimateOf(item, maker.model),
      executor:
        item.run.length === 0
          ? undefined
          : mapAt({ run: texts(item.run) }, item.run[0]?.offset ?? item.offset),
      acceptance: acceptanceOf(item, document, { model: maker.model, kind: kind?.text }),
      review: reviewOf(item, steps, {
        ...depthOf(risks),
        also: maker.isCampaign ? reviewersOf(item, maker.model) : [],
      }),
      // What one of them finds wrong keeps nobody from looking at the rest.
      onFailure: maker.isCampaign && !maker.saysOnFailure ? scalarAt('continue', item.offset) : undefined,
    },
    item.offset,
  );
  const first = document === undefined ? own : overlaid(own, document.entries);
  return [first, ...followers(item, steps)];
}

/** The id of the last task of an item: what waits for the item waits for it. */
export function lastTaskOf(item: Item, model: MarkdownModel): string {
  return followerNames(item, stepsOf(item, model)).at(-1)?.id ?? item.id;
}

function stepsOf(item: Item, model: MarkdownModel): readonly Step[] {
  if (item.headed === undefined) return [];
  return item.headed.steps.length > 0
    ? item.headed.steps
    : model.template.filter(({ run }) => run.length === 0);
}

interface Follower {
  readonly id: string;
  readonly step: Step;
}

function followerNames(item: Item, steps: readonly Step[]): Follower[] {
  return steps
    .filter(({ role, run }) => role === 'gate' || (role === 'verify' && run.length > 0))
    .map((step) => ({ id: `${item.id}: ${step.title}`.slice(0, 200), step }));
}

function followers(item: Item, steps: readonly Step[]): SourceMap[] {
  const names = followerNames(item, steps);
  return names.map(({ id, step }, at) =>
    mapAt(
      {
        id: scalarAt(id, step.offset),
        kind: scalarAt(step.role === 'gate' ? 'manual' : 'verify', step.offset),
        instructions: scalarAt(plainHead(step.text).slice(0, 60_000), step.offset),
        dependsOn: listAt([scalarAt(names[at - 1]?.id ?? item.id, step.offset)], step.offset),
        acceptance: step.role === 'verify' ? runNodes(step.run) : undefined,
      },
      step.offset,
    ),
  );
}

/** A heading in bold, as it is read without being rendered. */
function plainHead(text: string): string {
  return text.replace(/^\*\*(.+?)\*\*/, '$1');
}

function workspaceOf(item: Item, document: TaskDocument | undefined, steps: readonly Step[]): SourceText[] {
  const told = steps.filter(({ role }) => role === 'work');
  const choices = [
    item.workspace,
    document?.paths ?? [],
    told.flatMap(({ paths }) => paths),
    steps.flatMap(({ output }) => output),
  ];
  const found = choices.find((paths) => paths.length > 0) ?? [];
  const seen = new Set<string>();
  const once = found.filter(({ text }) => !seen.has(text) && seen.add(text));
  return once.filter(
    ({ text }) => !once.some((other) => other.text !== text && contains(trimmed(other.text), trimmed(text))),
  );
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

function waitNodes(item: Item, { model, items, waits, isDone }: TaskMaker): SourceNode | undefined {
  const nodes = (waits.get(item.id) ?? [])
    .filter(({ id }) => !isDone(id))
    .map(({ id, offset }) => {
      const other = items.get(id);
      return scalarAt(other === undefined ? id : lastTaskOf(other, model), offset);
    });
  return nodes.length === 0 ? undefined : listAt(nodes, nodes[0]?.offset ?? item.offset);
}

/** Its own hours, else those of its kind: the middle of the span, in minutes. */
function estimateOf(item: Item, model: MarkdownModel): SourceNode | undefined {
  const found = hoursFor(item, model);
  if (found === undefined) return undefined;
  const minutes = Math.round(((found.hours.low + found.hours.high) / 2) * 60);
  return mapAt({ minutes: scalarAt(minutes, found.offset) }, found.offset);
}

export function hoursFor(
  item: Item,
  model: MarkdownModel,
): { hours: Hours; offset: number; row?: HoursRow } | undefined {
  if (item.hours !== undefined) return { hours: item.hours, offset: item.offset };
  const rows = hoursRows(model.sections);
  const named = rows.find(({ names }) =>
    names.some((name) => {
      const meaning = model.names.find(name);
      return meaning.kind === 'items' && meaning.ids.includes(item.id);
    }),
  );
  const title = new Set(wordsOf(item.group?.title ?? '').map(singular));
  const row =
    named ??
    rows.find(
      ({ category, names }) =>
        names.length === 0 && wordsOf(category).every((word) => title.has(singular(word))),
    );
  return row === undefined ? undefined : { hours: row.hours, offset: row.offset, row };
}

interface AcceptanceContext {
  readonly model: MarkdownModel;
  readonly kind: string | undefined;
}

/** The checks of its document, the template of the checklist and the criteria of success that hold for each. */
function acceptanceOf(
  item: Item,
  document: TaskDocument | undefined,
  { model, kind }: AcceptanceContext,
): SourceNode | undefined {
  if (kind === 'manual') return undefined;
  const own = model.boxes.filter(({ section }) => section.offset === item.headed?.offset);
  const shared = kind === 'verify' ? [] : sharedCriteria(model, kind === 'review');
  const commands = kind === 'review' ? [] : (document?.commands ?? []);
  const words = [...own, ...(document?.criteria ?? []), ...shared].filter(
    ({ text }) => text !== '' && !isNotedDeferred(text),
  );
  const nodes = [
    ...commands.map(runNode),
    ...words.map(({ text, offset }) => scalarAt(text.slice(0, 4000), offset)),
  ].slice(0, acceptanceMax);
  return nodes.length === 0 ? undefined : listAt(nodes, nodes[0]?.offset ?? item.offset);
}

/** What speaks of reviews holds for reviews where the plan has any. */
function sharedCriteria(model: MarkdownModel, isReview: boolean): SourceText[] {
  const hasReviews = model.items.some((item) => kindOf(item)?.text === 'review');
  if (hasReviews && !isReview) return [];
  const boxes = model.boxes.filter(({ section }) => useOf(section) === 'template');
  return [...boxes, ...criteriaOf(model.sections).each];
}

function runNode({ text, offset }: SourceText): SourceNode {
  return mapAt({ run: scalarAt(text, offset) }, offset);
}

function runNodes(lines: readonly SourceText[]): SourceNode {
  return listAt(lines.map(runNode), lines[0]?.offset ?? 0);
}

function reviewOf(
  item: Item,
  steps: readonly Step[],
  depth: ReturnType<typeof depthOf> & { readonly also: readonly Specialization[] },
): SourceNode | undefined {
  const step = steps.find(({ role }) => role === 'review');
  const called = step === undefined ? [] : calledBy(step.text);
  const asked = [...new Set([...called, ...depth.specializations, ...depth.also])];
  if (step === undefined && depth.rounds === undefined && depth.also.length === 0) return undefined;
  const offset = step?.offset ?? item.offset;
  return mapAt(
    {
      mode: scalarAt('required', offset),
      rounds: depth.rounds === undefined ? undefined : scalarAt(depth.rounds, offset),
      timeoutMinutes: depth.also.length === 0 ? undefined : scalarAt(wholeFilesMinutes, offset),
      specializations:
        asked.length === 0
          ? undefined
          : listAt(
              asked.map((name) => scalarAt(name, offset)),
              offset,
            ),
    },
    offset,
  );
}

function texts(all: readonly SourceText[]): SourceNode | undefined {
  return all.length === 0 ? undefined : listAt(all.map(textAt), all[0]?.offset ?? 0);
}

/** For the total of hours: how many each task takes, and to which groups it belongs. */
export function hoursOfItems(model: MarkdownModel): { hours?: Hours; groups: string[] }[] {
  return model.items.map((item) => {
    const found = hoursFor(item, model);
    const groups = [item.group?.title, found?.row?.category].flatMap((each) => each ?? []);
    return { groups, ...(found && { hours: found.hours }) };
  });
}
