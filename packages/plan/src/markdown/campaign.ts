import { useOf } from './checklists.ts';
import type { TaskDocument } from './documents.ts';
import type { Remark } from './draft.ts';
import type { Item, MarkdownModel } from './model.ts';
import { criteriaOf } from './prose.ts';
import type { SourceText } from '../source-node.ts';
import { calledBy } from './task-texts.ts';
import type { Specialization } from '@switchyard/protocol';

/** As many as a task may name. */
const readsMax = 100;

/** A task that only looks: a point about a review, without steps of its own that do something. */
export function kindOf(item: Item): SourceText | undefined {
  if (item.kind !== undefined) return item.kind;
  const isReview = item.isReview && (item.headed === undefined || item.headed.steps.length === 0);
  return isReview ? { text: 'review', offset: item.offset } : undefined;
}

/** Nothing that is still to be done changes anything: its reviews are of what is there already. */
export function isCampaign(open: readonly Item[]): boolean {
  return open.length > 0 && open.every((item) => kindOf(item)?.text === 'review');
}

/** What a review looks at: the files of its row or document; of a campaign, else, everything. Empty: what the run changes. */
export function readsOf(
  item: Item,
  document: TaskDocument | undefined,
  { isCampaign: isOfCampaign }: { readonly isCampaign: boolean },
): readonly SourceText[] {
  const named = item.workspace.length > 0 ? item.workspace : (document?.paths ?? []);
  if (named.length > 0) return named.slice(0, readsMax);
  return isOfCampaign ? [everything(item.offset)] : [];
}

export function everything(offset: number): SourceText {
  return { text: '.', offset };
}

/** What every kind of project asks for (DESIGN.md section 9), where a review's name asks for nothing. */
const ofAnyCode = ['code-quality', 'testing', 'security'] as const;

/** Reviewers that a review of a campaign calls for, by its names and by the checklist of every review. */
export function reviewersOf(item: Item, model: MarkdownModel): readonly Specialization[] {
  const boxes = model.boxes.filter(({ section }) => useOf(section) === 'template');
  const shared = [...boxes, ...criteriaOf(model.sections).each].map(({ text }) => text);
  const byName = calledBy([item.id, ...item.names].join('\n'));
  const own = byName.length === 0 ? ofAnyCode : byName;
  return [...new Set([...own, ...calledBy(shared.join('\n'))])];
}

/** Which reviews of a campaign name no files, in one remark. */
export function readsRemarks(
  open: readonly Item[],
  documents: ReadonlyMap<string, TaskDocument>,
): readonly Remark[] {
  const without = open.filter(
    (item) =>
      item.workspace.length === 0 && (documents.get(item.document?.text ?? '')?.paths ?? []).length === 0,
  );
  const [first] = without;
  if (first === undefined) return [];
  const names = without.slice(0, 5).map(({ id }) => id);
  const more = without.length > names.length ? ` and ${without.length - names.length} more` : '';
  const verb = without.length === 1 ? 'names no files, so it reviews' : 'name no files, so they review';
  return [
    {
      offset: first.offset,
      code: 'PLAN_REVIEW_OF_ALL',
      message: `${names.join(', ')}${more} ${verb} the whole repository`,
      fix: 'list the files, between backquotes, under a heading `Scope` or `Files` of its document',
    },
  ];
}
