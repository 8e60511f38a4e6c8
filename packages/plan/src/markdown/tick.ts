import type { Box } from './checklists.ts';
import { isItemDone } from './contradictions.ts';
import { splitFrontMatter } from './front-matter.ts';
import { lastTaskOf } from './item-tasks.ts';
import { modelOf, type Item } from './model.ts';
import { refuseMarkdown } from './read-markdown.ts';

/** An open box of the list of progress that can be ticked. */
export interface OpenBox {
  readonly text: string;
  /** Index of the blank between its brackets, in the text of the plan. */
  readonly mark: number;
}

/**
 * The open boxes of a Markdown plan whose tasks are completed, all of them where a box stands for several, in order.
 * Boxes of other lists (activation, templates, of the tasks themselves) are for people to tick.
 */
export function boxesToTick(text: string, isCompleted: (taskId: string) => boolean): OpenBox[] {
  if (refuseMarkdown(text) !== undefined) return [];
  const model = modelOf(splitFrontMatter(text, 0).body);
  const owners = new Map<Box, Item[]>();
  for (const item of model.items)
    for (const box of item.boxes) owners.set(box, [...(owners.get(box) ?? []), item]);
  const isNewlyDone = (item: Item): boolean => isCompleted(item.id) && isCompleted(lastTaskOf(item, model));
  const isDone = (item: Item): boolean => isItemDone(item) || isNewlyDone(item);
  return [...owners]
    .filter(([{ isTicked, mark }]) => !isTicked && text[mark] === ' ')
    .filter(([, items]) => items.every(isDone) && items.some(isNewlyDone))
    .map(([{ text: said, mark }]) => ({ text: said, mark }))
    .toSorted((a, b) => a.mark - b.mark);
}
